use super::time;
use crate::model::{CheckpointRecord, LedgerEntry};
use crate::{StoreError, Transaction};
use sealyard_core::Digest;
use sealyard_ledger::{Act, Event, Outcome};

pub(super) fn event(number: i64) -> Event {
    Event {
        time: time(number),
        actor: "ada".into(),
        source: None,
        request_id: None,
        outcome: Outcome::Done,
        act: Act::RunCreated { id: format!("r{number}"), experiment: "0".into() },
    }
}

pub(super) fn entries_follow_each_other(tx: &mut dyn Transaction) {
    let entry = |index: u64| LedgerEntry { index, bytes: vec![b'a'], leaf: Digest::of(&index.to_be_bytes()) };
    for number in 0..3 {
        tx.record(&event(number)).unwrap();
    }
    let rows = tx.outbox(2).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].1, event(0).to_bytes().unwrap());
    assert_eq!(tx.entry_count().unwrap(), 0);
    assert!(matches!(tx.append_entries(&[entry(1)], &[]), Err(StoreError::Conflict(_))));
    tx.append_entries(&[entry(0), entry(1)], &[rows[0].0, rows[1].0]).unwrap();
    assert_eq!((tx.entry_count().unwrap(), tx.outbox(9).unwrap().len()), (2, 1));
    assert!(matches!(tx.append_entries(&[], &[rows[0].0]), Err(StoreError::Conflict(_))), "a row is sequenced once");
    assert!(matches!(tx.append_entries(&[entry(1)], &[]), Err(StoreError::Conflict(_))));
    assert_eq!(tx.entries(1, 9).unwrap(), [entry(1)]);
    assert_eq!(tx.entries(0, 1).unwrap(), [entry(0)]);

    assert_eq!(tx.latest_checkpoint().unwrap(), None);
    let checkpoint = |size| CheckpointRecord { size, note: format!("note {size}"), created: time(9) };
    tx.add_checkpoint(&checkpoint(1)).unwrap();
    tx.add_checkpoint(&checkpoint(2)).unwrap();
    assert!(matches!(tx.add_checkpoint(&checkpoint(2)), Err(StoreError::Conflict(_))));
    assert_eq!(tx.latest_checkpoint().unwrap(), Some(checkpoint(2)));
    assert_eq!(tx.checkpoints().unwrap(), [checkpoint(1), checkpoint(2)]);
}

pub(super) fn settings(tx: &mut dyn Transaction) {
    assert_eq!(tx.setting("origin").unwrap(), None);
    tx.put_setting("origin", "a").unwrap();
    tx.put_setting("origin", "b").unwrap();
    assert_eq!(tx.setting("origin").unwrap().as_deref(), Some("b"));
}
