//! PostgreSQL is killed and started again, again and again, while many write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sealyard_core::{Rng, SystemRng};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{PostgresOptions, PostgresStore};

use super::server::Server;

const ROUNDS: usize = 4;
const WRITERS: usize = 8;

/// Each piece of work writes these, so that a half of it would be seen.
const PARTS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_killed_server() {
    let server = Arc::new(Server::start());
    let url = server.empty().await;
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url, PostgresOptions::default()).unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let refused = Arc::new(Mutex::new(Vec::new()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (store, over) = (Arc::clone(&store), Arc::clone(&over));
            let (acknowledged, refused) = (Arc::clone(&acknowledged), Arc::clone(&refused));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let id = (&SystemRng as &dyn Rng).hex_id();
                    let name = id.clone();
                    let written = store
                        .write(move |tx| {
                            for part in 0..PARTS {
                                tx.put_setting(&format!("{name} {part}"), "1")?;
                            }
                            Ok::<_, StoreError>(())
                        })
                        .await;
                    match written {
                        Ok(()) => acknowledged.lock().unwrap().push(id),
                        Err(StoreError::Unavailable) => {
                            refused.lock().unwrap().push(id);
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        Err(other) => panic!("not an error to try again after: {other:?}"),
                    }
                }
            })
        })
        .collect();
    for round in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(300 + 170 * round as u64)).await;
        let before = acknowledged.lock().unwrap().len();
        let commanding = Arc::clone(&server);
        tokio::task::spawn_blocking(move || {
            commanding.command("kill");
            commanding.command("start");
        })
        .await
        .unwrap();
        // The writers go on by themselves.
        let mut waited = 0;
        while acknowledged.lock().unwrap().len() <= before {
            tokio::time::sleep(Duration::from_millis(20)).await;
            waited += 1;
            assert!(waited < 1500, "nothing is written any more after round {round}");
        }
    }
    over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    let refused = std::mem::take(&mut *refused.lock().unwrap());
    assert!(!refused.is_empty(), "no writer noticed that the server was killed");
    assert!(acknowledged.len() > ROUNDS * 10, "{}", acknowledged.len());
    let parts = move |tx: &mut dyn sealyard_store::Transaction, id: &str| -> Result<usize, StoreError> {
        let mut count = 0;
        for part in 0..PARTS {
            count += usize::from(tx.setting(&format!("{id} {part}"))?.is_some());
        }
        Ok(count)
    };
    let ids = acknowledged.into_iter().map(|id| (id, true)).chain(refused.into_iter().map(|id| (id, false)));
    for some in ids.collect::<Vec<_>>().chunks(500) {
        let some = some.to_vec();
        store
            .read(move |tx| {
                for (id, acknowledged) in &some {
                    let count = parts(tx, id)?;
                    assert!(count == PARTS || count == 0 && !acknowledged, "{id}: {count} of {PARTS}, {acknowledged}");
                }
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_while_nothing_happens_is_not_noticed() {
    let server = Arc::new(Server::start());
    let url = server.empty().await;
    let options = PostgresOptions { readers: 1, ..PostgresOptions::default() };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url, options).unwrap());
    for round in 0..3 {
        store.write(move |tx| tx.put_setting("round", &round.to_string())).await.unwrap();
        assert_eq!(store.read(|tx| tx.setting("round")).await.unwrap(), Some(round.to_string()));
        let commanding = Arc::clone(&server);
        tokio::task::spawn_blocking(move || commanding.command("restart")).await.unwrap();
    }
}
