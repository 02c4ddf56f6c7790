//! The whole catalog goes through a dump and is the same again.

use std::path::Path;
use std::sync::Arc;

use sealyard_core::{FixedClock, Timestamp};
use sealyard_store::model::NewExperiment;
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{DumpItem, DumpReader, DumpValue, LedgerReader, SqliteOptions, SqliteStore, load_sqlite};

fn open(path: &Path) -> Arc<dyn Store> {
    let clock = Arc::new(FixedClock::at(Timestamp::from_millis(5)));
    Arc::new(SqliteStore::open(path, SqliteOptions::new(clock)).unwrap())
}

fn experiment(name: &str) -> NewExperiment {
    NewExperiment { name: name.to_owned(), tags: Vec::new(), created: Timestamp::from_millis(1) }
}

async fn filled(path: &Path) {
    let store = open(path);
    store
        .write(|tx| {
            tx.create_experiment(&experiment("there"))?;
            tx.put_setting("kept", "wert \u{2713} 'quoted' \"twice\"")?;
            tx.put_setting("left out", "x")?;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

fn dump(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reader = LedgerReader::open(path).unwrap();
    let sum = reader.dump(&mut bytes).unwrap();
    assert!(sum.tables > 30 && sum.rows > 3);
    assert_eq!(sum.header.schema, LedgerReader::known_schema());
    bytes
}

/// All rows, by table.
fn rows(dump: &[u8]) -> Vec<(String, Option<i64>, Vec<Vec<DumpValue>>)> {
    let mut reader = DumpReader::new(dump).unwrap();
    let mut found: Vec<(String, Option<i64>, Vec<Vec<DumpValue>>)> = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            DumpItem::Table(table) => found.push((table.table, table.last, Vec::new())),
            DumpItem::Row(row) => found.last_mut().unwrap().2.push(row),
        }
    }
    found
}

#[tokio::test]
async fn a_catalog_that_is_dumped_and_loaded_is_the_same_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    filled(&from).await;
    let first = dump(&from);
    load_sqlite(&to, &mut DumpReader::new(first.as_slice()).unwrap(), &mut |_, _| true).unwrap();
    assert_eq!(rows(&dump(&to)), rows(&first));
    let next = |store: Arc<dyn Store>| async move {
        store.write(|tx| Ok::<_, StoreError>(tx.create_experiment(&experiment("next"))?.id)).await.unwrap()
    };
    assert_eq!(next(open(&to)).await, next(open(&from)).await, "a number is never used again");
    // Nothing is written over.
    let again = load_sqlite(&to, &mut DumpReader::new(first.as_slice()).unwrap(), &mut |_, _| true);
    assert!(matches!(again, Err(StoreError::Invalid(_))));
}

#[tokio::test]
async fn what_is_not_kept_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    filled(&from).await;
    let bytes = dump(&from);
    let text = DumpValue::Text("left out".to_owned());
    let mut keep = |_: &_, row: &[DumpValue]| !row.contains(&text);
    load_sqlite(&to, &mut DumpReader::new(bytes.as_slice()).unwrap(), &mut keep).unwrap();
    let settings = rows(&dump(&to)).into_iter().find(|(table, ..)| table == "settings").unwrap().2;
    assert!(settings.iter().any(|row| row.contains(&DumpValue::Text("kept".to_owned()))));
    assert!(!settings.iter().any(|row| row.contains(&text)));
}

/// The stream is authenticated where backups keep it; read it is with care all the same.
#[tokio::test]
async fn a_dump_that_was_cut_or_changed_is_refused_and_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from");
    filled(&from).await;
    let bytes = dump(&from);
    let read = |bytes: &[u8]| -> Result<(), StoreError> {
        let mut reader = DumpReader::new(bytes)?;
        while reader.next_item()?.is_some() {}
        Ok(())
    };
    read(&bytes).unwrap();
    for length in (0..bytes.len()).step_by(37).chain([bytes.len() - 1]) {
        assert!(read(&bytes[..length]).is_err(), "{length}");
    }
    assert!(read(&[bytes.as_slice(), &[0]].concat()).is_err());
    for position in (0..bytes.len()).step_by(3) {
        let mut changed = bytes.clone();
        changed[position] ^= 0x41;
        let target = folder.path().join(format!("to-{position}"));
        if let Ok(mut reader) = DumpReader::new(changed.as_slice()) {
            if position % 1000 == 0 {
                let _ = load_sqlite(&target, &mut reader, &mut |_, _| true);
            } else {
                while let Ok(Some(_)) = reader.next_item() {}
            }
        }
    }
    // Another release's, and a table that this schema has not.
    let header = String::from_utf8_lossy(&bytes[12..80]).into_owned();
    assert!(header.contains("\"schema\":"));
    let at = bytes.windows(9).position(|window| window == b"\"schema\":").unwrap() + 9;
    let mut newer = bytes;
    newer[at] = b'9';
    let result =
        load_sqlite(&folder.path().join("newer"), &mut DumpReader::new(newer.as_slice()).unwrap(), &mut |_, _| true);
    assert!(matches!(result, Err(StoreError::Newer { .. })));
}
