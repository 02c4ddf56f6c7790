use super::{new_run, path, time};
use crate::model::{ArtifactOwner, ObjectUse, PartedUpload, UploadPart, UploadState};
use crate::{StoreError, Transaction};
use sealyard_core::Digest;

fn part(number: u32, object: &str, size: u64) -> UploadPart {
    UploadPart { number, object: object.into(), digest: Digest::of(object.as_bytes()), size }
}

fn begin(tx: &mut dyn Transaction) -> PartedUpload {
    tx.create_run(&new_run("r1", 5)).unwrap();
    let upload = PartedUpload {
        id: "u1".into(),
        owner: ArtifactOwner::Run("r1".into()),
        path: path("big"),
        parts: 3,
        created_by: "ada".into(),
        created: time(7),
        state: UploadState::Open,
    };
    tx.begin_upload(&upload).unwrap();
    upload
}

pub(super) fn parts_come_and_go(tx: &mut dyn Transaction) {
    let upload = begin(tx);
    assert_eq!(tx.upload("u1").unwrap(), Some(upload.clone()));
    assert_eq!(tx.upload("u2").unwrap(), None);
    assert!(matches!(tx.begin_upload(&upload), Err(StoreError::AlreadyExists { .. })));
    assert_eq!((tx.count_open_uploads("ada").unwrap(), tx.count_open_uploads("bob").unwrap()), (1, 0));
    for (number, object) in [(2, "p2"), (1, "p1")] {
        assert_eq!(tx.put_upload_part("u1", &part(number, object, 10), 25, time(8)).unwrap(), None);
    }
    assert!(matches!(tx.put_upload_part("u1", &part(3, "p3", 6), 25, time(8)), Err(StoreError::Conflict(_))));
    // One of the same number counts in place of the one that was there.
    assert_eq!(tx.put_upload_part("u1", &part(2, "p4", 15), 25, time(8)).unwrap().as_deref(), Some("p2"));
    assert_eq!(tx.release_object("p2", time(9)).unwrap(), ["p2"]);
    assert_eq!(tx.upload_parts("u1").unwrap(), [part(1, "p1", 10), part(2, "p4", 15)]);
    assert!(tx.object_is_referenced("p1").unwrap());
    assert!(tx.new_objects(9).unwrap().is_empty(), "parts are not compared");
    assert!(!tx.retire_unknown_object("p1", time(9)).unwrap());
    assert_eq!(tx.object_uses(&["p1".into(), "p2".into()]).unwrap(), [ObjectUse::InUse, ObjectUse::Gone]);
    assert_eq!(tx.uploads_begun_before(time(7), 9).unwrap(), Vec::<String>::new());
    assert_eq!(tx.uploads_begun_before(time(8), 9).unwrap(), ["u1"]);
    assert_eq!(tx.remove_upload("u1").unwrap(), ["p1", "p4"]);
    assert_eq!(tx.release_object("p1", time(9)).unwrap(), ["p1"]);
    assert!(matches!(tx.remove_upload("u1"), Err(StoreError::NotFound { .. })));
}

pub(super) fn only_an_open_one_takes_parts(tx: &mut dyn Transaction) {
    begin(tx);
    tx.put_upload_part("u1", &part(1, "p1", 1), 9, time(8)).unwrap();
    assert!(tx.set_upload_state("u1", UploadState::Open, UploadState::Completing).unwrap());
    assert!(!tx.set_upload_state("u1", UploadState::Open, UploadState::Completing).unwrap());
    assert!(matches!(tx.put_upload_part("u1", &part(2, "p2", 1), 9, time(8)), Err(StoreError::Conflict(_))));
    assert!(matches!(tx.put_upload_part("u9", &part(2, "p2", 1), 9, time(8)), Err(StoreError::Conflict(_))));
    assert!(tx.set_upload_state("u1", UploadState::Completing, UploadState::Done).unwrap());
    assert_eq!(tx.remove_upload_parts("u1").unwrap(), ["p1"]);
    assert_eq!(tx.count_open_uploads("ada").unwrap(), 0);
    // What was removed can't come back as a part.
    assert_eq!(tx.release_object("p1", time(9)).unwrap(), ["p1"]);
    assert!(tx.set_upload_state("u1", UploadState::Done, UploadState::Open).unwrap());
    assert!(matches!(tx.put_upload_part("u1", &part(1, "p1", 1), 9, time(8)), Err(StoreError::Busy)));
}
