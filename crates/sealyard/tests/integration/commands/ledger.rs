//! Verifying the ledger, offline and from what a server hands out.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{FixedClock, FixedRng, Timestamp};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome};
use sealyard_store::ledger::sequence;
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{LedgerReader, SqliteOptions, SqliteStore};
use serde_json::{Value, json};

use super::Home;
use super::fake::Fake;

fn key(seed: u64) -> LedgerKey {
    LedgerKey::generate("log.example", &FixedRng::seeded(seed)).unwrap()
}

/// Adds entries to the log of a data directory and gives the newest checkpoint.
fn fill(data: &Path, count: usize) -> String {
    std::fs::create_dir_all(data.join("keys")).unwrap();
    std::fs::write(data.join("keys/ledger.pub"), format!("{}\n", key(1).verifier())).unwrap();
    let path = data.join("catalog.sqlite");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
        let work = store.write(move |tx| {
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
            while sequence(tx, &key(1), &FixedClock::at(Timestamp::from_millis(9)), 5)? > 0 {}
            Ok::<_, StoreError>(())
        });
        work.await.unwrap();
    });
    LedgerReader::open(&path).unwrap().checkpoints().unwrap().pop().unwrap().note
}

fn tamper(data: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(data.join("catalog.sqlite")).unwrap();
    let triggers = ["entries_stay", "entries_stand", "checkpoints_stay", "checkpoints_stand"];
    for trigger in triggers {
        connection.execute_batch(&format!("DROP TRIGGER ledger_{trigger}")).unwrap();
    }
    connection.execute_batch(sql).unwrap();
}

fn rules(report: &Value) -> Vec<&str> {
    report["problems"].as_array().unwrap().iter().map(|problem| problem["rule"].as_str().unwrap()).collect()
}

#[test]
fn a_whole_log_is_whole_and_its_checkpoint_can_be_kept() {
    let home = Home::new();
    let note = fill(&home.join("data"), 12);
    let report = home.run(&["ledger", "verify", "--data-dir", "data", "--format", "json"]).fine().json();
    assert_eq!(
        (&report["schema"], &report["ok"], &report["size"]),
        (&json!("sealyard.ledger/1"), &json!(true), &json!(12))
    );
    home.run(&["ledger", "verify", "--data-dir", "data"]).fine().says("--checkpoint");
    let kept = home.run(&["ledger", "checkpoint", "--data-dir", "data"]).fine().stdout;
    assert_eq!(kept, note);
    home.file("kept", kept);
    fill(&home.join("data"), 3);
    home.run(&["ledger", "verify", "--data-dir", "data", "--checkpoint", "kept"]).fine();
}

#[test]
fn every_change_has_its_rule() {
    let changes = [
        (
            "UPDATE ledger_entries SET event = CAST(replace(CAST(event AS TEXT), 'ada', 'eve') AS BLOB) WHERE position = 3",
            "ledger.leaf-hash",
        ),
        ("DELETE FROM ledger_entries WHERE position = 3", "ledger.sequence"),
        ("DELETE FROM ledger_checkpoints WHERE size = 12", "ledger.uncovered"),
        (
            "UPDATE ledger_checkpoints SET note = replace(note, 'log.example', 'log.elsewhere')",
            "ledger.checkpoint-signature",
        ),
        ("DELETE FROM ledger_entries WHERE position > 4", "ledger.root"),
    ];
    for (sql, rule) in changes {
        let home = Home::new();
        fill(&home.join("data"), 12);
        tamper(&home.join("data"), sql);
        let report = home.run(&["ledger", "verify", "--data-dir", "data", "--format", "json"]).ends(1).json();
        assert_eq!(report["ok"], false);
        assert!(rules(&report).contains(&rule), "{sql}: {report}");
        home.run(&["ledger", "verify", "--data-dir", "data"]).ends(1).prints(rule);
    }
}

#[test]
fn a_rollback_is_seen_against_a_kept_checkpoint() {
    let home = Home::new();
    home.file("kept", fill(&home.join("data"), 12));
    let sql = "DELETE FROM ledger_entries WHERE position > 4; DELETE FROM ledger_checkpoints WHERE size > 5";
    tamper(&home.join("data"), sql);
    home.run(&["ledger", "verify", "--data-dir", "data"]).fine();
    let kept = ["ledger", "verify", "--data-dir", "data", "--checkpoint", "kept", "--format", "json"];
    assert_eq!(rules(&home.run(&kept).ends(1).json()), ["ledger.rollback"]);
}

#[test]
fn what_can_not_be_read_is_not_judged() {
    let home = Home::new();
    fill(&home.join("data"), 3);
    home.run(&["ledger", "verify", "--data-dir", "absent"]).ends(2).says("there is no catalog");
    home.run(&["ledger", "verify", "--data-dir", "data", "--checkpoint", "absent"]).ends(2);
    home.run(&["ledger", "verify", "--data-dir", "data", "--verifier-key", "absent"]).ends(2);
    let text = home.file("text", "nonsense");
    home.run(&["ledger", "verify", "--data-dir", "data", "--verifier-key", &text]).ends(2).says("no verifier key");
    home.run(&["ledger", "verify", "--data-dir", "data", "--checkpoint", &text]).ends(1);
    home.file("broken/catalog.sqlite", "not a database, only text that is long enough");
    home.run(&["ledger", "verify", "--data-dir", "broken", "--verifier-key", "data/keys/ledger.pub"]).ends(2);
    assert!(!home.join("absent").exists());
}

#[test]
fn another_key_is_not_the_ledgers() {
    let home = Home::new();
    fill(&home.join("data"), 3);
    let other = home.file("other.pub", key(2).verifier().to_string());
    home.run(&["ledger", "verify", "--data-dir", "data", "--verifier-key", &other]).ends(1);
    home.run(&["ledger", "checkpoint", "--data-dir", "data", "--verifier-key", &other]).ends(1);
}

/// A server that hands out the log of a data directory as `change` has it.
fn server(data: &Path, change: impl Fn(&mut Vec<Vec<u8>>)) -> Fake {
    let reader = LedgerReader::open(&data.join("catalog.sqlite")).unwrap();
    let newest = reader.checkpoints().unwrap().pop().unwrap();
    let mut events: Vec<_> = reader.entries().map(|entry| entry.unwrap().bytes).collect();
    change(&mut events);
    let entries: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(index, bytes)| json!({"index": index, "bytes": STANDARD.encode(bytes)}))
        .collect();
    let verifier = key(1).verifier().to_string();
    let status = json!({"checkpoint": newest.note, "size": newest.size, "time": 0, "verifier_key": verifier});
    Fake::start(vec![
        ("GET /api/sealyard/v1/ledger/checkpoint", 200, status.to_string()),
        ("GET /api/sealyard/v1/ledger/entries?from=0&", 200, json!({"entries": entries}).to_string()),
        ("GET /api/sealyard/v1/ledger/entries?", 200, json!({"entries": []}).to_string()),
    ])
}

#[test]
fn a_server_is_not_believed() {
    let home = Home::new();
    let data = home.join("data");
    fill(&data, 7);
    let verify = |fake: &Fake| {
        home.run(&[
            "ledger",
            "verify",
            "--server",
            &fake.url,
            "--verifier-key",
            "data/keys/ledger.pub",
            "--format",
            "json",
        ])
    };
    let report = verify(&server(&data, |_| ())).fine().json();
    assert_eq!(report["size"], 7);
    assert_eq!(rules(&verify(&server(&data, |events| events[2] = b"{}".to_vec())).ends(1).json()), ["ledger.root"]);
    assert!(rules(&verify(&server(&data, |events| drop(events.pop()))).ends(1).json()).contains(&"ledger.root"));
    let fake = server(&data, |_| ());
    home.run(&["ledger", "verify", "--server", &fake.url]).fine().says("the server's own word");
    home.run(&["ledger", "checkpoint", "--server", &fake.url]).fine().prints("log.example");
}
