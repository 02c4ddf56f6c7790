use crate::model::{
    Comparison, Condition, DatasetRecord, EvaluationDataset, EvaluationDatasetQuery, EvaluationDatasetUpdate, Field,
    NewExperiment, Operand, OrderBy, Pair,
};
use crate::{StoreError, Transaction};

use super::time;

pub(super) fn dataset(id: &str, name: &str, experiments: &[&str]) -> EvaluationDataset {
    EvaluationDataset {
        id: id.into(),
        name: name.into(),
        schema: None,
        profile: None,
        digest: "00000000".into(),
        created: 10,
        updated: 10,
        created_by: None,
        updated_by: None,
        owner: "ada".into(),
        tags: vec![Pair::new("team", name)],
        experiment_ids: experiments.iter().map(|id| (*id).to_owned()).collect(),
    }
}

pub(super) fn record(id: &str, hash: &str, created: i64) -> DatasetRecord {
    DatasetRecord {
        id: id.into(),
        inputs: "{\"q\":1}".into(),
        input_hash: hash.into(),
        outputs: None,
        expectations: Some("{}".into()),
        tags: None,
        source: None,
        source_id: None,
        source_type: None,
        created,
        updated: created,
        created_by: None,
        updated_by: None,
    }
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let other = NewExperiment { name: "b".into(), tags: vec![], created: time(1) };
    let other = tx.create_experiment(&other).unwrap().id;
    let made = dataset("d-1", "one", &["0"]);
    tx.create_evaluation_dataset(&made).unwrap();
    assert_eq!(tx.evaluation_dataset("d-1").unwrap(), Some(made.clone()));
    assert!(matches!(tx.create_evaluation_dataset(&made), Err(StoreError::AlreadyExists { .. })));
    let nowhere = dataset("d-2", "two", &["77"]);
    assert!(matches!(tx.create_evaluation_dataset(&nowhere), Err(StoreError::NotFound { .. })));
    tx.add_evaluation_dataset_experiments("d-1", &[other.clone(), "0".into()]).unwrap();
    assert_eq!(tx.evaluation_dataset("d-1").unwrap().unwrap().experiment_ids, ["0", other.as_str()]);
    tx.remove_evaluation_dataset_experiments("d-1", &["0".into(), "77".into()]).unwrap();
    assert_eq!(tx.evaluation_dataset("d-1").unwrap().unwrap().experiment_ids, [other]);
    tx.set_evaluation_dataset_tags("d-1", &[Pair::new("team", "x"), Pair::new("new", "y")]).unwrap();
    assert!(tx.delete_evaluation_dataset_tag("d-1", "new").unwrap());
    assert!(!tx.delete_evaluation_dataset_tag("d-1", "new").unwrap());
    let update =
        EvaluationDatasetUpdate { updated: 20, profile: Some("{}".into()), ..EvaluationDatasetUpdate::default() };
    tx.update_evaluation_dataset("d-1", &update).unwrap();
    let found = tx.evaluation_dataset("d-1").unwrap().unwrap();
    assert_eq!((found.updated, found.profile.as_deref(), found.digest.as_str()), (20, Some("{}"), "00000000"));
    assert_eq!(found.tags, [Pair::new("team", "x")]);
    tx.delete_evaluation_dataset("d-1").unwrap();
    assert!(matches!(tx.delete_evaluation_dataset("d-1"), Err(StoreError::NotFound { .. })));
}

pub(super) fn search(tx: &mut dyn Transaction) {
    for (id, name, experiments) in [("d-1", "one", &["0"][..]), ("d-2", "two", &[]), ("d-3", "three", &["0"])] {
        tx.create_evaluation_dataset(&dataset(id, name, experiments)).unwrap();
    }
    let mut ids = |query: EvaluationDatasetQuery| -> Vec<String> {
        let query = EvaluationDatasetQuery { limit: 10, ..query };
        tx.search_evaluation_datasets(&query).unwrap().items.into_iter().map(|found| found.id).collect()
    };
    let by_name = vec![OrderBy { field: Field::Attribute("name"), ascending: true }];
    let all = EvaluationDatasetQuery { order: by_name, ..EvaluationDatasetQuery::default() };
    assert_eq!(ids(all), ["d-1", "d-3", "d-2"]);
    let of_experiment = EvaluationDatasetQuery { experiments: vec!["0".into()], ..EvaluationDatasetQuery::default() };
    assert_eq!(ids(of_experiment), ["d-3", "d-1"]);
    let condition = Condition {
        field: Field::Tag("team".into()),
        comparison: Comparison::Equal,
        operand: Operand::Text("two".into()),
    };
    assert_eq!(ids(EvaluationDatasetQuery { filter: vec![condition], ..EvaluationDatasetQuery::default() }), ["d-2"]);
    let nowhere = EvaluationDatasetQuery { experiments: vec!["55".into()], ..EvaluationDatasetQuery::default() };
    assert!(ids(nowhere).is_empty());
}

pub(super) fn records(tx: &mut dyn Transaction) {
    tx.create_evaluation_dataset(&dataset("d-1", "one", &[])).unwrap();
    let several = [("dr-2", "b", 1), ("dr-1", "a", 1), ("dr-3", "c", 2)];
    tx.put_dataset_records("d-1", &several.map(|(id, hash, created)| record(id, hash, created))).unwrap();
    let hashes = ["c", "x", "a", "'"].map(str::to_owned);
    assert_eq!(tx.known_dataset_inputs("d-1", &hashes).unwrap(), ["a", "c"]);
    assert!(tx.known_dataset_inputs("d-1", &[]).unwrap().is_empty());
    tx.put_dataset_records("d-1", &[]).unwrap();
    assert_eq!(tx.count_dataset_records("d-1").unwrap(), 3);
    let changed = DatasetRecord { outputs: Some("7".into()), updated: 9, ..record("dr-9", "a", 8) };
    tx.put_dataset_records("d-1", std::slice::from_ref(&changed)).unwrap();
    let found = tx.dataset_record_by_input("d-1", "a").unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.created, found.updated, found.outputs.as_deref()), ("dr-1", 1, 9, Some("7")));
    assert_eq!(tx.dataset_record_by_input("d-1", "z").unwrap(), None);
    let first = tx.dataset_records("d-1", None, 2).unwrap();
    let ids: Vec<&str> = first.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["dr-1", "dr-2"]);
    let rest = tx.dataset_records("d-1", Some(&(1, "dr-2".into())), 5).unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(tx.delete_dataset_records("d-1", &["dr-1".into(), "dr-8".into()]).unwrap(), 1);
    assert!(tx.put_dataset_records("d-9", &[record("dr-5", "a", 1)]).is_err());
}
