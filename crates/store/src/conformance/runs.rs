use super::{new_logged_model, new_run, time};
use crate::model::{DatasetInput, Lifecycle, Metric, ModelOutput, NewExperiment, Pair, RunBatch, RunStatus, RunUpdate};
use crate::{StoreError, Transaction};

pub(super) fn metric(key: &str, value: f64, timestamp: i64, step: i64) -> Metric {
    Metric { key: key.into(), value, timestamp, step, model_id: None, dataset_name: None, dataset_digest: None }
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let made = tx.create_run(&new_run("r1", 5)).unwrap();
    assert_eq!(made.artifact_uri, "mlflow-artifacts:/0/r1/artifacts");
    assert_eq!((made.status, made.end, made.lifecycle), (RunStatus::Running, None, Lifecycle::Active));
    assert_eq!(tx.run("r1").unwrap(), Some(made));
    assert_eq!(tx.experiment_of_run("r1").unwrap().as_deref(), Some("0"));
    assert!(matches!(tx.create_run(&new_run("r1", 6)), Err(StoreError::AlreadyExists { .. })));
    let nowhere = crate::model::NewRun { experiment_id: "9".into(), ..new_run("r2", 6) };
    assert!(matches!(tx.create_run(&nowhere), Err(StoreError::NotFound { .. })));
    let end = RunUpdate { status: Some(RunStatus::Finished), end: Some(time(9)), ..RunUpdate::default() };
    let ended = tx.update_run("r1", &end).unwrap();
    assert_eq!((ended.status, ended.end), (RunStatus::Finished, Some(time(9))));

    let bin = RunUpdate { lifecycle: Some(Lifecycle::Deleted), ..RunUpdate::default() };
    assert_eq!(tx.update_run("r1", &bin).unwrap().lifecycle, Lifecycle::Deleted);
    let batch = RunBatch { tags: vec![Pair::new("a", "b")], ..RunBatch::default() };
    assert!(matches!(tx.log_batch("r1", &batch), Err(StoreError::Conflict(_))));
    assert!(matches!(tx.update_run("r1", &end), Err(StoreError::Conflict(_))));
    let back = RunUpdate { lifecycle: Some(Lifecycle::Active), ..RunUpdate::default() };
    tx.update_run("r1", &back).unwrap();
    tx.log_batch("r1", &batch).unwrap();
    tx.delete_run_tag("r1", "a").unwrap();
    assert!(matches!(tx.delete_run_tag("r1", "a"), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.log_batch("r9", &batch), Err(StoreError::NotFound { .. })));
    assert!(tx.run("r9").unwrap().is_none());
}

pub(super) fn the_name_and_its_tag_agree(tx: &mut dyn Transaction) {
    let name_tag = |name: &str| vec![Pair::new("mlflow.runName", name)];
    assert_eq!(tx.create_run(&new_run("r1", 5)).unwrap().data.tags, name_tag("run r1"));
    let renamed = tx.update_run("r1", &RunUpdate { name: Some("one".into()), ..RunUpdate::default() }).unwrap();
    assert_eq!((renamed.name.as_str(), renamed.data.tags), ("one", name_tag("one")));
    tx.log_batch("r1", &RunBatch { tags: name_tag("two"), ..RunBatch::default() }).unwrap();
    assert_eq!(tx.run("r1").unwrap().unwrap().name, "two");
}

pub(super) fn params_do_not_change(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    let batch = |value: &str| RunBatch { params: vec![Pair::new("alpha", value)], ..RunBatch::default() };
    tx.log_batch("r1", &batch("0.03")).unwrap();
    tx.log_batch("r1", &batch("0.03")).unwrap();
    let refused = tx.log_batch("r1", &batch("0.04")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Changing param values is not allowed. Param with key='alpha' was already logged with value='0.03' for \
         run ID='r1'. Attempted logging new value '0.04'."
    );
    let twice = RunBatch { params: vec![Pair::new("b", "1"), Pair::new("b", "2")], ..RunBatch::default() };
    assert!(matches!(tx.log_batch("r1", &twice), Err(StoreError::Conflict(_))));
}

pub(super) fn the_latest_metric_has_the_highest_step(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    let values = [(1.0, 10, 1), (2.0, 30, 2), (9.0, 40, 1), (3.0, 30, 2), (2.5, 30, 2), (2.0, 30, 2)];
    for (value, timestamp, step) in values {
        let batch = RunBatch { metrics: vec![metric("rmse", value, timestamp, step)], ..RunBatch::default() };
        tx.log_batch("r1", &batch).unwrap();
    }
    assert_eq!(tx.run("r1").unwrap().unwrap().data.metrics, [metric("rmse", 3.0, 30, 2)]);
    let history = tx.metric_history("r1", "rmse", 100, None).unwrap();
    let values: Vec<f64> = history.items.iter().map(|metric| metric.value).collect();
    assert_eq!((values, history.next), (vec![1.0, 9.0, 2.0, 2.5, 3.0], None));
    let first = tx.metric_history("r1", "rmse", 2, None).unwrap();
    // What is logged meanwhile before that place shifts nothing.
    let early = RunBatch { metrics: vec![metric("rmse", 0.5, 5, 0)], ..RunBatch::default() };
    tx.log_batch("r1", &early).unwrap();
    let second = tx.metric_history("r1", "rmse", 2, first.next.as_ref()).unwrap();
    let values: Vec<f64> = second.items.iter().map(|metric| metric.value).collect();
    assert_eq!(values, [2.0, 2.5]);
    let third = tx.metric_history("r1", "rmse", 2, second.next.as_ref()).unwrap();
    assert_eq!((third.items.len(), third.next), (1, None));
    assert!(tx.metric_history("r1", "other", 2, None).unwrap().items.is_empty());
}

pub(super) fn odd_numbers_are_kept(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 0.1];
    let metrics = odd.iter().zip(0..).map(|(value, number)| metric(&format!("m{number}"), *value, 1, -1)).collect();
    tx.log_batch("r1", &RunBatch { metrics, ..RunBatch::default() }).unwrap();
    let latest = tx.run("r1").unwrap().unwrap().data.metrics;
    for (value, number) in odd.iter().zip(0..) {
        assert_eq!(latest[number].value.to_string(), value.to_string());
        let history = tx.metric_history("r1", &format!("m{number}"), 9, None).unwrap().items;
        assert_eq!(history[0].value.to_string(), value.to_string());
    }
}

pub(super) fn inputs_and_outputs(tx: &mut dyn Transaction) {
    tx.create_run(&new_run("r1", 5)).unwrap();
    let dataset = DatasetInput {
        name: "diabetes".into(),
        digest: "abc".into(),
        source_type: "local".into(),
        source: "{}".into(),
        schema: None,
        profile: Some("{}".into()),
        tags: vec![Pair::new("mlflow.data.context", "training")],
    };
    for _ in 0..2 {
        tx.log_inputs("r1", std::slice::from_ref(&dataset), &["m-1".into()]).unwrap();
        tx.log_outputs("r1", &[ModelOutput { model_id: "m-2".into(), step: 3 }]).unwrap();
    }
    let data = tx.run("r1").unwrap().unwrap().data;
    assert_eq!(data.inputs, [dataset]);
    assert_eq!(data.model_inputs, ["m-1"]);
    assert_eq!(data.outputs, [ModelOutput { model_id: "m-2".into(), step: 3 }]);
}

pub(super) fn a_metric_reaches_models_of_its_experiment_only(tx: &mut dyn Transaction) {
    let other = tx.create_experiment(&NewExperiment { name: "other".into(), tags: vec![], created: time(1) }).unwrap();
    tx.create_run(&new_run("r1", 5)).unwrap();
    tx.create_logged_model(&new_logged_model("m-1", "0")).unwrap();
    tx.create_logged_model(&new_logged_model("m-2", &other.id)).unwrap();
    for (model, step) in [("m-1", 1), ("m-1", 2), ("m-2", 1), ("m-3", 1)] {
        let metric = Metric {
            model_id: Some(model.into()),
            dataset_name: Some("d".into()),
            dataset_digest: Some("e".into()),
            ..metric("r2", 0.5, 1, step)
        };
        tx.log_batch("r1", &RunBatch { metrics: vec![metric], ..RunBatch::default() }).unwrap();
    }
    let metrics = tx.logged_model("m-1").unwrap().unwrap().metrics;
    assert_eq!((metrics.len(), metrics[0].metric.step, metrics[0].metric.dataset_name.as_deref()), (1, 2, Some("d")));
    assert_eq!(metrics[0].run_id.as_deref(), Some("r1"));
    assert!(tx.logged_model("m-2").unwrap().unwrap().metrics.is_empty());
}
