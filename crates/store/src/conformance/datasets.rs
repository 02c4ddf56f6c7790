use super::{new_run, time};
use crate::Transaction;
use crate::model::{DatasetInput, DatasetSummary, Lifecycle, NewExperiment, Pair, RunUpdate};

pub(super) fn each_once_for_its_context(tx: &mut dyn Transaction) {
    let other = tx.create_experiment(&NewExperiment { name: "other".into(), tags: vec![], created: time(1) }).unwrap();
    let input = |name: &str, context: Option<&str>| DatasetInput {
        name: name.into(),
        digest: "d".into(),
        source_type: "s".into(),
        source: "s".into(),
        schema: None,
        profile: None,
        tags: context.map(|context| Pair::new("mlflow.data.context", context)).into_iter().collect(),
    };
    for (run, inputs) in [
        ("r1", vec![input("b", Some("training")), input("a", None)]),
        ("r2", vec![input("b", Some("training"))]),
        ("r3", vec![input("b", Some("eval"))]),
        ("r4", vec![input("gone", None)]),
    ] {
        tx.create_run(&new_run(run, 5)).unwrap();
        tx.log_inputs(run, &inputs, &[]).unwrap();
    }
    tx.update_run("r4", &RunUpdate { lifecycle: Some(Lifecycle::Deleted), ..RunUpdate::default() }).unwrap();
    let found = tx.dataset_summaries(&[other.id.clone(), "0".into(), "x".into()], 10).unwrap();
    let summary = |name: &str, context: Option<&str>| DatasetSummary {
        experiment_id: "0".into(),
        name: name.into(),
        digest: "d".into(),
        context: context.map(Into::into),
    };
    assert_eq!(found, [summary("a", None), summary("b", Some("eval")), summary("b", Some("training"))]);
    assert_eq!(tx.dataset_summaries(&["0".into()], 2).unwrap(), found[..2]);
    assert!(tx.dataset_summaries(&[other.id], 10).unwrap().is_empty());
}
