use super::{new_version, path, time, tree};
use crate::model::{Comparison, Condition, Field, NewModelVersion, Operand, Pair, VersionFile, VersionStatus};
use crate::{StoreError, Transaction};
use sealyard_core::{Digest, Verdict};

fn make(tx: &mut dyn Transaction, name: &str) {
    tx.create_registered_model(name, "", &[], "ada", time(10)).unwrap();
}

pub(super) fn models(tx: &mut dyn Transaction) {
    let tags = [Pair::new("a", "1")];
    let made = tx.create_registered_model("fraud", "finds it", &tags, "ada", time(10)).unwrap();
    assert_eq!(tx.registered_model("fraud").unwrap().as_ref(), Some(&made));
    assert_eq!((made.tags.as_slice(), made.created_by.as_str()), (tags.as_slice(), "ada"));
    assert!(matches!(
        tx.create_registered_model("fraud", "", &[], "eve", time(11)),
        Err(StoreError::AlreadyExists { .. })
    ));
    make(tx, "other");
    assert!(matches!(tx.rename_registered_model("fraud", "other", time(12)), Err(StoreError::AlreadyExists { .. })));
    let renamed = tx.rename_registered_model("fraud", "fraud-2", time(13)).unwrap();
    assert_eq!((renamed.name.as_str(), renamed.updated), ("fraud-2", time(13)));
    assert_eq!(tx.describe_registered_model("fraud-2", "new", time(14)).unwrap().description, "new");
    tx.set_registered_model_tag("fraud-2", "a", "2").unwrap();
    tx.delete_registered_model_tag("fraud-2", "a").unwrap();
    assert!(tx.registered_model("fraud").unwrap().is_none());
    tx.delete_registered_model("fraud-2").unwrap();
    assert!(matches!(tx.delete_registered_model("fraud-2"), Err(StoreError::NotFound { .. })));
}

pub(super) fn versions_are_numbered_once(tx: &mut dyn Transaction) {
    make(tx, "fraud");
    let first = tx.create_model_version(&new_version("fraud", &["MLmodel", "model.pkl"])).unwrap();
    assert_eq!((first.version, first.status, first.published), (1, VersionStatus::Ready, None));
    assert_eq!((first.stage.as_str(), first.verdict), ("None", Verdict::Safe));
    assert_eq!(tx.model_version("fraud", 1).unwrap().as_ref(), Some(&first));
    assert_eq!(tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap().version, 2);
    tx.delete_model_version("fraud", 2).unwrap();
    assert!(tx.model_version("fraud", 2).unwrap().is_none());
    assert_eq!(tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap().version, 3, "2 is used up");
    assert!(matches!(tx.create_model_version(&new_version("none", &["MLmodel"])), Err(StoreError::NotFound { .. })));
    assert_eq!(tx.describe_model_version("fraud", 1, "d", time(60)).unwrap().description, "d");
    assert_eq!(tx.set_model_version_stage("fraud", 1, "Staging", time(61)).unwrap().stage, "Staging");
    tx.set_model_version_tag("fraud", 1, "a", "1").unwrap();
    assert_eq!(tx.model_version("fraud", 1).unwrap().unwrap().tags, [Pair::new("a", "1")]);
    tx.delete_model_version_tag("fraud", 1, "a").unwrap();
    assert!(matches!(tx.delete_model_version("fraud", 9), Err(StoreError::NotFound { .. })));
}

pub(super) fn the_manifest_is_frozen(tx: &mut dyn Transaction) {
    make(tx, "fraud");
    let files = ["MLmodel", "data/model.pkl"];
    let made = tx.create_model_version(&new_version("fraud", &files)).unwrap();
    let (read, objects) = tx.model_version_files("fraud", 1).unwrap();
    assert_eq!((&read, read.digest()), (&tree(&files), made.tree));
    assert_eq!(objects, new_version("fraud", &files).files);
    assert!(tx.object_is_referenced("object of MLmodel").unwrap());
    let good = new_version("fraud", &files);
    let missing = NewModelVersion { files: good.files[..1].to_vec(), ..good.clone() };
    let other = VersionFile { path: path("other"), object: "o".into() };
    let wrong = NewModelVersion { files: vec![good.files[0].clone(), other.clone()], ..good.clone() };
    let mut more = good.files.clone();
    more.push(other);
    let extra = NewModelVersion { files: more, ..good };
    for bad in [missing, wrong, extra] {
        assert!(matches!(tx.create_model_version(&bad), Err(StoreError::Invalid(_))));
    }
}

pub(super) fn published_versions_stay(tx: &mut dyn Transaction) {
    make(tx, "fraud");
    tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap();
    tx.mark_published("fraud", 1, Digest::of(b"attestation"), time(70)).unwrap();
    assert_eq!(tx.model_version("fraud", 1).unwrap().unwrap().published, Some(Digest::of(b"attestation")));
    assert!(matches!(tx.delete_model_version("fraud", 1), Err(StoreError::Conflict(_))));
    assert!(matches!(tx.delete_registered_model("fraud"), Err(StoreError::Conflict(_))));
    assert!(tx.model_version("fraud", 1).unwrap().is_some());
}

pub(super) fn aliases(tx: &mut dyn Transaction) {
    make(tx, "fraud");
    for _ in 0..2 {
        tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap();
    }
    tx.set_alias("fraud", "champion", 1, time(80)).unwrap();
    tx.set_alias("fraud", "champion", 2, time(81)).unwrap();
    tx.set_alias("fraud", "old", 1, time(82)).unwrap();
    assert_eq!(tx.version_by_alias("fraud", "champion").unwrap(), Some(2));
    assert_eq!(tx.model_version("fraud", 2).unwrap().unwrap().aliases, ["champion"]);
    let aliases = tx.registered_model("fraud").unwrap().unwrap().aliases;
    assert_eq!(aliases, [("champion".to_owned(), 2), ("old".to_owned(), 1)]);
    assert!(matches!(tx.set_alias("fraud", "x", 9, time(83)), Err(StoreError::NotFound { .. })));
    tx.delete_model_version("fraud", 2).unwrap();
    assert_eq!(tx.version_by_alias("fraud", "champion").unwrap(), None, "an alias goes with its version");
    tx.delete_alias("fraud", "old").unwrap();
    assert!(matches!(tx.delete_alias("fraud", "old"), Err(StoreError::NotFound { .. })));
}

pub(super) fn search(tx: &mut dyn Transaction) {
    for name in ["beta", "alpha", "Gamma"] {
        make(tx, name);
        tx.create_model_version(&new_version(name, &["MLmodel"])).unwrap();
    }
    tx.create_model_version(&new_version("alpha", &["MLmodel", "b"])).unwrap();
    let when = |name, comparison, text: &str| {
        let operand = Operand::Text(text.into());
        vec![Condition { field: Field::Attribute(name), comparison, operand }]
    };
    let mut models = |filter: &[Condition], visible: Option<&[String]>| -> Vec<String> {
        let page = tx.search_registered_models(filter, &[], visible, 10, None).unwrap();
        page.items.into_iter().map(|model| model.name).collect()
    };
    assert_eq!(models(&[], None), ["Gamma", "alpha", "beta"]);
    assert_eq!(models(&when("name", Comparison::ILike, "%G%"), None), ["Gamma"]);
    assert_eq!(models(&[], Some(&["beta".into(), "zeta".into()])), ["beta"]);
    assert!(models(&[], Some(&[])).is_empty());
    let mut versions = |filter: &[Condition], visible: Option<&[String]>| -> Vec<(String, u32)> {
        let page = tx.search_model_versions(filter, &[], visible, 10, None).unwrap();
        page.items.into_iter().map(|version| (version.name, version.version)).collect()
    };
    assert_eq!(versions(&[], None).len(), 4);
    let alpha = when("name", Comparison::Equal, "alpha");
    assert_eq!(versions(&alpha, None), [("alpha".to_owned(), 2), ("alpha".to_owned(), 1)]);
    assert!(versions(&alpha, Some(&["beta".into()])).is_empty());
    assert_eq!(versions(&when("run_id", Comparison::Equal, "r1"), None).len(), 4);
    let second = [Condition {
        field: Field::Attribute("version_number"),
        comparison: Comparison::Greater,
        operand: Operand::Number(1.0),
    }];
    assert_eq!(versions(&second, None), [("alpha".to_owned(), 2)]);
}
