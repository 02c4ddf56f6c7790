use super::{new_run, path, time};
use crate::model::{Artifact, ArtifactOwner, ObjectUse};
use crate::{StoreError, Transaction};
use sealyard_core::{Digest, Verdict};

/// An artifact of run `r1` with this object and content.
fn put(tx: &mut dyn Transaction, at: &str, object: &str, content: &str) -> Result<Option<String>, StoreError> {
    tx.put_artifact(&Artifact {
        owner: owner(),
        path: path(at),
        object: object.into(),
        digest: Digest::of(content.as_bytes()),
        size: content.len() as u64,
        verdict: Verdict::Safe,
        created: time(9),
        created_by: "ada".into(),
    })
}

fn owner() -> ArtifactOwner {
    ArtifactOwner::Run("r1".into())
}

/// Removes the row of one artifact and releases its object, as the application does.
fn delete(tx: &mut dyn Transaction, at: &str) -> Vec<String> {
    let object = tx.artifact(&owner(), at).unwrap().unwrap().object;
    tx.delete_artifacts_below(&owner(), at).unwrap();
    tx.release_object(&object, time(20)).unwrap()
}

fn uses(tx: &mut dyn Transaction, objects: &[&str]) -> Vec<ObjectUse> {
    let objects: Vec<String> = objects.iter().map(|&object| object.to_owned()).collect();
    tx.object_uses(&objects).unwrap()
}

/// Compares as the application does; gives how many objects gave up their bytes.
pub(super) fn share_all(tx: &mut dyn Transaction) -> usize {
    let mut shared = 0;
    for _ in 0..5 {
        for new in tx.new_objects(100).unwrap() {
            match new.twin {
                None => tx.keep_object(&new.object).unwrap(),
                Some(twin) => shared += usize::from(tx.share_object(&new.object, &twin, time(10)).unwrap()),
            }
        }
    }
    assert!(tx.new_objects(100).unwrap().is_empty());
    shared
}

pub(super) fn the_last_reference_frees_the_bytes(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    for (at, object, content) in [("a", "o1", "same"), ("b", "o2", "same"), ("c", "o3", "same"), ("d", "o4", "other")] {
        put(tx, at, object, content).unwrap();
    }
    assert_eq!(share_all(tx), 2);
    let kept = tx.bytes_of_object("o1").unwrap();
    for object in ["o1", "o2", "o3"] {
        assert_eq!(tx.bytes_of_object(object).unwrap(), kept);
    }
    assert_eq!(tx.bytes_of_object("o4").unwrap(), "o4");
    assert!(tx.object_is_referenced(&kept).unwrap());
    // The row that named the bytes goes first: they stay for the others.
    let mut paths = [("a", "o1"), ("b", "o2"), ("c", "o3")];
    paths.sort_by_key(|(_, object)| *object != kept);
    assert!(delete(tx, paths[0].0).is_empty());
    assert!(delete(tx, paths[1].0).is_empty());
    assert!(tx.object_is_referenced(&kept).unwrap());
    assert_eq!(delete(tx, paths[2].0), std::slice::from_ref(&kept));
    assert_eq!(uses(tx, &[&kept, "o4", "o9"]), [ObjectUse::Gone, ObjectUse::InUse, ObjectUse::Unknown]);
    assert_eq!(delete(tx, "d"), ["o4"]);
}

pub(super) fn what_was_removed_stays_removed(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    put(tx, "a", "o1", "same").unwrap();
    share_all(tx);
    put(tx, "b", "o2", "same").unwrap();
    assert_eq!(delete(tx, "a"), ["o1"]);
    // What lost its last reference is nobody's twin, and no row can name it again.
    assert_eq!(tx.new_objects(9).unwrap()[0].twin, None);
    assert!(!tx.share_object("o2", "o1", time(11)).unwrap());
    assert!(matches!(put(tx, "c", "o1", "same"), Err(StoreError::Busy)));
    assert!(!tx.retire_unknown_object("o2", time(11)).unwrap(), "it has a row");
    assert!(tx.retire_unknown_object("o7", time(11)).unwrap());
    assert!(matches!(put(tx, "c", "o7", "new"), Err(StoreError::Busy)));
    assert_eq!(tx.forget_retired_objects(time(11)).unwrap(), 0);
    assert_eq!(tx.forget_retired_objects(time(21)).unwrap(), 2);
    assert_eq!(uses(tx, &["o1", "o2", "o7"]), [ObjectUse::Unknown, ObjectUse::InUse, ObjectUse::Unknown]);
    assert!(tx.unused_sharers(9).unwrap().is_empty());
}

pub(super) fn bytes_that_are_not_right_are_not_shared(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    put(tx, "a", "o1", "same").unwrap();
    share_all(tx);
    put(tx, "b", "o2", "same").unwrap();
    tx.distrust_object("o1").unwrap();
    assert!(!tx.share_object("o2", "o1", time(11)).unwrap());
    assert_eq!(share_all(tx), 0);
    put(tx, "c", "o3", "same").unwrap();
    assert_eq!(share_all(tx), 1);
    assert_eq!(tx.bytes_of_object("o3").unwrap(), "o2");
    // Neither another content nor itself.
    put(tx, "d", "o4", "other").unwrap();
    assert!(!tx.share_object("o4", "o2", time(11)).unwrap());
    assert!(!tx.share_object("o4", "o4", time(11)).unwrap());
}
