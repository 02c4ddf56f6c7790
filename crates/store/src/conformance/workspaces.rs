//! What is in one workspace is not there in another: not to be read, found, changed, linked to or counted.

use sealyard_core::{Digest, Verdict};
use sealyard_identity::Grant;

use super::evaluation_datasets::{dataset, record};
use super::objects::share_all;
use super::traces::{assessment, span, trace};
use super::webhooks::webhook;
use super::{new_logged_model, new_run, new_version, path, time};
use crate::model::{
    Aggregation, Artifact, ArtifactOwner, DEFAULT_WORKSPACE, EvaluationDatasetQuery, EvaluationDatasetUpdate,
    EvidenceRecord, ExperimentQuery, Issue, IssueQuery, IssueUpdate, Lifecycle, LoggedModelQuery, LoggedModelStatus,
    MetricView, ModelOutput, NewExperiment, NewVersionRecord, Pair, PartedUpload, RunBatch, RunQuery, RunUpdate,
    SpanBatch, TraceDeletion, TraceMetricQuery, TraceQuery, TraceState, UploadState, ViewType, WorkspaceDeletion,
};
use crate::{StoreError, Transaction};

/// Ids of what is in a workspace: the same letters, each with the workspace's own in front, but one name for all.
struct Things {
    experiment: String,
    run: String,
    model: String,
    trace: String,
    dataset: String,
    issue: String,
    webhook: String,
    upload: String,
}

const NAME: &str = "the same name";

fn artifact(owner: ArtifactOwner, object: &str) -> Artifact {
    Artifact {
        owner,
        path: path("f"),
        object: object.into(),
        digest: Digest::of(b"same"),
        size: 4,
        verdict: Verdict::Safe,
        created: time(9),
        created_by: "ada".into(),
    }
}

fn issue(id: &str, experiment: &str) -> Issue {
    Issue {
        id: id.into(),
        experiment_id: experiment.into(),
        name: NAME.into(),
        description: "d".into(),
        status: "pending".into(),
        severity: Some(1),
        root_causes: vec![],
        categories: vec![],
        source_run_id: None,
        said_by: None,
        created_by: "ada".into(),
        created: time(5),
        updated: time(5),
    }
}

fn evidence() -> EvidenceRecord {
    EvidenceRecord {
        digest: Digest::of(b"bundle"),
        subject: Digest::of(b"subject"),
        predicate_type: "p".into(),
        bundle: "{}".into(),
        added: time(1),
        added_by: "ada".into(),
    }
}

fn spans(things: &Things) -> SpanBatch {
    SpanBatch {
        trace_id: things.trace.clone(),
        experiment_id: things.experiment.clone(),
        created_by: "ada".into(),
        spans: vec![span("s1", None, "root")],
        started: 5,
        ended: Some(9),
        state: None,
        metadata: vec![],
        request_preview: None,
        response_preview: None,
    }
}

/// In each workspace something lies loose, too; it has no name but the workspace.
fn loose(tx: &mut dyn Transaction) -> usize {
    tx.artifacts_below(&ArtifactOwner::Loose, "").unwrap().len()
}

fn owners(things: &Things) -> [ArtifactOwner; 3] {
    [
        ArtifactOwner::Run(things.run.clone()),
        ArtifactOwner::LoggedModel(things.model.clone()),
        ArtifactOwner::Trace(things.trace.clone()),
    ]
}

/// Puts one of everything into the workspace that the transaction is in.
fn fill(tx: &mut dyn Transaction, mark: &str) -> Things {
    let new = NewExperiment { name: NAME.into(), tags: vec![Pair::new("t", mark)], created: time(1) };
    let experiment = tx.create_experiment(&new).unwrap().id;
    let id = |kind: &str| format!("{mark}-{kind}");
    let things = Things {
        run: id("run"),
        model: id("model"),
        trace: id("trace"),
        dataset: id("dataset"),
        issue: id("issue"),
        webhook: id("webhook"),
        upload: id("upload"),
        experiment,
    };
    let mut run = new_run(&things.run, 5);
    run.experiment_id.clone_from(&things.experiment);
    tx.create_run(&run).unwrap();
    tx.create_logged_model(&new_logged_model(&things.model, &things.experiment)).unwrap();
    let mut made = trace(&things.trace, 5);
    made.trace.experiment_id.clone_from(&things.experiment);
    tx.put_trace(&made).unwrap();
    tx.put_spans(&spans(&things)).unwrap();
    tx.create_assessment(&assessment(&things.trace, "a-1", "true")).unwrap();
    tx.link_traces_to_run(std::slice::from_ref(&things.trace), &things.run).unwrap();
    tx.create_evaluation_dataset(&dataset(&things.dataset, NAME, &[&things.experiment])).unwrap();
    tx.put_dataset_records(&things.dataset, &[record(&id("record"), "h", 1)]).unwrap();
    tx.create_issue(&issue(&things.issue, &things.experiment)).unwrap();
    tx.create_webhook(&webhook(&things.webhook, &["model_version.created"])).unwrap();
    tx.register_scorer(&things.experiment, NAME, &id("scorer"), "{}", 1).unwrap();
    for (number, owner) in owners(&things).into_iter().enumerate() {
        tx.put_artifact(&artifact(owner, &format!("{mark}-object-{number}"))).unwrap();
    }
    let upload = PartedUpload {
        id: things.upload.clone(),
        owner: ArtifactOwner::Run(things.run.clone()),
        path: path("g"),
        parts: 2,
        created_by: "ada".into(),
        created: time(1),
        state: UploadState::Open,
    };
    tx.begin_upload(&upload).unwrap();
    tx.create_registered_model(NAME, mark, &[], "ada", time(1)).unwrap();
    tx.create_model_version(&new_version(NAME, &["MLmodel"])).unwrap();
    tx.set_alias(NAME, "champion", 1, time(2)).unwrap();
    tx.add_evidence(&evidence()).unwrap();
    things
}

/// Everything that a workspace shows, as text.
fn all(tx: &mut dyn Transaction, things: &Things) -> String {
    let experiments = vec![things.experiment.clone()];
    let owners = owners(things);
    let mut shown = Vec::new();
    let query =
        ExperimentQuery { filter: vec![], order: vec![], view: ViewType::All, visible: None, limit: 100, after: None };
    shown.push(format!("{:?}", tx.search_experiments(&query).unwrap().items));
    shown.push(format!("{:?}", tx.run(&things.run).unwrap()));
    let query = LoggedModelQuery { experiments: experiments.clone(), limit: 10, ..LoggedModelQuery::default() };
    shown.push(format!("{:?}", tx.search_logged_models(&query).unwrap().items));
    shown.push(format!("{:?}", tx.trace(&things.trace).unwrap()));
    shown.push(format!("{:?}", tx.evaluation_dataset(&things.dataset).unwrap()));
    shown.push(format!("{:?}", tx.issue(&things.issue).unwrap()));
    shown.push(format!("{:?}", tx.webhooks(0, 10).unwrap()));
    shown.push(format!("{:?}", tx.scorers(&things.experiment, 10).unwrap()));
    for owner in &owners {
        shown.push(format!("{:?}", tx.artifacts_below(owner, "").unwrap()));
    }
    shown.push(format!("{:?}", tx.upload(&things.upload).unwrap()));
    shown.push(format!("{:?}", tx.search_registered_models(&[], &[], None, 10, None).unwrap().items));
    shown.push(format!("{:?}", tx.search_model_versions(&[], &[], None, 10, None).unwrap().items));
    shown.push(format!("{:?}", tx.evidence_for(&Digest::of(b"subject")).unwrap()));
    shown.join("\n")
}

fn made(tx: &mut dyn Transaction, name: &str) -> i64 {
    tx.create_workspace(name, Some("of a team"), time(3)).unwrap().number
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let default = tx.workspace_named("default").unwrap().unwrap();
    assert_eq!((default.number, tx.workspaces().unwrap().len()), (DEFAULT_WORKSPACE, 1));
    let first = made(tx, "team-a");
    assert!(matches!(tx.create_workspace("team-a", None, time(4)), Err(StoreError::AlreadyExists { .. })));
    let names: Vec<String> = tx.workspaces().unwrap().into_iter().map(|workspace| workspace.name).collect();
    assert_eq!(names, ["default", "team-a"]);
    assert_eq!(tx.describe_workspace("team-a", None).unwrap().description.as_deref(), Some("of a team"));
    assert_eq!(tx.describe_workspace("team-a", Some("new")).unwrap().description.as_deref(), Some("new"));
    assert!(matches!(tx.describe_workspace("none", Some("x")), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.delete_workspace("none", WorkspaceDeletion::Restrict), Err(StoreError::NotFound { .. })));
    for how in [WorkspaceDeletion::Restrict, WorkspaceDeletion::Cascade, WorkspaceDeletion::SetDefault] {
        assert!(matches!(tx.delete_workspace("default", how), Err(StoreError::Conflict(_))));
    }
    tx.delete_workspace("team-a", WorkspaceDeletion::Restrict).unwrap();
    assert!(tx.workspace_named("team-a").unwrap().is_none());
    // What still believes in the old one makes nothing in it, and the next of that name is another.
    tx.enter(first);
    let late = NewExperiment { name: NAME.into(), tags: vec![], created: time(1) };
    assert!(matches!(tx.create_experiment(&late), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.create_registered_model(NAME, "", &[], "ada", time(1)), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.create_webhook(&webhook("w", &[])), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.create_evaluation_dataset(&dataset("d", "d", &[])), Err(StoreError::NotFound { .. })));
    assert!(made(tx, "team-a") > first);
}

/// Every function that takes a name, an id or an owner is asked for what is in another workspace.
pub(super) fn nothing_reaches_another_one(tx: &mut dyn Transaction) {
    let [a, b, c, d] = ["team-a", "team-b", "team-c", "team-d"].map(|name| made(tx, name));
    for (here, there) in [(DEFAULT_WORKSPACE, a), (b, c), (d, DEFAULT_WORKSPACE)] {
        let mark = |number: i64| format!("w{here}{number}");
        tx.enter(there);
        let theirs = fill(tx, &mark(there));
        let before = all(tx, &theirs);
        tx.enter(here);
        read_nothing(tx, &theirs);
        change_nothing(tx, &theirs);
        tx.enter(there);
        assert_eq!(all(tx, &theirs), before, "from {here} into {there}");
        // Now that there is something of the same names here too.
        tx.enter(here);
        let ours = fill(tx, &mark(here));
        let before = all(tx, &ours);
        link_nothing(tx, &ours, &theirs);
        assert_eq!(all(tx, &ours), before, "from {there} into {here}");
        for number in [here, there] {
            tx.enter(number);
            empty(tx, number);
        }
    }
}

fn empty(tx: &mut dyn Transaction, number: i64) {
    tx.delete_registered_model(NAME).unwrap();
    let experiment = tx.experiment_by_name(NAME).unwrap().unwrap().id;
    tx.rename_experiment(&experiment, &format!("{number}-{experiment}"), time(1)).unwrap();
    for one in tx.webhooks(0, 100).unwrap() {
        tx.delete_webhook(&one.id).unwrap();
    }
}

fn read_nothing(tx: &mut dyn Transaction, theirs: &Things) {
    let Things { experiment, run, model, trace, dataset, issue, webhook, upload } = theirs;
    let experiments = vec![experiment.clone()];
    assert!(tx.experiment(experiment).unwrap().is_none());
    assert!(tx.experiment_by_name(NAME).unwrap().is_none());
    let query =
        ExperimentQuery { filter: vec![], order: vec![], view: ViewType::All, visible: None, limit: 100, after: None };
    assert!(tx.search_experiments(&query).unwrap().items.iter().all(|found| found.id != *experiment));
    let query = ExperimentQuery { visible: Some(experiments.clone()), ..query };
    assert!(tx.search_experiments(&query).unwrap().items.is_empty());
    assert!(tx.run(run).unwrap().is_none() && tx.experiment_of_run(run).unwrap().is_none());
    let query = RunQuery { experiments: experiments.clone(), view: ViewType::All, limit: 10, ..RunQuery::default() };
    assert!(tx.search_runs(&query).unwrap().items.is_empty());
    assert!(matches!(tx.metric_history(run, "m", 10, None), Err(StoreError::NotFound { .. })));
    let runs = std::slice::from_ref(run);
    assert!(matches!(tx.sampled_steps(runs, "m", None, 10), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.metric_at_steps(run, "m", &[1], 10), Err(StoreError::NotFound { .. })));
    assert!(tx.dataset_summaries(&experiments, 10).unwrap().is_empty());
    assert!(tx.logged_model(model).unwrap().is_none());
    let query = LoggedModelQuery { experiments: experiments.clone(), limit: 10, ..LoggedModelQuery::default() };
    assert!(tx.search_logged_models(&query).unwrap().items.is_empty());
    assert!(tx.trace(trace).unwrap().is_none() && tx.experiment_of_trace(trace).unwrap().is_none());
    let traces = std::slice::from_ref(trace);
    assert_eq!(tx.size_of_spans(traces).unwrap(), 0);
    assert!(matches!(tx.spans(trace), Err(StoreError::NotFound { .. })));
    let query = TraceQuery { experiments: experiments.clone(), limit: 10, ..TraceQuery::default() };
    assert!(tx.search_traces(&query).unwrap().items.is_empty());
    assert_eq!(tx.count_traces(&query).unwrap(), 0);
    let deletion = TraceDeletion {
        experiment_id: experiment.clone(),
        max_timestamp: Some(i64::MAX),
        trace_ids: vec![],
        limit: 10,
    };
    assert!(tx.traces_to_delete(&deletion).unwrap().is_empty());
    let query = TraceMetricQuery {
        experiments: experiments.clone(),
        view: MetricView::Traces,
        metric: "trace_count".into(),
        aggregations: vec![Aggregation::Count],
        dimensions: vec![],
        filters: vec![],
        interval: None,
        start: None,
        end: None,
        limit: 10,
        rows: 10,
    };
    let counted = tx.trace_metrics(&query).unwrap();
    assert!(counted.iter().all(|point| point.values.iter().all(|measure| measure.value == 0.0)), "{counted:?}");
    assert!(matches!(tx.assessment(trace, "a-1"), Err(StoreError::NotFound { .. })));
    assert!(tx.evaluation_dataset(dataset).unwrap().is_none());
    let query = EvaluationDatasetQuery { limit: 10, ..EvaluationDatasetQuery::default() };
    assert!(tx.search_evaluation_datasets(&query).unwrap().items.iter().all(|found| found.id != *dataset));
    let query = EvaluationDatasetQuery { experiments, ..query };
    assert!(tx.search_evaluation_datasets(&query).unwrap().items.is_empty());
    assert!(matches!(tx.count_dataset_records(dataset), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.dataset_records(dataset, None, 10), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.dataset_record_by_input(dataset, "h"), Err(StoreError::NotFound { .. })));
    let hashes = ["h".to_owned()];
    assert!(matches!(tx.known_dataset_inputs(dataset, &hashes), Err(StoreError::NotFound { .. })));
    assert!(tx.issue(issue).unwrap().is_none());
    let query = IssueQuery { limit: 10, ..IssueQuery::default() };
    assert!(tx.search_issues(&query).unwrap().iter().all(|found| found.place.id != *issue));
    assert!(tx.search_issues(&IssueQuery { experiment: Some(experiment.clone()), ..query }).unwrap().is_empty());
    assert!(tx.webhook(webhook).unwrap().is_none() && tx.webhooks(0, 10).unwrap().is_empty());
    assert_eq!(tx.count_webhooks().unwrap(), 0);
    assert!(tx.webhooks_for("model_version.created").unwrap().is_empty());
    assert!(tx.scorers(experiment, 10).unwrap().is_empty());
    assert!(tx.scorer_versions(experiment, NAME, 10).unwrap().is_empty());
    assert!(tx.scorer(experiment, NAME, None).unwrap().is_none());
    for owner in owners(theirs) {
        assert!(tx.artifact(&owner, "f").unwrap().is_none());
        assert!(tx.artifacts_below(&owner, "").unwrap().is_empty());
        assert_eq!(tx.count_artifacts_below(&owner, "").unwrap(), 0);
    }
    assert!(tx.upload(upload).unwrap().is_none());
    assert!(tx.registered_model(NAME).unwrap().is_none() && tx.model_version(NAME, 1).unwrap().is_none());
    assert!(matches!(tx.model_version_files(NAME, 1), Err(StoreError::NotFound { .. })));
    assert!(tx.version_by_alias(NAME, "champion").unwrap().is_none());
    assert!(tx.search_registered_models(&[], &[], None, 10, None).unwrap().items.is_empty());
    let visible = [NAME.to_owned()];
    assert!(tx.search_registered_models(&[], &[], Some(&visible), 10, None).unwrap().items.is_empty());
    assert!(tx.search_model_versions(&[], &[], Some(&visible), 10, None).unwrap().items.is_empty());
    assert!(tx.search_model_versions(&[], &[], None, 10, None).unwrap().items.is_empty());
    assert!(tx.evidence_for(&Digest::of(b"subject")).unwrap().is_empty());
    assert!(tx.evidence(&Digest::of(b"bundle")).unwrap().is_none());
}

/// Each is as if it were not there.
fn change_nothing(tx: &mut dyn Transaction, theirs: &Things) {
    let Things { experiment, run, model, trace, dataset, issue, webhook, .. } = theirs;
    let pair = [Pair::new("k", "v")];
    let absent = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::NotFound { .. })), "{result:?}");
    };
    absent(tx.rename_experiment(experiment, "x", time(9)));
    absent(tx.set_experiment_lifecycle(experiment, Lifecycle::Deleted, time(9)));
    absent(tx.set_experiment_tag(experiment, "k", "v"));
    absent(tx.delete_experiment_tag(experiment, "t"));
    let mut new = new_run("sneaked", 5);
    new.experiment_id.clone_from(experiment);
    absent(tx.create_run(&new).map(drop));
    absent(tx.update_run(run, &RunUpdate { name: Some("x".into()), ..RunUpdate::default() }).map(drop));
    let lifecycle = RunUpdate { lifecycle: Some(Lifecycle::Deleted), ..RunUpdate::default() };
    absent(tx.update_run(run, &lifecycle).map(drop));
    absent(tx.log_batch(run, &RunBatch { tags: pair.to_vec(), ..RunBatch::default() }));
    absent(tx.delete_run_tag(run, "mlflow.runName"));
    absent(tx.log_inputs(run, &[], std::slice::from_ref(model)));
    absent(tx.log_outputs(run, &[ModelOutput { model_id: model.clone(), step: 0 }]));
    absent(tx.create_logged_model(&new_logged_model("sneaked", experiment)).map(drop));
    absent(tx.finalise_logged_model(model, LoggedModelStatus::Ready, "", None, time(9)).map(drop));
    absent(tx.set_logged_model_tags(model, &pair, time(9)));
    absent(tx.delete_logged_model_tag(model, "k"));
    absent(tx.log_logged_model_params(model, &pair));
    absent(tx.delete_logged_model(model, time(9)));
    let mut sneaked = super::traces::trace("sneaked", 5);
    sneaked.trace.experiment_id.clone_from(experiment);
    absent(tx.put_trace(&sneaked).map(drop));
    absent(tx.end_trace(trace, 9, TraceState::Error, &pair, &pair).map(drop));
    absent(tx.set_trace_tag(trace, "k", "v"));
    absent(tx.delete_trace_tag(trace, "env"));
    absent(tx.link_prompts_to_trace(trace, &[("p".into(), "1".into())]));
    assert_eq!(tx.delete_traces(std::slice::from_ref(trace)).unwrap(), 0);
    let mut batch = spans(theirs);
    batch.trace_id = "sneaked".into();
    absent(tx.put_spans(&batch));
    absent(tx.create_assessment(&assessment(trace, "a-2", "1")));
    absent(tx.update_assessment(&assessment(trace, "a-1", "9")));
    absent(tx.delete_assessment(trace, "a-1").map(drop));
    let update = EvaluationDatasetUpdate { updated: 99, ..EvaluationDatasetUpdate::default() };
    absent(tx.update_evaluation_dataset(dataset, &update));
    absent(tx.delete_evaluation_dataset(dataset));
    absent(tx.set_evaluation_dataset_tags(dataset, &pair));
    absent(tx.delete_evaluation_dataset_tag(dataset, "team").map(drop));
    absent(tx.add_evaluation_dataset_experiments(dataset, &["0".into()]));
    absent(tx.remove_evaluation_dataset_experiments(dataset, std::slice::from_ref(experiment)));
    absent(tx.put_dataset_records(dataset, &[record("sneaked", "x", 1)]));
    absent(tx.delete_dataset_records(dataset, &["r".into()]).map(drop));
    absent(tx.create_issue(&super::workspaces::issue("sneaked", experiment)));
    absent(
        tx.update_issue(issue, &IssueUpdate { status: Some("x".into()), ..IssueUpdate::default() }, time(9)).map(drop),
    );
    absent(tx.update_webhook(&super::webhooks::webhook(webhook, &[])));
    absent(tx.delete_webhook(webhook));
    absent(tx.register_scorer(experiment, NAME, "sneaked", "{}", 1).map(drop));
    assert_eq!(tx.delete_scorer(experiment, NAME, None).unwrap(), 0);
    for owner in owners(theirs) {
        absent(tx.put_artifact(&artifact(owner.clone(), "sneaked")).map(drop));
        absent(tx.delete_artifacts_below(&owner, "").map(drop));
    }
    absent(tx.rename_registered_model(NAME, "x", time(9)).map(drop));
    absent(tx.describe_registered_model(NAME, "x", time(9)).map(drop));
    absent(tx.delete_registered_model(NAME));
    absent(tx.set_registered_model_tag(NAME, "k", "v"));
    absent(tx.delete_registered_model_tag(NAME, "k"));
    absent(tx.registered_model_changed(NAME, time(9)));
    absent(tx.create_model_version(&new_version(NAME, &["MLmodel"])).map(drop));
    let noted = NewVersionRecord {
        name: NAME.into(),
        description: String::new(),
        source: "s".into(),
        run_id: None,
        model_id: None,
        created: time(9),
        created_by: "ada".into(),
        tags: vec![],
        placeholder: Digest::of(b"none"),
        location: None,
    };
    absent(tx.record_model_version(&noted).map(drop));
    absent(tx.describe_model_version(NAME, 1, "x", time(9)).map(drop));
    absent(tx.set_model_version_stage(NAME, 1, "Staging", time(9)).map(drop));
    absent(tx.delete_model_version(NAME, 1));
    absent(tx.set_model_version_tag(NAME, 1, "k", "v"));
    absent(tx.delete_model_version_tag(NAME, 1, "k"));
    absent(tx.mark_published(NAME, 1, Digest::of(b"x"), time(9)));
    absent(tx.set_alias(NAME, "x", 1, time(9)));
    absent(tx.delete_alias(NAME, "champion"));
    absent(tx.reserve_versions(NAME, 9));
}

/// Nothing of `ours` comes to be tied to `theirs`.
fn link_nothing(tx: &mut dyn Transaction, ours: &Things, theirs: &Things) {
    let theirs_too = std::slice::from_ref(&theirs.experiment);
    assert!(matches!(
        tx.add_evaluation_dataset_experiments(&ours.dataset, theirs_too),
        Err(StoreError::NotFound { .. })
    ));
    // As with a trace that has not come yet.
    tx.link_traces_to_run(std::slice::from_ref(&theirs.trace), &ours.run).unwrap();
    let linked = TraceQuery { experiments: vec![theirs.experiment.clone()], limit: 10, ..TraceQuery::default() };
    assert!(tx.search_traces(&linked).unwrap().items.is_empty());
    let both = vec![theirs.experiment.clone(), ours.experiment.clone()];
    let query = RunQuery { experiments: both.clone(), view: ViewType::All, limit: 10, ..RunQuery::default() };
    let found: Vec<String> = tx.search_runs(&query).unwrap().items.into_iter().map(|run| run.id).collect();
    assert_eq!(found, [ours.run.as_str()]);
    let query = TraceQuery { experiments: both, limit: 10, ..TraceQuery::default() };
    let found: Vec<String> = tx.search_traces(&query).unwrap().items.into_iter().map(|trace| trace.id).collect();
    assert_eq!(found, [ours.trace.as_str()]);
}

/// Equal bytes are stored once in each workspace, and not once for two.
pub(super) fn what_lies_loose_is_of_one_too(tx: &mut dyn Transaction) {
    let [a, b] = ["team-a", "team-b"].map(|name| made(tx, name));
    for number in [DEFAULT_WORKSPACE, a] {
        tx.enter(number);
        assert_eq!(loose(tx), 0);
        tx.put_artifact(&artifact(ArtifactOwner::Loose, &format!("object-{number}"))).unwrap();
        assert_eq!(loose(tx), 1);
    }
    let refused = tx.delete_workspace("team-a", WorkspaceDeletion::Restrict);
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    tx.enter(b);
    assert_eq!(loose(tx), 0);
    assert_eq!(tx.delete_artifacts_below(&ArtifactOwner::Loose, "").unwrap(), 0);
    assert!(matches!(tx.delete_workspace("team-a", WorkspaceDeletion::SetDefault), Err(StoreError::Conflict(_))));
    tx.delete_workspace("team-a", WorkspaceDeletion::Cascade).unwrap();
    tx.enter(a);
    assert_eq!(loose(tx), 0);
    tx.enter(DEFAULT_WORKSPACE);
    assert_eq!(loose(tx), 1);
}

pub(super) fn bytes_are_not_shared_between_two(tx: &mut dyn Transaction) {
    let number = made(tx, "team-a");
    fill(tx, "d");
    tx.enter(number);
    fill(tx, "a");
    // Three files of the same content in each.
    assert_eq!(share_all(tx), 4);
    for mark in ["a", "d"] {
        let bytes = |tx: &mut dyn Transaction, n: i32| tx.bytes_of_object(&format!("{mark}-object-{n}")).unwrap();
        let one = bytes(tx, 0);
        assert!(one.starts_with(mark), "{one}");
        assert_eq!((bytes(tx, 1), bytes(tx, 2)), (one.clone(), one));
    }
}

fn grant(tx: &mut dyn Transaction, pattern: &str) {
    let grant = Grant {
        grantee: "principal:u1".parse().unwrap(),
        pattern: pattern.parse().unwrap(),
        right: "MANAGE".parse().unwrap(),
    };
    tx.set_grant(&grant).unwrap();
}

fn patterns(tx: &mut dyn Transaction) -> Vec<String> {
    let mut all: Vec<String> = tx.grants().unwrap().iter().map(|grant| grant.pattern.to_string()).collect();
    all.sort_unstable();
    all
}

pub(super) fn a_deleted_one_leaves_nothing(tx: &mut dyn Transaction) {
    let kept = fill(tx, "d");
    let before = all(tx, &kept);
    let number = made(tx, "team-a");
    tx.enter(number);
    let gone = fill(tx, "a");
    for pattern in
        ["experiment:*", "registered-model:m", "team-a/experiment:*", "team-a/registered-model:m", "workspace:team-a"]
    {
        grant(tx, pattern);
    }
    tx.create_role("team-a", "r", None, time(1)).unwrap();
    let refused = tx.delete_workspace("team-a", WorkspaceDeletion::Restrict);
    assert!(
        matches!(&refused, Err(StoreError::Conflict(text)) if text.contains("table 'registered_models' still contains 1")),
        "{refused:?}"
    );
    tx.mark_published(NAME, 1, Digest::of(b"x"), time(9)).unwrap();
    assert!(matches!(tx.delete_workspace("team-a", WorkspaceDeletion::Cascade), Err(StoreError::Conflict(_))));
    tx.delete_alias(NAME, "champion").unwrap();
    // Published versions stay, so the test goes on with a workspace that has none.
    let other = made(tx, "team-b");
    tx.enter(other);
    let mut last = fill(tx, "b");
    last.upload = gone.upload.clone();
    grant(tx, "team-b/experiment:*");
    tx.create_role("team-b", "r", None, time(1)).unwrap();
    tx.delete_workspace("team-b", WorkspaceDeletion::Cascade).unwrap();
    assert!(!all(tx, &last).contains("b-"), "{}", all(tx, &last));
    assert!(tx.roles(Some("team-b")).unwrap().is_empty());
    assert!(!patterns(tx).iter().any(|pattern| pattern.contains("team-b")));
    assert!(!tx.object_is_referenced("b-object-0").unwrap());
    tx.enter(DEFAULT_WORKSPACE);
    assert_eq!(all(tx, &kept), before);
}

pub(super) fn what_is_in_a_deleted_one_can_move(tx: &mut dyn Transaction) {
    let number = made(tx, "team-a");
    tx.enter(number);
    let moving = fill(tx, "a");
    let exact = format!("team-a/experiment:{}", moving.experiment);
    // Of things of other workspaces, or of none, as somebody may have given themselves who manages this one.
    let odd = ["team-a/experiment:0", "team-a/registered-model:elsewhere"];
    for pattern in [exact.as_str(), "team-a/experiment:*", "team-a/registered-model:the same*", "workspace:team-a"]
        .into_iter()
        .chain(odd)
    {
        grant(tx, pattern);
    }
    tx.create_role("team-a", "r", None, time(1)).unwrap();
    tx.enter(DEFAULT_WORKSPACE);
    tx.create_registered_model(NAME, "d", &[], "ada", time(1)).unwrap();
    let refused = tx.delete_workspace("team-a", WorkspaceDeletion::SetDefault);
    assert!(
        matches!(&refused, Err(StoreError::Conflict(text)) if text.contains("registered_models: \"the same name\"")),
        "{refused:?}"
    );
    tx.delete_registered_model(NAME).unwrap();
    tx.enter(number);
    let before = all(tx, &moving);
    tx.delete_workspace("team-a", WorkspaceDeletion::SetDefault).unwrap();
    assert!(tx.run(&moving.run).unwrap().is_none());
    tx.enter(DEFAULT_WORKSPACE);
    let after = all(tx, &moving);
    // The default experiment was there already.
    assert_eq!(after.lines().skip(1).collect::<Vec<_>>(), before.lines().skip(1).collect::<Vec<_>>());
    // Rights on one thing went with it; those on all things of the workspace ended.
    assert_eq!(patterns(tx), [format!("experiment:{}", moving.experiment)]);
    assert!(tx.roles(Some("team-a")).unwrap().is_empty());
    assert_eq!(share_all(tx), 2);
}
