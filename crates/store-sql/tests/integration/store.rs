use std::sync::Arc;
use std::time::{Duration, Instant};

use sealyard_core::{Digest, FileEntry, FileTree, FixedClock, Timestamp, TreePath, Verdict};
use sealyard_store::model::{
    Comparison, Condition, Field, NewModelVersion, NewRun, Operand, Pair, RunQuery, VersionFile,
};
use sealyard_store::{Store, StoreError, WorkspaceKey};
use sealyard_store_sql::{SqliteOptions, SqliteStore};

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    for round in 0..3 {
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(round)));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::new(clock)).unwrap());
        store.write(move |tx| tx.put_setting(&format!("round {round}"), "here")).await.unwrap();
        for earlier in 0..=round {
            let value = store.read(move |tx| tx.setting(&format!("round {earlier}"))).await.unwrap();
            assert_eq!(value.as_deref(), Some("here"));
        }
        let default = store.read(|tx| tx.experiment("0")).await.unwrap().unwrap();
        assert_eq!(default.created, Timestamp::from_millis(0), "made once");
    }
}

/// A destroyed key of a workspace is in no file of the catalog: not in its page, and not in the log, even when somebody reads while
/// it is destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_of_a_workspace_is_gone_from_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    let sealed: Vec<u8> = (0..160_u8).map(|byte| byte.wrapping_mul(37) ^ 0x5a).collect();
    let is_there = || {
        let files =
            std::fs::read_dir(directory.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(64).any(|window| window == &sealed[48..112]))
    };
    let key = WorkspaceKey { workspace: 7, key: "0011223344556677".into(), sealed: sealed.clone() };
    store.write(move |tx| tx.put_workspace_key(&key, Timestamp::from_millis(1))).await.unwrap();
    assert!(is_there());
    let reading = Arc::clone(&store);
    let (began, begin) = tokio::sync::oneshot::channel();
    let reader = tokio::spawn(async move {
        let read = move |tx: &mut dyn sealyard_store::Transaction| {
            let found = tx.workspace_key(7)?;
            let _ = began.send(());
            std::thread::sleep(Duration::from_millis(1500));
            Ok::<_, StoreError>(found)
        };
        reading.read(read).await
    });
    begin.await.unwrap();
    store.write(|tx| tx.destroy_workspace_key(7)).await.unwrap();
    assert!(is_there(), "the reader still sees what was");
    assert!(reader.await.unwrap().unwrap().is_some());
    let until = Instant::now() + Duration::from_secs(10);
    while is_there() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!is_there());
}

#[tokio::test]
async fn too_much_work_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions { queue: 1, ..SqliteOptions::default() };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&directory.path().join("catalog.db"), options).unwrap());
    let (release, hold) = std::sync::mpsc::channel::<()>();
    let (began, begin) = std::sync::mpsc::channel::<()>();
    let (done, blocked) = tokio::sync::oneshot::channel();
    store.submit_write(
        Box::new(move |_| {
            let _ = began.send(());
            let _ = hold.recv();
            Ok(())
        }),
        done,
    );
    begin.recv().unwrap();
    let (done, waiting) = tokio::sync::oneshot::channel();
    store.submit_write(Box::new(|_| Ok(())), done);
    let refused = store.write(|_| Ok::<_, StoreError>(())).await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    release.send(()).unwrap();
    blocked.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn dropping_the_store_finishes_what_was_handed_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let (done, committed) = tokio::sync::oneshot::channel();
    store.submit_write(Box::new(|tx| tx.put_setting("a", "b").map_err(|_| sealyard_store::Rollback)), done);
    drop(store);
    committed.await.unwrap().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    assert_eq!(store.read(|tx| tx.setting("a")).await.unwrap().as_deref(), Some("b"));
}

#[tokio::test]
async fn a_short_read_does_not_wait_for_long_ones() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions { readers: 1, ..SqliteOptions::default() };
    let store = SqliteStore::open(&directory.path().join("catalog.db"), options).unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (done, ended) = tokio::sync::oneshot::channel();
    let long = move |_: &mut dyn sealyard_store::Transaction| {
        let _ = held.recv();
        Ok(())
    };
    store.submit_read(Box::new(long), done);
    let store: Arc<dyn Store> = Arc::new(store);
    let short = tokio::time::timeout(Duration::from_secs(20), store.read_short(|tx| tx.setting("a"))).await;
    assert_eq!(short.unwrap().unwrap(), None);
    drop(release);
    ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_endless_search_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions { read_limit: Duration::from_secs(1), ..SqliteOptions::default() };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&directory.path().join("catalog.db"), options).unwrap());
    store
        .write(|tx| {
            for number in 0..2000 {
                tx.create_run(&NewRun {
                    id: format!("{number:032x}"),
                    experiment_id: "0".into(),
                    name: "run".into(),
                    user: "eve".into(),
                    created_by: "eve".into(),
                    start: Timestamp::from_millis(number),
                    tags: vec![Pair::new("long", "a".repeat(8000))],
                })?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let search = |pattern: &str| RunQuery {
        experiments: vec!["0".into()],
        filter: vec![Condition {
            field: Field::Tag("long".into()),
            comparison: Comparison::Like,
            operand: Operand::Text(pattern.into()),
        }],
        limit: 1,
        ..RunQuery::default()
    };
    let slow = search(&format!("%{}b%", "a_".repeat(400)));
    let begin = Instant::now();
    let stopped = store
        .read(move |tx| {
            while tx.search_runs(&slow)?.items.is_empty() {}
            Ok::<_, StoreError>(())
        })
        .await;
    assert!(matches!(stopped, Err(StoreError::TooLong)), "{stopped:?}");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    let quick = search("a%");
    assert_eq!(store.read(move |tx| tx.search_runs(&quick).map(|page| page.items.len())).await.unwrap(), 1);
}

#[tokio::test]
async fn a_manifest_that_was_changed_is_not_given_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let file = TreePath::new("model.pkl").unwrap();
    let entry = FileEntry { path: file.clone(), size: 3, digest: Digest::of(b"abc"), executable: false };
    let new = NewModelVersion {
        name: "fraud".into(),
        description: String::new(),
        source: "models:/m-1".into(),
        run_id: None,
        model_id: None,
        experiment_id: "0".into(),
        created: Timestamp::from_millis(1),
        created_by: "ada".into(),
        tags: vec![],
        tree: FileTree::new([entry]).unwrap(),
        files: vec![VersionFile { path: file, object: "object".into() }],
        verdict: Verdict::Safe,
        location: None,
    };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    store
        .write(move |tx| {
            tx.create_registered_model("fraud", "", &[], "ada", Timestamp::from_millis(1))?;
            tx.create_model_version(&new)?;
            tx.model_version_files("fraud", 1)
        })
        .await
        .unwrap();
    let changed = Digest::of(b"evil");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE version_files SET digest = ?1", [changed.as_bytes()]).unwrap();
    let refused = store.read(|tx| tx.model_version_files("fraud", 1)).await;
    assert!(matches!(refused, Err(StoreError::Backend(_))), "{refused:?}");
}
