use sealyard_core::{Digest, FixedClock, FixedRng};
use sealyard_ledger::merkle::{consistency_path, inclusion_path, leaf_hash, root, root_of, verify_inclusion};
use sealyard_ledger::{Act, Event, Facets, LedgerKey, Outcome};

use super::time;
use crate::ledger::sequence;
use crate::ledger_index::{fill, tile, tree};
use crate::model::{LedgerPlace, LedgerQuery};
use crate::{StoreError, Transaction};

fn key() -> LedgerKey {
    LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap()
}

fn event(number: i64) -> Event {
    let act = match number % 4 {
        0 => Act::RunCreated { id: format!("r{number}"), experiment: (number % 3).to_string() },
        1 => Act::AccessDenied {
            action: "edit".into(),
            resource: format!("experiment:{}", number % 3),
            rule: "authorization".into(),
        },
        2 => Act::RunEnded { id: format!("r{}", number - 2), status: "FINISHED".into() },
        _ => Act::AliasSet { name: "fraud".into(), alias: "champion".into(), version: 1 },
    };
    Event {
        // Not in the order of the log.
        time: time(1000 + (number / 2) * 10 - (number % 2) * 15),
        actor: ["ada", "bob", "eve"][(number % 3) as usize].into(),
        source: None,
        request_id: Some(format!("q{}", number / 2)),
        in_workspace: None,
        outcome: if number % 4 == 1 { Outcome::Refused } else { Outcome::Done },
        act,
    }
}

fn fill_log(tx: &mut dyn Transaction, count: i64) {
    for number in 0..count {
        tx.record(&event(number)).unwrap();
    }
    while sequence(tx, &key(), &FixedClock::at(time(7)), 50).unwrap() > 0 {}
}

fn all_facets(tx: &mut dyn Transaction) -> Vec<(u64, Facets)> {
    tx.entries(0, 10_000).unwrap().iter().map(|entry| (entry.index, Facets::of(&entry.bytes))).collect()
}

/// What a look at every entry finds.
fn expected(log: &[(u64, Facets)], query: &LedgerQuery) -> Vec<LedgerPlace> {
    let mut found = Vec::new();
    for (index, facets) in log {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        let place = LedgerPlace { time: time(facets.time), index: *index };
        if is(&query.actor, &facets.actor)
            && is(&query.act, &facets.act)
            && is(&query.outcome, &facets.outcome)
            && query.request_id.as_ref().is_none_or(|id| facets.request_id.as_ref() == Some(id))
            && query.subject.as_ref().is_none_or(|subject| facets.subjects.contains(subject))
            && query.rule.as_ref().is_none_or(|rule| facets.rules.contains(rule))
            && query.since.is_none_or(|since| place.time >= since)
            && query.until.is_none_or(|until| place.time < until)
            && query.after.is_none_or(|after| place < after)
        {
            found.push(place);
        }
    }
    found.sort_by(|one, other| other.cmp(one));
    found.truncate(query.limit as usize);
    found
}

fn queries() -> Vec<LedgerQuery> {
    let some = |text: &str| Some(text.to_owned());
    let mut queries = Vec::new();
    for actor in [None, some("ada"), some("nobody")] {
        for subject in [None, some("experiment:1"), some("registered-model:fraud"), some("run:r8"), some("x")] {
            for act in [None, some("run-created"), some("never")] {
                for outcome in [None, some("done"), some("refused")] {
                    for rule in [None, some("authorization")] {
                        for (since, until) in [(None, None), (Some(time(1100)), Some(time(1200)))] {
                            queries.push(LedgerQuery {
                                actor: actor.clone(),
                                subject: subject.clone(),
                                act: act.clone(),
                                outcome: outcome.clone(),
                                rule: rule.clone(),
                                since,
                                until,
                                limit: 7,
                                ..LedgerQuery::default()
                            });
                        }
                    }
                }
            }
        }
    }
    queries.push(LedgerQuery { request_id: some("q5"), limit: 7, ..LedgerQuery::default() });
    let request = LedgerQuery { request_id: some("q5"), limit: 7, ..LedgerQuery::default() };
    queries.push(LedgerQuery { actor: some("ada"), ..request.clone() });
    queries.push(LedgerQuery { act: some("run-ended"), ..request.clone() });
    queries.push(LedgerQuery { act: some("never"), ..request.clone() });
    queries.push(LedgerQuery { outcome: some("done"), since: Some(time(0)), ..request.clone() });
    queries.push(LedgerQuery { subject: some("registered-model:fraud"), ..request.clone() });
    queries.push(LedgerQuery { subject: some("run:r8"), act: some("run-ended"), ..request.clone() });
    queries.push(LedgerQuery { subject: some("run:r8"), actor: some("bob"), ..request.clone() });
    queries.push(LedgerQuery { rule: some("authorization"), ..request.clone() });
    queries.push(LedgerQuery { rule: some("authorization"), request_id: some("q4"), ..request });
    queries
}

pub(super) fn finds_what_a_look_at_all_entries_finds(tx: &mut dyn Transaction) {
    fill_log(tx, 120);
    assert_eq!(tx.indexed().unwrap(), 120);
    let log = all_facets(tx);
    for query in queries() {
        assert_eq!(tx.find_entries(&query).unwrap(), expected(&log, &query), "{query:?}");
    }
}

pub(super) fn pages_of_the_log(tx: &mut dyn Transaction) {
    fill_log(tx, 120);
    for query in [
        LedgerQuery { limit: 7, ..LedgerQuery::default() },
        LedgerQuery { limit: 7, actor: Some("ada".into()), ..LedgerQuery::default() },
        LedgerQuery { limit: 7, subject: Some("experiment:1".into()), ..LedgerQuery::default() },
        LedgerQuery { limit: 7, outcome: Some("done".into()), ..LedgerQuery::default() },
    ] {
        let all = expected(&all_facets(tx), &LedgerQuery { limit: 1000, ..query.clone() });
        let (mut paged, mut next) = (Vec::new(), query);
        loop {
            let page = tx.find_entries(&next).unwrap();
            let Some(last) = page.last() else { break };
            next.after = Some(*last);
            paged.extend(page);
        }
        assert_eq!(paged, all);
    }
    let entries = tx.entries_at(&[5, 3, 999, 5]).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.index).collect::<Vec<_>>(), [5, 3]);
}

pub(super) fn the_index_is_made_again(tx: &mut dyn Transaction) {
    fill_log(tx, 60);
    let query = LedgerQuery { limit: 100, actor: Some("ada".into()), ..LedgerQuery::default() };
    let before = tx.find_entries(&query).unwrap();
    tx.clear_ledger_index().unwrap();
    assert_eq!((tx.indexed().unwrap(), tx.find_entries(&query).unwrap()), (0, vec![]));
    // What comes now waits for what was there before.
    fill_log(tx, 4);
    assert_eq!(tx.indexed().unwrap(), 0);
    while fill(tx).unwrap() {}
    assert_eq!(tx.indexed().unwrap(), 64);
    let after = tx.find_entries(&query).unwrap();
    assert_eq!(after.len(), before.len() + 2);
    assert_eq!(after, expected(&all_facets(tx), &query));
    let facets = Facets::of(b"{}");
    assert!(matches!(tx.index_entries(&[(70, facets)]), Err(StoreError::Conflict(_))));
}

pub(super) fn proofs_come_from_nodes(tx: &mut dyn Transaction) {
    fill_log(tx, 1100);
    let leaves: Vec<Digest> = tx.entries(0, 2000).unwrap().iter().map(|entry| leaf_hash(&entry.bytes)).collect();
    // Before the nodes are made, and with them.
    for filled in [false, true] {
        if filled {
            while fill(tx).unwrap() {}
            assert_eq!((tx.node_count(1).unwrap(), tx.node_count(2).unwrap()), (4, 0));
            assert_eq!(tx.nodes(1, 1, 1).unwrap(), [root(&leaves[256..512])]);
        }
        for size in [1_u64, 255, 256, 257, 1024, 1100] {
            let whole = root(&leaves[..size as usize]);
            assert_eq!(root_of(&mut tree(tx, size), size).unwrap(), whole);
            let index = size / 2;
            let path = inclusion_path(&mut tree(tx, size), index, size).unwrap().unwrap();
            assert_eq!(verify_inclusion(leaves[index as usize], index, size, &path, whole), Ok(()));
            assert!(consistency_path(&mut tree(tx, size), index, size).unwrap().is_some());
        }
    }
    let beyond = sealyard_ledger::tile::Tile { level: 0, index: 4, width: 200 };
    assert!(matches!(tile(tx, beyond), Err(StoreError::Ledger(_))));
    assert!(matches!(tx.add_nodes(1, 9, &[leaves[0]]), Err(StoreError::Conflict(_))));
}

pub(super) fn what_no_bundle_can_hold_is_not_recorded(tx: &mut dyn Transaction) {
    let with =
        |length: usize| Event { act: Act::RunCreated { id: "r".repeat(length), experiment: "0".into() }, ..event(0) };
    let around = with(0).to_bytes().unwrap().len();
    tx.record(&with(65_535 - around)).unwrap();
    assert!(matches!(tx.record(&with(65_536 - around)), Err(StoreError::Invalid(_))));
    assert_eq!(tx.outbox(9).unwrap().len(), 1);
}
