//! Verifying the ledger, offline and from what a server hands out.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{FixedClock, FixedRng, Timestamp};
use sealyard_ledger::{Act, Checkpoint, Event, LedgerKey, Note, Outcome, WitnessKey};
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
    home.run(&["ledger", "verify", "--data-dir", "data", "--checkpoint", &text]).ends(2).says("not a checkpoint");
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

/// The proof for one of `count` entries, the newest checkpoint, and the proof that the log of `from` is its beginning.
fn proofs(data: &Path, index: u64, from: u64) -> (Value, Value) {
    use sealyard_ledger::merkle::{consistency_proof, inclusion_proof};
    let reader = LedgerReader::open(&data.join("catalog.sqlite")).unwrap();
    let note = reader.checkpoints().unwrap().pop().unwrap().note;
    let entries: Vec<_> = reader.entries().map(Result::unwrap).collect();
    let leaves: Vec<_> = entries.iter().map(|entry| entry.leaf).collect();
    let proof = json!({
        "schema": "sealyard.ledger-proof/1",
        "index": index,
        "entry": STANDARD.encode(&entries[index as usize].bytes),
        "inclusion": inclusion_proof(&leaves, index as usize).unwrap(),
        "checkpoint": note,
        "verifier_key": key(1).verifier().to_string(),
    });
    let growth =
        json!({"from": from, "consistency": consistency_proof(&leaves, from as usize).unwrap(), "checkpoint": note});
    (proof, growth)
}

#[test]
fn an_entrys_proof_is_got_and_checked_without_a_server() {
    let home = Home::new();
    let data = home.join("data");
    fill(&data, 12);
    let (proof, _) = proofs(&data, 7, 5);
    let fake = Fake::start(vec![
        ("GET /api/sealyard/v1/ledger/proof?index=7", 200, proof.to_string()),
        ("GET /api/sealyard/v1/ledger/proof?request_id=q%2D1", 200, proof.to_string()),
    ]);
    let got =
        home.run(&["ledger", "proof", "7", "--server", &fake.url, "--verifier-key", "data/keys/ledger.pub"]).fine();
    home.file("proof.json", got.stdout);
    home.run(&["ledger", "proof", "--request-id", "q-1", "--server", &fake.url])
        .fine()
        .says("the key that the server names");
    let check = |file: &str, key: &str| {
        home.run(&["ledger", "verify", "--proof", file, "--verifier-key", key, "--format", "json"])
    };
    let checked = check("proof.json", "data/keys/ledger.pub").fine().json();
    assert_eq!((&checked["index"], &checked["size"], &checked["event"]["id"]), (&json!(7), &json!(12), &json!("7")));

    let mut forged = proof.clone();
    forged["entry"] = json!(STANDARD.encode("{}"));
    let file = home.file("forged.json", forged.to_string());
    assert_eq!(rules(&check(&file, "data/keys/ledger.pub").ends(1).json()), ["ledger.proof"]);
    let other = home.file("other.pub", key(2).verifier().to_string());
    assert_eq!(rules(&check("proof.json", &other).ends(1).json()), ["ledger.checkpoint-signature"]);
    home.run(&["ledger", "verify", "--proof", "proof.json"]).ends(2);
    let text = home.file("text", "nonsense");
    check(&text, "data/keys/ledger.pub").ends(2);
    // A server that answers with another's proof is not believed.
    let fake = Fake::start(vec![("GET /api/sealyard/v1/ledger/proof", 200, forged.to_string())]);
    home.run(&["ledger", "proof", "7", "--server", &fake.url]).ends(1);
}

#[test]
fn growth_is_proven_by_a_few_hashes() {
    let home = Home::new();
    let data = home.join("data");
    let kept = fill(&data, 5);
    home.file("kept", &kept);
    fill(&data, 7);
    let (_, growth) = proofs(&data, 0, 5);
    let quick = |answer: (u16, String)| {
        let fake = Fake::start(vec![("GET /api/sealyard/v1/ledger/consistency?from=5", answer.0, answer.1)]);
        home.run(&[
            "ledger",
            "verify",
            "--quick",
            "--checkpoint",
            "kept",
            "--verifier-key",
            "data/keys/ledger.pub",
            "--server",
            &fake.url,
            "--format",
            "json",
        ])
    };
    let report = quick((200, growth.to_string())).fine().json();
    assert_eq!(report["size"], 12);
    // The same key signed another past.
    let fork = home.join("fork");
    fill(&fork, 4);
    fill(&fork, 5);
    let (_, other) = proofs(&fork, 0, 5);
    home.file("kept", Checkpoint::sign(5, &sealyard_core::Digest::of(b"another"), &key(1)));
    assert_eq!(rules(&quick((200, other.to_string())).ends(1).json()), ["ledger.rewritten"]);
    home.file("kept", &kept);
    let refused = json!({"error_code": "INVALID_PARAMETER_VALUE", "message": "the log has no 5 entries"});
    assert_eq!(rules(&quick((400, refused.to_string())).ends(1).json()), ["ledger.rollback"]);
    quick((500, "{}".to_owned())).ends(2);
    home.file("kept", Checkpoint::sign(5, &sealyard_core::Digest::of(b"another"), &key(2)));
    assert_eq!(rules(&quick((200, growth.to_string())).ends(1).json()), ["ledger.checkpoint-signature"]);
    home.file("kept", "nonsense");
    quick((200, growth.to_string())).ends(2).says("not a checkpoint");
}

#[test]
fn a_search_shows_what_the_entries_say() {
    let home = Home::new();
    let bytes = json!({"time": 0, "actor": "eve\u{1b}[2J", "outcome": "refused", "act": "access-denied", "resource": "ledger",
        "rule": "authorization"});
    let entry = json!({"index": 3, "bytes": STANDARD.encode(bytes.to_string())});
    let page = |next: Option<&str>, wrong: &[u64]| {
        json!({"entries": [entry], "next_page_token": next, "indexed": 3, "size": 4, "mismatches": wrong}).to_string()
    };
    let fake = Fake::start(vec![
        ("GET /api/sealyard/v1/ledger/search?actor=eve&since=0&limit=1&page_token=0%2D3", 200, page(None, &[])),
        ("GET /api/sealyard/v1/ledger/search?actor=eve&since=0&limit=2", 200, page(Some("0-3"), &[])),
        ("GET /api/sealyard/v1/ledger/search?act=changed", 200, page(None, &[9])),
    ]);
    let search = |more: &[&str]| home.run(&[&["ledger", "search", "--server", &fake.url], more].concat());
    let given = ["--actor", "eve", "--since", "1970-01-01T00:00:00Z"];
    let shown = search(&[&given[..], &["--limit", "2"]].concat()).fine();
    assert_eq!(shown.stdout.lines().count(), 2);
    assert!(!shown.stdout.contains('\u{1b}'), "{}", shown.stdout);
    shown.prints("access-denied").says("it holds 3 of 4 entries");
    let found = search(&[&given[..], &["--limit", "2", "--format", "json"]].concat()).fine().json();
    assert_eq!((&found["complete"], &found["entries"][1]["event"]["rule"]), (&json!(false), &json!("authorization")));
    search(&["--act", "changed"]).ends(1).says("differ at [9]");
    search(&["--since", "soon"]).ends(2);
    search(&["--outcome", "maybe"]).ends(2);
}

#[test]
fn what_is_kept_apart_is_verified_and_may_be_erased() {
    let home = Home::new();
    let data = home.join("data");
    let path = data.join("catalog.sqlite");
    fill(&data, 1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let work = |erase: bool| {
        runtime.block_on(async {
            let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
            let work = store.write(move |tx| {
                let event = |time, act| Event {
                    time: Timestamp::from_millis(time),
                    actor: "ada".into(),
                    source: (!erase).then(|| "203.0.113.9".to_owned()),
                    request_id: None,
                    in_workspace: None,
                    outcome: Outcome::Done,
                    act,
                };
                if erase {
                    let before = Timestamp::from_millis(100);
                    let count = tx.erase_personal(Some("ada"), before)?;
                    tx.record(&event(200, Act::PersonalErased { of: Some("ada".into()), before, count }))?;
                } else {
                    tx.record(&event(50, Act::LoggedIn { method: "password".into() }))?;
                }
                while sequence(tx, &key(1), &FixedClock::at(Timestamp::from_millis(9)), 5)? > 0 {}
                Ok::<_, StoreError>(())
            });
            work.await.unwrap();
        });
    };
    work(false);
    let verify = || home.run(&["ledger", "verify", "--data-dir", "data", "--format", "json"]);
    verify().fine();
    let change = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("UPDATE ledger_personal SET personal = replace(personal, '113.9', '113.8')");
    assert_eq!(rules(&verify().ends(1).json()), ["ledger.personal"]);
    change("UPDATE ledger_personal SET personal = replace(personal, '113.8', '113.9')");
    verify().fine();
    change("UPDATE ledger_personal SET salt = zeroblob(32)");
    assert_eq!(rules(&verify().ends(1).json()), ["ledger.personal"]);
    change("UPDATE ledger_personal SET salt = NULL, personal = NULL");
    assert_eq!(rules(&verify().ends(1).json()), ["ledger.erasure"], "nobody said that it was erased");
    work(true);
    home.run(&["ledger", "verify", "--data-dir", "data"]).fine().says("what they had of persons is erased");
    change("DROP TRIGGER ledger_personal_stays; DELETE FROM ledger_personal");
    assert_eq!(rules(&verify().ends(1).json()), ["ledger.erasure"]);
}

fn witness(seed: u64) -> WitnessKey {
    WitnessKey::generate(&format!("w{seed}"), &FixedRng::seeded(seed)).unwrap()
}

/// The note with a cosignature of that witness from so many seconds ago.
fn cosigned(note: &str, seed: u64, ago: i64) -> String {
    let text = Note::parse(note).unwrap().unverified_text().to_owned();
    let now = Timestamp::from_millis(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64);
    format!("{note}{}", witness(seed).cosign(&text, now.plus_seconds(-ago)))
}

const DAY: i64 = 24 * 60 * 60;

#[test]
fn witnesses_are_asked_for_by_proofs_of_entries_too() {
    let home = Home::new();
    let data = home.join("data");
    fill(&data, 12);
    let (proof, _) = proofs(&data, 7, 5);
    home.file("w.pub", witness(2).verifier().to_string());
    home.file("other.pub", witness(3).verifier().to_string());
    let check = |note: String, more: &[&str]| {
        let mut proof = proof.clone();
        proof["checkpoint"] = json!(note);
        home.file("proof.json", proof.to_string());
        let given = ["ledger", "verify", "--proof", "proof.json", "--verifier-key", "data/keys/ledger.pub"];
        home.run(&[&given[..], &["--format", "json", "--witness-key", "w.pub"], more].concat())
    };
    let bare = proof["checkpoint"].as_str().unwrap();
    assert_eq!(rules(&check(bare.to_owned(), &[]).ends(1).json()), ["ledger.unwitnessed"]);
    assert_eq!(check(cosigned(bare, 2, 900 * DAY), &[]).fine().json()["witnessed"], 12, "it is kept for years");
    let aged = check(cosigned(bare, 2, 2 * DAY), &["--witness-max-age", "1d"]).ends(1).json();
    assert_eq!(rules(&aged), ["ledger.unwitnessed"]);
    let both = check(cosigned(bare, 2, 0), &["--witness-key", "other.pub"]).ends(1).json();
    assert_eq!(rules(&both), ["ledger.unwitnessed"]);
    check(cosigned(bare, 2, 0), &["--witness-key", "other.pub", "--quorum", "1"]).fine();
    check(cosigned(bare, 2, 0), &["--witness-key", "w.pub"]).ends(2).says("named twice");
    check(cosigned(bare, 2, 0), &["--quorum", "2"]).ends(2).says("can't be asked for");
}

#[test]
fn witnesses_are_asked_for_by_quick_looks_too() {
    let home = Home::new();
    let data = home.join("data");
    let kept = fill(&data, 5);
    home.file("kept", &kept);
    let middle = fill(&data, 4);
    let (_, to_middle) = proofs(&data, 0, 5);
    let newest = fill(&data, 3);
    let (at_edge, from_middle) = proofs(&data, 9, 9);
    let (_, from_kept) = proofs(&data, 0, 5);
    let (_, from_newest) = proofs(&data, 0, 12);
    home.file("w.pub", witness(2).verifier().to_string());
    let quick = |cosigned: Option<String>, to_middle: &Value, more: &[&str]| {
        let status = json!({"checkpoint": newest, "size": 12, "time": 0, "verifier_key": key(1).verifier().to_string(),
            "cosigned": cosigned});
        let fake = Fake::start(vec![
            ("GET /api/sealyard/v1/ledger/checkpoint", 200, status.to_string()),
            ("GET /api/sealyard/v1/ledger/consistency?from=5&to=9", 200, to_middle.to_string()),
            ("GET /api/sealyard/v1/ledger/consistency?from=5", 200, from_kept.to_string()),
            ("GET /api/sealyard/v1/ledger/consistency?from=9", 200, from_middle.to_string()),
            ("GET /api/sealyard/v1/ledger/consistency?from=12", 200, from_newest.to_string()),
            ("GET /api/sealyard/v1/ledger/proof?index=9", 200, at_edge.to_string()),
        ]);
        let given = ["ledger", "verify", "--quick", "--checkpoint", "kept", "--verifier-key", "data/keys/ledger.pub"];
        let more = [&["--witness-key", "w.pub", "--server", &fake.url, "--format", "json"], more].concat();
        home.run(&[&given[..], &more].concat())
    };
    // Entries of this log are of 1970: what was not witnessed since then is too old.
    let old = ["--witness-max-age", "any"];
    assert_eq!(quick(Some(cosigned(&middle, 2, 0)), &to_middle, &old).fine().json()["witnessed"], 9);
    assert_eq!(rules(&quick(None, &to_middle, &old).ends(1).json()), ["ledger.unwitnessed"]);
    let behind = quick(Some(cosigned(&middle, 2, 0)), &to_middle, &[]).ends(1).json();
    assert_eq!(rules(&behind), ["ledger.unwitnessed"], "nobody witnessed the rest");
    assert_eq!(
        rules(&quick(Some(cosigned(&middle, 2, 2 * DAY)), &to_middle, &[]).ends(1).json()),
        ["ledger.unwitnessed"]
    );
    // What was cosigned must be between the kept checkpoint and the newest one.
    let fork = Checkpoint::sign(9, &sealyard_core::Digest::of(b"another"), &key(1));
    let forked = quick(Some(cosigned(&fork, 2, 0)), &to_middle, &old).ends(1).json();
    assert_eq!(rules(&forked), ["ledger.rewritten"]);
    home.file("kept", &newest);
    let behind = quick(Some(cosigned(&middle, 2, 0)), &to_middle, &old).ends(1).json();
    assert_eq!(rules(&behind), ["ledger.unwitnessed"], "they cosigned less than is kept");
}

#[test]
fn what_was_cosigned_long_ago_says_nothing_of_today() {
    let home = Home::new();
    let data = home.join("data");
    let note = fill(&data, 7);
    home.file("w.pub", witness(2).verifier().to_string());
    let verify = |note: &str, more: &[&str]| {
        std::fs::write(home.join("data/keys/ledger.checkpoint"), note).unwrap();
        let given = ["ledger", "verify", "--data-dir", "data", "--format", "json", "--witness-key", "w.pub"];
        home.run(&[&given[..], more].concat())
    };
    assert_eq!(verify(&cosigned(&note, 2, 60), &[]).fine().json()["witnessed"], 7);
    assert_eq!(rules(&verify(&cosigned(&note, 2, 2 * DAY), &[]).ends(1).json()), ["ledger.unwitnessed"]);
    verify(&cosigned(&note, 2, 2 * DAY), &["--witness-max-age", "3d"]).fine();
    assert_eq!(rules(&verify(&cosigned(&note, 2, -DAY), &[]).ends(1).json()), ["ledger.unwitnessed"], "from tomorrow");
    // The head must be one of the log's own checkpoints.
    let other = Checkpoint::sign(7, &sealyard_core::Digest::of(b"another"), &key(1));
    assert_eq!(rules(&verify(&cosigned(&other, 2, 0), &[]).ends(1).json()), ["ledger.unwitnessed"]);
    verify(&note, &["--witness-max-age", "soon"]).ends(2);
}
