use std::sync::Arc;

use sealyard_core::{FixedClock, Timestamp};
use sealyard_store::conformance;
use sealyard_store_sql::{SqliteOptions, SqliteStore};

fn open(directory: &std::path::Path) -> SqliteStore {
    let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_000)));
    let options = SqliteOptions::new(clock);
    options.seals.set(&[7; 32]);
    SqliteStore::open(&directory.join("catalog.db"), options).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    conformance::all(|| async {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = directory.path().join(number.to_string());
        std::fs::create_dir(&path).unwrap();
        Arc::new(open(&path)) as Arc<dyn sealyard_store::Store>
    })
    .await;
}
