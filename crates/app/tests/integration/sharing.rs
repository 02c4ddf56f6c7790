//! The same bytes are stored once; what nobody refers to goes, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use sealyard_identity::ExperimentId;
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::ArtifactOwner;

use crate::harness::{TestApp, read, refused_by};

async fn content_of(test: &TestApp, experiment: &ExperimentId, owner: &ArtifactOwner, path: &str) -> Vec<u8> {
    let (bytes, error) = read(test.get(experiment, owner, path).await.unwrap()).await;
    assert!(error.is_none(), "{path}: {error:?}");
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_files_of_different_experiments_are_stored_once() {
    let test = TestApp::new().await;
    let (one, two) = (test.experiment("one").await, test.experiment("two").await);
    let (of_one, of_two) = (test.run(&one).await, test.run(&two).await);
    let content = vec![7; 300_000];
    test.put(&one, &of_one, "a", &content).await.unwrap();
    test.put(&two, &of_two, "b", &content).await.unwrap();
    test.put(&two, &of_two, "other", b"other").await.unwrap();
    assert_eq!(test.objects(), (3, 0), "an upload itself compares nothing, so that its time tells nothing");
    assert_eq!(test.app.share_equal_objects().await.unwrap(), 1);
    assert_eq!(test.objects(), (2, 0));
    assert_eq!(content_of(&test, &one, &of_one, "a").await, content);
    assert_eq!(content_of(&test, &two, &of_two, "b").await, content);
    test.app.remove_leftovers().await.unwrap();
    assert_eq!(test.objects(), (2, 0));
    test.delete(&one, &of_one, "a").await.unwrap();
    assert_eq!(test.objects(), (2, 0));
    assert_eq!(content_of(&test, &two, &of_two, "b").await, content);
    test.delete(&two, &of_two, "b").await.unwrap();
    assert_eq!(test.objects(), (1, 0));
    // What was removed is no twin of what comes again.
    test.put(&one, &of_one, "a", &content).await.unwrap();
    assert_eq!(test.app.share_equal_objects().await.unwrap(), 0);
    assert_eq!(content_of(&test, &one, &of_one, "a").await, content);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_share_bytes_change_apart() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let (one, two) = (test.run(&experiment).await, test.run(&experiment).await);
    for owner in [&one, &two] {
        test.put(&experiment, owner, "same.txt", b"same").await.unwrap();
    }
    test.app.share_equal_objects().await.unwrap();
    test.put(&experiment, &two, "same.txt", b"changed").await.unwrap();
    assert_eq!(content_of(&test, &experiment, &one, "same.txt").await, b"same");
    assert_eq!(content_of(&test, &experiment, &two, "same.txt").await, b"changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_bytes_are_never_shared() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let content = vec![9; 100_000];
    let first = test.put(&experiment, &owner, "first", &content).await.unwrap();
    test.app.share_equal_objects().await.unwrap();
    test.change_a_byte(&first.object);
    for name in ["second", "third"] {
        test.put(&experiment, &owner, name, &content).await.unwrap();
    }
    assert_eq!(test.app.share_equal_objects().await.unwrap(), 1, "the two good ones");
    assert_eq!(test.objects(), (2, 0));
    for name in ["second", "third"] {
        assert_eq!(content_of(&test, &experiment, &owner, name).await, content);
    }
    refused_by(test.get(&experiment, &owner, "first").await, "vault.authentication");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_equal_files_come_go_and_are_collected_at_once() {
    let test = Arc::new(TestApp::new().await);
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let keeping = {
        let (test, stop) = (Arc::clone(&test), Arc::clone(&stop));
        tokio::spawn(async move {
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                test.app.share_equal_objects().await.unwrap();
                test.app.remove_leftovers().await.unwrap();
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        })
    };
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let (test, experiment, owner) = (Arc::clone(&test), experiment.clone(), owner.clone());
            tokio::spawn(async move {
                let path = format!("file-{writer}");
                for round in 0..12_u8 {
                    // Two contents, so that both sharing and parting happen all the time.
                    let content = vec![round % 2; 70_000];
                    test.put(&experiment, &owner, &path, &content).await.unwrap();
                    assert!(content_of(&test, &experiment, &owner, &path).await == content, "{path} {round}");
                    if round % 5 == 4 {
                        test.delete(&experiment, &owner, &path).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    keeping.await.unwrap();
    for writer in 0..6 {
        assert!(content_of(&test, &experiment, &owner, &format!("file-{writer}")).await == vec![1; 70_000]);
    }
    test.app.share_equal_objects().await.unwrap();
    test.app.remove_leftovers().await.unwrap();
    assert_eq!(test.objects(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_removes_nothing_and_a_collection_is_told_of() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let owner = test.run(&experiment).await;
    test.put(&experiment, &owner, "kept", b"kept").await.unwrap();
    let left = test.vault.begin().unwrap().seal().unwrap();
    test.vault.commit(&left).unwrap();
    let may = test.administer().await;
    let looked = test.app.collect_garbage(&test.admin, &may, true).await.unwrap();
    assert_eq!((looked.stored, looked.unused, looked.dry_run), (2, 1, true));
    assert_eq!(test.objects(), (2, 0));
    let removed = test.app.collect_garbage(&test.admin, &may, false).await.unwrap();
    assert_eq!((removed.unused, removed.unused_bytes), (1, looked.unused_bytes));
    assert_eq!(test.objects(), (1, 0));
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::ObjectsCollected { removed: 1, .. })).await, 1);
    assert_eq!(content_of(&test, &experiment, &owner, "kept").await, b"kept");
}

/// What a backup's snapshot refers to must be there until it has been copied.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_while_a_backup_holds_and_all_of_it_after() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let (one, two) = (test.run(&experiment).await, test.run(&experiment).await);
    for owner in [&one, &two] {
        test.put(&experiment, owner, "same", &[7; 1000]).await.unwrap();
        test.put(&experiment, owner, "deleted", b"deleted").await.unwrap();
        test.put(&experiment, owner, "replaced", b"before").await.unwrap();
    }
    let hold = |until: &'static str| test.write(move |tx| tx.put_setting(sealyard_store::BACKUP_HOLD, until));
    hold("9000000000000").await;
    test.app.share_equal_objects().await.unwrap();
    test.delete(&experiment, &one, "deleted").await.unwrap();
    test.put(&experiment, &one, "replaced", b"after").await.unwrap();
    test.app.remove_leftovers().await.unwrap();
    assert_eq!(test.objects(), (7, 0), "all that there ever was");
    hold("1").await;
    test.app.remove_leftovers().await.unwrap();
    assert_eq!(content_of(&test, &experiment, &one, "same").await, [7; 1000]);
    assert_eq!(content_of(&test, &experiment, &one, "replaced").await, b"after");
    let left = test.objects().0;
    assert!(left < 7, "{left}");
}
