use super::time;
use crate::{Transaction, WorkspaceKey};

pub(super) fn the_first_stays_until_it_is_destroyed(tx: &mut dyn Transaction) {
    let key = |workspace, name: &str| WorkspaceKey { workspace, key: name.to_owned(), sealed: vec![0, 255, 7] };
    assert_eq!(tx.workspace_key(3).unwrap(), None);
    assert_eq!(tx.put_workspace_key(&key(3, "a"), time(1)).unwrap(), key(3, "a"));
    assert_eq!(tx.put_workspace_key(&key(3, "b"), time(2)).unwrap(), key(3, "a"), "the first stays");
    tx.put_workspace_key(&key(2, "c"), time(2)).unwrap();
    assert_eq!(tx.workspace_keys().unwrap(), [key(2, "c"), key(3, "a")]);
    assert_eq!(tx.intact_workspace_keys().unwrap(), [key(2, "c"), key(3, "a")]);
    assert_eq!(tx.destroy_workspace_key(3).unwrap(), Some("a".to_owned()));
    assert_eq!(tx.destroy_workspace_key(3).unwrap(), None);
    assert_eq!(tx.workspace_keys().unwrap(), [key(2, "c")]);
}
