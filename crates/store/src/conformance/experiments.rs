use super::time;
use crate::model::{Comparison, Condition, ExperimentQuery, Field, Lifecycle, NewExperiment, Operand, Pair, ViewType};
use crate::{StoreError, Transaction};

fn new(name: &str, created: i64) -> NewExperiment {
    NewExperiment { name: name.into(), tags: vec![Pair::new("team", name)], created: time(created) }
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let default = tx.experiment("0").unwrap().unwrap();
    assert_eq!((default.name.as_str(), default.lifecycle), ("Default", Lifecycle::Active));
    let made = tx.create_experiment(&new("fraud", 10)).unwrap();
    assert_eq!(made.artifact_location, format!("mlflow-artifacts:/{}", made.id));
    assert_eq!(tx.experiment(&made.id).unwrap().as_ref(), Some(&made));
    assert_eq!(tx.experiment_by_name("fraud").unwrap().as_ref(), Some(&made));
    tx.rename_experiment(&made.id, "fraud-2", time(20)).unwrap();
    tx.set_experiment_tag(&made.id, "team", "risk").unwrap();
    tx.set_experiment_tag(&made.id, "b", "c").unwrap();
    tx.delete_experiment_tag(&made.id, "b").unwrap();
    assert!(matches!(tx.delete_experiment_tag(&made.id, "b"), Err(StoreError::NotFound { .. })));
    tx.set_experiment_lifecycle(&made.id, Lifecycle::Deleted, time(30)).unwrap();
    let gone = tx.experiment(&made.id).unwrap().unwrap();
    assert_eq!((gone.lifecycle, gone.updated, gone.created), (Lifecycle::Deleted, time(30), time(10)));
    assert_eq!((gone.name.as_str(), gone.tags), ("fraud-2", vec![Pair::new("team", "risk")]));
    for absent in ["77", "00", "", "x", "-1"] {
        assert!(tx.experiment(absent).unwrap().is_none());
        assert!(matches!(tx.set_experiment_tag(absent, "a", "b"), Err(StoreError::NotFound { .. })));
    }
}

pub(super) fn names_are_unique(tx: &mut dyn Transaction) {
    let made = tx.create_experiment(&new("fraud", 10)).unwrap();
    tx.set_experiment_lifecycle(&made.id, Lifecycle::Deleted, time(11)).unwrap();
    assert!(matches!(tx.create_experiment(&new("fraud", 12)), Err(StoreError::AlreadyExists { .. })));
    assert!(matches!(tx.rename_experiment("0", "fraud", time(13)), Err(StoreError::AlreadyExists { .. })));
    assert!(tx.create_experiment(&new("Fraud", 12)).is_ok(), "names tell cases apart");
}

pub(super) fn search(tx: &mut dyn Transaction) {
    let ids: Vec<String> = ["alpha", "beta", "gamma"]
        .iter()
        .zip(100_000..)
        .map(|(name, at)| tx.create_experiment(&new(name, at)).unwrap().id)
        .collect();
    tx.set_experiment_lifecycle(&ids[2], Lifecycle::Deleted, time(200_000)).unwrap();
    let mut names = |query: ExperimentQuery| -> Vec<String> {
        tx.search_experiments(&query).unwrap().items.into_iter().map(|found| found.name).collect()
    };
    let query = ExperimentQuery { limit: 10, ..ExperimentQuery::default() };
    assert_eq!(names(query.clone()), ["beta", "alpha", "Default"]);
    assert_eq!(names(ExperimentQuery { view: ViewType::DeletedOnly, ..query.clone() }), ["gamma"]);
    assert_eq!(names(ExperimentQuery { view: ViewType::All, ..query.clone() }).len(), 4);
    let tagged = Condition {
        field: Field::Tag("team".into()),
        comparison: Comparison::Equal,
        operand: Operand::Text("alpha".into()),
    };
    assert_eq!(names(ExperimentQuery { filter: vec![tagged], ..query.clone() }), ["alpha"]);
    assert_eq!(names(ExperimentQuery { visible: Some(vec![ids[0].clone()]), ..query.clone() }), ["alpha"]);
    assert!(names(ExperimentQuery { visible: Some(vec![]), ..query }).is_empty());
}
