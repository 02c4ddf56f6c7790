//! The power cut: a process that writes is killed at a random point, again and again, on the same database.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sealyard_core::{FixedRng, Rng, SystemClock, SystemRng, Timestamp};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome, verify};
use sealyard_store::ledger::sequence;
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{LedgerReader, SqliteOptions, SqliteStore};

/// Set in the child: the database it writes to.
const CHILD: &str = "SEALYARD_KILL_TEST_DATABASE";
const ROUNDS: usize = 8;

fn key() -> LedgerKey {
    LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap()
}

/// The child's part; without its variable it is not a test.
#[test]
fn kill_test_child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(Path::new(&path), SqliteOptions::default()).unwrap());
        let writers = (0..4).map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                loop {
                    let id = (&SystemRng as &dyn Rng).hex_id();
                    let name = id.clone();
                    store
                        .write(move |tx| {
                            tx.put_setting(&format!("written {name}"), "1")?;
                            tx.record(&Event {
                                time: Timestamp::from_millis(writer),
                                actor: "ada".into(),
                                source: None,
                                request_id: None,
                                in_workspace: None,
                                outcome: Outcome::Done,
                                act: Act::RunCreated { id: name, experiment: "0".into() },
                            })
                        })
                        .await
                        .unwrap();
                    // Acknowledged, in one write so that lines don't mix.
                    std::io::stdout().lock().write_all(format!("\nack {id}\n").as_bytes()).unwrap();
                }
            })
        });
        let _writers: Vec<_> = writers.collect();
        loop {
            store.write(|tx| sequence(tx, &key(), &SystemClock, 50)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

#[tokio::test]
async fn what_was_acknowledged_survives_being_killed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let mut acknowledged = Vec::new();
    for _ in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::kill_test_child", "--nocapture", "--test-threads=1"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.filter_map(|line| line.strip_prefix("ack ").map(str::to_owned)).collect::<Vec<_>>()
        });
        let [random, ..] = (&SystemRng as &dyn Rng).bytes::<1>();
        tokio::time::sleep(Duration::from_millis(150 + u64::from(random))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        // A line that was cut off has no full id.
        acknowledged.extend(reading.join().unwrap().into_iter().filter(|id| id.len() == 32));
    }
    assert!(acknowledged.len() > ROUNDS, "the child wrote too little to say anything");

    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    let count = acknowledged.len() as u64;
    let (missing, total) = store
        .write(move |tx| {
            while sequence(tx, &key(), &SystemClock, 1000)? > 0 {}
            let mut missing = Vec::new();
            for id in acknowledged {
                if tx.setting(&format!("written {id}"))?.is_none() {
                    missing.push(id);
                }
            }
            Ok::<_, StoreError>((missing, tx.entry_count()?))
        })
        .await
        .unwrap();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(total >= count, "{total} entries for {count} acknowledged writes");
    drop(store);

    let reader = LedgerReader::open(&path).unwrap();
    let notes: Vec<String> = reader.checkpoints().unwrap().into_iter().map(|checkpoint| checkpoint.note).collect();
    let report = verify(reader.entries(), notes, &key().verifier(), None).unwrap();
    assert!(report.ok, "{report:?}");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
