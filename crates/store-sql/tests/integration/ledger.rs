use std::path::Path;
use std::sync::Arc;

use sealyard_core::{FixedClock, FixedRng, Timestamp};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome, VerifyReport, verify};
use sealyard_store::ledger::sequence;
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{LedgerReader, SqliteOptions, SqliteStore};

fn key() -> LedgerKey {
    LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap()
}

async fn fill(path: &Path, count: usize) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path, SqliteOptions::default()).unwrap());
    store
        .write(move |tx| {
            for number in 0..count {
                tx.record(&Event {
                    time: Timestamp::from_millis(5),
                    actor: "ada".into(),
                    source: None,
                    request_id: None,
                    in_workspace: None,
                    outcome: Outcome::Done,
                    act: Act::RunCreated { id: number.to_string(), experiment: "0".into() },
                })?;
            }
            while sequence(tx, &key(), &FixedClock::at(Timestamp::from_millis(9)), 999)? > 0 {}
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

fn examine(path: &Path, external: Option<&str>) -> VerifyReport {
    let reader = LedgerReader::open(path).unwrap();
    let notes: Vec<String> = reader.checkpoints().unwrap().into_iter().map(|checkpoint| checkpoint.note).collect();
    verify(reader.entries(), notes, &key().verifier(), external).unwrap()
}

fn tamper(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER ledger_entries_stay; DROP TRIGGER ledger_entries_stand;
             DROP TRIGGER ledger_checkpoints_stay; DROP TRIGGER ledger_checkpoints_stand;",
        )
        .unwrap();
    connection.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_log_verifies_offline_and_while_it_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    fill(&path, 2500).await;
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let report = examine(&path, None);
    assert!(report.ok, "{report:?}");
    assert_eq!(report.size, 2500);
    drop(store);
    assert!(examine(&path, None).ok);
}

#[tokio::test]
async fn every_change_of_the_database_is_seen() {
    for (sql, rule) in [
        ("UPDATE ledger_entries SET event = CAST('{}' AS BLOB) WHERE position = 1200", "ledger.leaf-hash"),
        ("UPDATE ledger_entries SET leaf = zeroblob(32) WHERE position = 3", "ledger.leaf-hash"),
        ("DELETE FROM ledger_entries WHERE position = 1000", "ledger.sequence"),
        ("DELETE FROM ledger_entries WHERE position >= 1200", "ledger.root"),
        ("DELETE FROM ledger_checkpoints WHERE size = 1300", "ledger.uncovered"),
        (
            "UPDATE ledger_checkpoints SET note = replace(note, '999', '998') WHERE size = 999",
            "ledger.checkpoint-signature",
        ),
        ("INSERT INTO ledger_entries VALUES (1300, x'7b7d', zeroblob(32))", "ledger.uncovered"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        fill(&path, 1300).await;
        assert!(examine(&path, None).ok);
        tamper(&path, sql);
        let report = examine(&path, None);
        assert!(report.problems.iter().any(|problem| problem.rule == rule), "{sql}: {report:?}");
    }
}

#[tokio::test]
async fn a_cut_back_log_is_seen_against_a_kept_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    fill(&path, 1300).await;
    let kept = LedgerReader::open(&path).unwrap().checkpoints().unwrap().pop().unwrap().note;
    tamper(&path, "DELETE FROM ledger_entries WHERE position >= 999; DELETE FROM ledger_checkpoints WHERE size > 999");
    assert!(examine(&path, None).ok);
    assert_eq!(examine(&path, Some(&kept)).problems[0].rule, "ledger.rollback");
}

#[test]
fn what_is_not_a_catalog_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    assert!(LedgerReader::open(&path).is_err());
    assert!(!path.exists(), "looking makes nothing");
    std::fs::write(&path, b"not a database at all, but long enough to be looked at as one, or so it seems to me")
        .unwrap();
    assert!(LedgerReader::open(&path).is_err());
}
