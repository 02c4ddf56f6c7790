use super::{new_run, new_version, time};
use crate::import::SourceExperiment;
use crate::model::{ImportRefusal, Lifecycle, NewExperiment, Pair, ScorerVersion};
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

pub(super) fn spans_leave_their_trace_alone(tx: &mut dyn Transaction) {
    let new = super::traces::trace("tr-1", 5);
    tx.put_trace(&new).unwrap();
    let before = tx.trace("tr-1").unwrap().unwrap();
    let spans = [super::traces::span("a", None, "root"), super::traces::span("b", Some("a"), "child")];
    tx.import_spans("tr-1", &spans).unwrap();
    tx.import_spans("tr-1", &spans).unwrap();
    let after = tx.trace("tr-1").unwrap().unwrap();
    assert_eq!(after.spans, 2, "none is doubled");
    assert_eq!((after.metadata, after.tags, after.duration), (before.metadata, before.tags, before.duration));
    assert_eq!(tx.spans("tr-1").unwrap().len(), 2);
    assert_eq!(tx.span_content("tr-1", "b").unwrap().as_deref(), Some("{\"name\":\"child\"}"));
    assert_eq!(tx.span_content("tr-1", "c").unwrap(), None);
    for run in ["r2", "r1", "r2"] {
        tx.link_traces_to_run(&["tr-1".into()], run).unwrap();
    }
    tx.link_prompts_to_trace("tr-1", &[("p".into(), "2".into())]).unwrap();
    assert_eq!(tx.links_of_trace("tr-1").unwrap(), (vec!["r1".into(), "r2".into()], vec!["p/2".into()]));
    assert!(matches!(tx.import_spans("tr-2", &spans), Err(StoreError::NotFound { .. })));
}

pub(super) fn scorers_keep_their_numbers(tx: &mut dyn Transaction) {
    let scorer = |id: &str, version| ScorerVersion {
        scorer_id: id.into(),
        experiment_id: "0".into(),
        name: "safety".into(),
        version,
        serialized: "{}".into(),
        created: 3,
    };
    tx.import_scorer(&scorer("s-1", 2)).unwrap();
    tx.import_scorer(&scorer("s-1", 5)).unwrap();
    tx.import_scorer(&scorer("s-1", 2)).unwrap();
    let versions = tx.scorer_versions("0", "safety", 10).unwrap();
    assert_eq!(versions.iter().map(|one| one.version).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(tx.register_scorer("0", "safety", "x", "{}", 9).unwrap().version, 6, "numbers only grow");
    assert!(matches!(tx.import_scorer(&scorer("s-2", 7)), Err(StoreError::AlreadyExists { .. })));
}

pub(super) fn refusals_are_noted_once(tx: &mut dyn Transaction) {
    let refusal = |what: &str, reason: &str| ImportRefusal {
        what: what.into(),
        rule: "artifact.path".into(),
        reason: reason.into(),
    };
    for (what, reason) in [("b", "first"), ("a", "second"), ("b", "third")] {
        tx.add_import_refusal(&refusal(what, reason)).unwrap();
    }
    assert_eq!(tx.count_import_refusals().unwrap(), 2);
    assert!(tx.is_import_refused("a").unwrap() && !tx.is_import_refused("c").unwrap());
    assert_eq!(tx.import_refusals(1).unwrap(), [refusal("b", "first")]);
}

pub(super) fn nothing_is_nothing_of_any_kind(tx: &mut dyn Transaction) {
    assert!(tx.holds_nothing().unwrap());
    tx.put_trace(&super::traces::trace("tr-1", 5)).unwrap();
    assert!(!tx.holds_nothing().unwrap(), "a trace in the default experiment");
    tx.delete_traces(&["tr-1".into()]).unwrap();
    assert!(tx.holds_nothing().unwrap());
    tx.register_scorer("0", "safety", "s", "{}", 9).unwrap();
    assert!(!tx.holds_nothing().unwrap(), "a scorer");
}
