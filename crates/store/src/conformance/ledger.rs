use super::time;
use crate::ledger::sequence;
use crate::model::{CheckpointRecord, LedgerEntry};
use crate::{StoreError, Transaction};
use sealyard_core::{Digest, FixedClock, FixedRng};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome, verify};

pub(super) fn event(number: i64) -> Event {
    Event {
        time: time(number),
        actor: "ada".into(),
        source: None,
        request_id: None,
        in_workspace: None,
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

fn key(seed: u64) -> LedgerKey {
    LedgerKey::generate("log.example", &FixedRng::seeded(seed)).unwrap()
}

/// Sequences `count` events.
fn sequenced(tx: &mut dyn Transaction, count: i64) {
    for number in 0..count {
        tx.record(&event(number)).unwrap();
    }
    let made = sequence(tx, &key(1), &FixedClock::at(time(7)), 1000).unwrap();
    assert_eq!(made, count as usize);
}

pub(super) fn sequencing(tx: &mut dyn Transaction) {
    let clock = FixedClock::at(time(7));
    assert_eq!(sequence(tx, &key(1), &clock, 10).unwrap(), 0);
    assert_eq!(tx.latest_checkpoint().unwrap(), None, "nothing to sign");
    for number in 0..25 {
        tx.record(&event(number)).unwrap();
    }
    let steps = [10, 10, 5, 0].map(|_| sequence(tx, &key(1), &clock, 10).unwrap());
    assert_eq!(steps, [10, 10, 5, 0]);
    let entries = tx.entries(0, 100).unwrap();
    for (entry, number) in entries.iter().zip(0..) {
        assert_eq!(entry.bytes, event(number).to_bytes().unwrap());
    }
    let notes: Vec<String> = tx.checkpoints().unwrap().into_iter().map(|checkpoint| checkpoint.note).collect();
    assert_eq!(notes.len(), 3);
    let entries = entries.into_iter().map(Ok::<_, StoreError>);
    let report = verify(entries, &notes, &key(1).verifier(), Some(&notes[1])).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.size, 25);
}

pub(super) fn a_lost_frontier_is_made_again(tx: &mut dyn Transaction) {
    sequenced(tx, 5);
    for broken in ["", "nonsense", "4 00"] {
        tx.put_setting("ledger.frontier", broken).unwrap();
        sequenced(tx, 2);
    }
    let notes: Vec<String> = tx.checkpoints().unwrap().into_iter().map(|checkpoint| checkpoint.note).collect();
    let entries = tx.entries(0, 100).unwrap().into_iter().map(Ok::<_, StoreError>);
    assert!(verify(entries, &notes, &key(1).verifier(), None).unwrap().ok);
}

pub(super) fn what_was_not_signed_is_not_extended(tx: &mut dyn Transaction) {
    sequenced(tx, 3);
    tx.record(&event(9)).unwrap();
    let clock = FixedClock::at(time(8));
    assert!(matches!(sequence(tx, &key(2), &clock, 9), Err(StoreError::Ledger(_))), "another key");
    let foreign = LedgerEntry { index: 3, bytes: b"slipped in".to_vec(), leaf: Digest::of(b"x") };
    tx.append_entries(&[foreign], &[]).unwrap();
    assert!(matches!(sequence(tx, &key(1), &clock, 9), Err(StoreError::Ledger(_))), "an entry nobody signed");
    assert_eq!(tx.outbox(9).unwrap().len(), 1);
}
