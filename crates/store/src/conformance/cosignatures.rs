use super::time;
use crate::Transaction;
use crate::model::CheckpointRecord;

pub(super) fn are_kept_below_their_checkpoint(tx: &mut dyn Transaction) {
    assert_eq!((tx.cosigned_size("w1").unwrap(), tx.cosigned_by(1).unwrap()), (None, None));
    tx.add_checkpoint(&CheckpointRecord { size: 5, note: "note 5".into(), created: time(1) }).unwrap();
    assert_eq!(tx.checkpoint_of(5).unwrap().as_deref(), Some("note 5"));
    assert_eq!(tx.checkpoint_of(6).unwrap(), None);
    for (size, witness, line) in [(5, "w1", "line a"), (5, "w1", "another"), (5, "w2", "line b"), (9, "w1", "line c")] {
        tx.add_cosignature(size, witness, line, time(2)).unwrap();
    }
    let pair = |witness: &str, line: &str| (witness.to_owned(), line.to_owned());
    assert_eq!(tx.cosignatures(5).unwrap(), [pair("w1", "line a"), pair("w2", "line b")]);
    assert_eq!((tx.cosigned_size("w1").unwrap(), tx.cosigned_size("w2").unwrap()), (Some(9), Some(5)));
    assert_eq!([1, 2, 3].map(|count| tx.cosigned_by(count).unwrap()), [Some(9), Some(5), None]);
}
