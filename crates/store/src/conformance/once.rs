use super::time;
use crate::Transaction;

pub(super) fn is_once(tx: &mut dyn Transaction) {
    assert!(tx.use_once("a", time(5), time(1)).unwrap());
    assert!(!tx.use_once("a", time(9), time(2)).unwrap());
    assert!(tx.use_once("b", time(9), time(2)).unwrap());
    // Its time is over: what it was for is refused by its age.
    assert!(tx.use_once("a", time(9), time(5)).unwrap());
    assert!(!tx.use_once("b", time(9), time(5)).unwrap());
}
