use super::{new_version, time};
use crate::model::{NewVersionRecord, Pair};
use crate::{StoreError, Transaction};
use sealyard_core::{Digest, Verdict};

pub(super) fn have_no_files(tx: &mut dyn Transaction) {
    let new = NewVersionRecord {
        name: "fraud".into(),
        description: "d".into(),
        source: "s3://bucket/model".into(),
        run_id: Some("r".into()),
        model_id: None,
        created: time(50),
        created_by: "ada".into(),
        tags: vec![Pair::new("a", "1")],
        placeholder: Digest::of(b"s3://bucket/model"),
        location: Some("s3://bucket/other".into()),
    };
    assert!(matches!(tx.record_model_version(&new), Err(StoreError::NotFound { .. })));
    tx.create_registered_model("fraud", "", &[], "ada", time(10)).unwrap();
    assert!(!tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap().is_record);
    let made = tx.record_model_version(&new).unwrap();
    assert_eq!((made.version, made.verdict, made.is_record), (2, Verdict::NotAssessed, true));
    assert_eq!((made.source.as_str(), made.location.as_deref()), ("s3://bucket/model", Some("s3://bucket/other")));
    assert_eq!((made.run_id.as_deref(), made.tags.as_slice()), (Some("r"), new.tags.as_slice()));
    assert_eq!(tx.model_version("fraud", 2).unwrap(), Some(made));
    assert!(matches!(tx.model_version_files("fraud", 2), Err(StoreError::Conflict(_))));
    assert_eq!(tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap().version, 3);
    tx.registered_model_changed("fraud", time(99)).unwrap();
    assert_eq!(tx.registered_model("fraud").unwrap().unwrap().updated, time(99));
    assert!(matches!(tx.registered_model_changed("none", time(99)), Err(StoreError::NotFound { .. })));
}
