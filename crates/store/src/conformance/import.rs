use super::{new_run, new_version, time};
use crate::import::SourceExperiment;
use crate::model::{Lifecycle, NewExperiment, Pair};
use crate::{StoreError, Transaction};

fn experiment(id: i64, name: &str) -> SourceExperiment {
    SourceExperiment {
        id,
        name: name.into(),
        artifact_location: String::new(),
        lifecycle: Lifecycle::Active,
        created: time(7),
        updated: time(8),
        tags: vec![Pair::new("a", "1")],
    }
}

pub(super) fn experiments_keep_their_ids(tx: &mut dyn Transaction) {
    assert!(tx.holds_nothing().unwrap());
    tx.import_experiment(&experiment(0, "Renamed")).unwrap();
    assert!(tx.holds_nothing().unwrap(), "the default experiment is always there");
    tx.import_experiment(&experiment(41, "fraud")).unwrap();
    tx.import_experiment(&experiment(41, "fraud")).unwrap();
    assert!(!tx.holds_nothing().unwrap());
    let found = tx.experiment("41").unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.created, found.updated), ("fraud", time(7), time(8)));
    assert_eq!(found.tags, [Pair::new("a", "1")]);
    assert_eq!(tx.experiment("0").unwrap().unwrap().name, "Renamed");
    assert!(matches!(tx.import_experiment(&experiment(42, "fraud")), Err(StoreError::AlreadyExists { .. })));
    assert!(matches!(tx.import_experiment(&experiment(-1, "x")), Err(StoreError::Invalid(_))));
    let next = tx.create_experiment(&NewExperiment { name: "next".into(), tags: vec![], created: time(9) }).unwrap();
    assert_eq!(next.id, "42", "no id comes to mean another experiment");
    tx.create_run(&new_run("r1", 1)).unwrap();
}

pub(super) fn versions_keep_their_numbers(tx: &mut dyn Transaction) {
    tx.create_registered_model("fraud", "", &[], "ada", time(1)).unwrap();
    tx.reserve_versions("fraud", 4).unwrap();
    assert_eq!(tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap().version, 5);
    tx.reserve_versions("fraud", 2).unwrap();
    assert_eq!(tx.create_model_version(&new_version("fraud", &["MLmodel"])).unwrap().version, 6, "numbers only grow");
    assert!(matches!(tx.reserve_versions("none", 1), Err(StoreError::NotFound { .. })));
}
