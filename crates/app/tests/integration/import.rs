//! Imports of a store that MLflow could have left, and of ones that it could not.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sealyard_app::{App, AppError, ImportOptions, ImportReport};
use sealyard_core::{Redacted, TreePath};
use sealyard_identity::PrincipalName;
use sealyard_ledger::{Act, Event};
use sealyard_store::Store;
use sealyard_store::import::SourceUser;
use sealyard_store::model::ArtifactOwner;
use sealyard_store_sql::{MlflowSource, read_mlflow_users};

use crate::harness::{bare, path};
use crate::samples;

/// What 3.0's first schema has of the tables that are read: no spans, no assessments, no previews.
const OLDEST: &str = "
CREATE TABLE alembic_version (version_num TEXT NOT NULL);
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT,
    creation_time BIGINT, last_update_time BIGINT);
CREATE TABLE experiment_tags (key TEXT, value TEXT, experiment_id INTEGER);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
    lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
CREATE TABLE latest_metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
CREATE TABLE datasets (dataset_uuid TEXT, experiment_id INTEGER, name TEXT, digest TEXT, dataset_source_type TEXT,
    dataset_source TEXT, dataset_schema TEXT, dataset_profile TEXT);
CREATE TABLE inputs (input_uuid TEXT, source_type TEXT, source_id TEXT, destination_type TEXT, destination_id TEXT, step BIGINT);
CREATE TABLE input_tags (input_uuid TEXT, name TEXT, value TEXT);
CREATE TABLE logged_models (model_id TEXT, experiment_id INTEGER, name TEXT, artifact_location TEXT,
    creation_timestamp_ms BIGINT, last_updated_timestamp_ms BIGINT, status INTEGER, lifecycle_stage TEXT, model_type TEXT,
    source_run_id TEXT, status_message TEXT);
CREATE TABLE logged_model_tags (model_id TEXT, tag_key TEXT, tag_value TEXT);
CREATE TABLE logged_model_params (model_id TEXT, param_key TEXT, param_value TEXT);
CREATE TABLE logged_model_metrics (model_id TEXT, metric_name TEXT, metric_timestamp_ms BIGINT, metric_step BIGINT,
    metric_value FLOAT, run_id TEXT, dataset_name TEXT, dataset_digest TEXT);
CREATE TABLE registered_models (name TEXT, creation_time BIGINT, last_updated_time BIGINT, description TEXT);
CREATE TABLE registered_model_tags (name TEXT, key TEXT, value TEXT);
CREATE TABLE registered_model_aliases (name TEXT, alias TEXT, version INTEGER);
CREATE TABLE model_versions (name TEXT, version INTEGER, creation_time BIGINT, last_updated_time BIGINT, description TEXT,
    user_id TEXT, current_stage TEXT, source TEXT, run_id TEXT, status TEXT, storage_location TEXT);
CREATE TABLE model_version_tags (name TEXT, version INTEGER, key TEXT, value TEXT);
CREATE TABLE trace_info (request_id TEXT PRIMARY KEY, experiment_id INTEGER, timestamp_ms BIGINT, execution_time_ms BIGINT,
    status TEXT);
CREATE TABLE trace_tags (key TEXT, value TEXT, request_id TEXT);
CREATE TABLE trace_request_metadata (key TEXT, value TEXT, request_id TEXT);
INSERT INTO experiments VALUES (0, 'Default', '', 'active', 1, 1), (7, 'fraud', 'mlflow-artifacts:/7', 'active', 5, 6);
INSERT INTO runs VALUES ('0123456789abcdef0123456789abcdef', 'run', 'ada', 'FINISHED', 5, 9, 'active', '', 7);
";

/// What came later.
const NEWER: &str = "
ALTER TABLE trace_info ADD COLUMN client_request_id TEXT;
ALTER TABLE trace_info ADD COLUMN request_preview TEXT;
ALTER TABLE trace_info ADD COLUMN response_preview TEXT;
CREATE TABLE assessments (assessment_id TEXT, trace_id TEXT, name TEXT, assessment_type TEXT, value TEXT, error TEXT,
    created_timestamp BIGINT, last_updated_timestamp BIGINT, source_type TEXT, source_id TEXT, run_id TEXT, span_id TEXT,
    rationale TEXT, overrides TEXT, valid BOOLEAN, assessment_metadata TEXT);
CREATE TABLE trace_metrics (request_id TEXT, key TEXT, value FLOAT);
CREATE TABLE spans (trace_id TEXT, experiment_id INTEGER, span_id TEXT, parent_span_id TEXT, name TEXT, type TEXT, status TEXT,
    start_time_unix_nano BIGINT, end_time_unix_nano BIGINT, content TEXT);
CREATE TABLE entity_associations (association_id TEXT, source_type TEXT, source_id TEXT, destination_type TEXT,
    destination_id TEXT, created_time BIGINT);
";

/// What evaluation brought, and webhooks.
const EVALUATION: &str = "
CREATE TABLE evaluation_datasets (dataset_id TEXT, name TEXT, schema TEXT, profile TEXT, digest TEXT, created_time BIGINT,
    last_update_time BIGINT, created_by TEXT, last_updated_by TEXT);
CREATE TABLE evaluation_dataset_tags (dataset_id TEXT, key TEXT, value TEXT);
CREATE TABLE evaluation_dataset_records (dataset_record_id TEXT, dataset_id TEXT, inputs TEXT, outputs TEXT, expectations TEXT,
    tags TEXT, source TEXT, source_id TEXT, source_type TEXT, created_time BIGINT, last_update_time BIGINT, created_by TEXT,
    last_updated_by TEXT);
CREATE TABLE scorers (scorer_id TEXT, experiment_id INTEGER, scorer_name TEXT);
CREATE TABLE scorer_versions (scorer_id TEXT, scorer_version INTEGER, serialized_scorer TEXT, creation_time BIGINT);
CREATE TABLE issues (issue_id TEXT, experiment_id INTEGER, name TEXT, description TEXT, status TEXT, severity TEXT,
    root_causes TEXT, categories TEXT, source_run_id TEXT, created_by TEXT, created_timestamp BIGINT,
    last_updated_timestamp BIGINT);
CREATE TABLE webhooks (webhook_id TEXT, name TEXT, description TEXT, url TEXT, creation_timestamp BIGINT,
    last_updated_timestamp BIGINT, deleted_timestamp BIGINT);
CREATE TABLE webhook_events (webhook_id TEXT, entity TEXT, action TEXT);
";

/// More than a mebibyte, for SQL.
const LARGE: &str = "replace(hex(zeroblob(600000)), '0', 'a')";

const RUN: &str = "0123456789abcdef0123456789abcdef";

struct Source {
    folder: tempfile::TempDir,
}

impl Source {
    fn new(schema: &[&str], revision: &str) -> Self {
        let source = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(source.artifacts()).unwrap();
        source.sql(&schema.concat());
        source.sql(&format!("INSERT INTO alembic_version VALUES ('{revision}')"));
        source
    }

    fn artifacts(&self) -> PathBuf {
        self.folder.path().join("mlruns")
    }

    fn sql(&self, statements: &str) {
        let connection = rusqlite::Connection::open(self.folder.path().join("mlflow.db")).unwrap();
        connection.execute_batch(&format!("BEGIN; {statements}; COMMIT")).unwrap();
    }

    /// What basic auth has beside the store, if there is anything.
    fn users(&self) -> Vec<SourceUser> {
        let path = self.folder.path().join("basic_auth.db");
        if path.exists() { read_mlflow_users(&path).unwrap() } else { Vec::new() }
    }

    fn file(&self, place: &str, content: &[u8]) {
        let file = self.artifacts().join(place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// Imports until the import says `stop_at`, or to its end.
    async fn import(&self, app: &Arc<App>, stop_at: Option<&'static str>) -> Result<ImportReport, AppError> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let say = move |text: &str| {
            if stop_at.is_some_and(|wanted| text.starts_with(wanted)) {
                stopping.store(true, Ordering::Relaxed);
            }
        };
        self.import_saying(app, stop, say).await
    }

    async fn import_saying(
        &self,
        app: &Arc<App>,
        stop: Arc<AtomicBool>,
        say: impl FnMut(&str) + Send + 'static,
    ) -> Result<ImportReport, AppError> {
        let source = MlflowSource::open_sqlite(&self.folder.path().join("mlflow.db")).unwrap();
        let options = ImportOptions { artifacts: Some(self.artifacts()), users: self.users(), stop };
        app.import(Box::new(source), options, Box::new(say)).await
    }
}

fn refused(report: &ImportReport) -> Vec<(&str, &str)> {
    report.refused.iter().map(|one| (one.what.as_str(), one.rule.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn more_refusals_than_are_listed_are_no_hindrance() {
    let bare = bare(None).await;
    let app = &bare.app;
    let source = Source::new(&[OLDEST], "6953534de441");
    for number in 0..1030 {
        source.file(&format!("7/{RUN}/artifacts/bad/{number}.pkl"), &samples::malicious());
    }
    source.file(&format!("7/{RUN}/artifacts/good.txt"), b"good");
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished && report.is_verified());
    assert_eq!((report.refusals, report.refused.len()), (1030, 1000), "counted all, listed some");
    let artifacts = &report.experiments["7"]["artifacts"];
    assert_eq!((artifacts.source, artifacts.target, artifacts.refused), (1, 1, 1030));
    while app.sequence().await.unwrap() > 0 {}
    let store: &dyn Store = &bare.store;
    let entries = store.read(|tx| tx.entries(0, 10_000)).await.unwrap();
    let events = entries.iter().map(|entry| serde_json::from_slice::<Event>(&entry.bytes).unwrap());
    let written = events.filter(|event| matches!(event.act, Act::ArtifactRefused { .. })).count();
    assert_eq!(written, 1030, "each stands in the ledger, and none is only counted");

    let again = source.import(app, None).await.unwrap();
    assert!(again.already && again.finished && again.verified_at.is_some());
    assert_eq!(again.experiments, report.experiments, "what was compared is still known");
    assert_eq!((again.refusals, again.verified_at), (report.refusals, report.verified_at));
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_of_the_oldest_schema_come_with_their_files() {
    let bare = bare(None).await;
    let (app, store): (_, &dyn Store) = (&bare.app, &bare.store);
    let source = Source::new(&[OLDEST], "6953534de441");
    source.sql(
        "INSERT INTO trace_info VALUES ('tr-1', 7, 5, 6, 'OK'), ('tr-2', 7, 5, 6, 'OK'), ('../x', 7, 5, 6, 'OK'),
             ('tr-3', 99, 5, 6, 'OK'), ('tr-4', 7, -5, 6, 'OK'), ('tr-5', 7, 5, NULL, 'IN_PROGRESS');
         INSERT INTO trace_tags VALUES ('mlflow.artifactLocation', 'file:///etc', 'tr-1'), ('colour', 'red', 'tr-1')",
    );
    source.file("7/traces/tr-1/artifacts/traces.json", b"{\"spans\": []}");
    source.file("7/traces/tr-4/artifacts/traces.json", b"{\"spans\": []}");
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished && report.is_verified());
    let mut found = refused(&report);
    found.sort_unstable();
    let wanted = [
        ("traces:/../x", "trace.bounds"),
        ("traces:/tr-2/spans", "trace.spans"),
        ("traces:/tr-3", "trace.experiment"),
        ("traces:/tr-4", "trace.bounds"),
    ];
    assert_eq!(found, wanted);
    let (trace, files) = store
        .read(|tx| {
            let owner = ArtifactOwner::Trace("tr-1".into());
            Ok::<_, AppError>((tx.trace("tr-1")?.unwrap(), tx.artifacts_below(&owner, "")?))
        })
        .await
        .unwrap();
    let location = trace.tags.iter().find(|tag| tag.key == "mlflow.artifactLocation").unwrap();
    assert_eq!(location.value, "mlflow-artifacts:/7/traces/tr-1/artifacts", "the source's word for it is not believed");
    assert_eq!(files.iter().map(|file| file.path.clone()).collect::<Vec<TreePath>>(), [path("traces.json")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_traces_that_is_stopped_doubles_nothing() {
    let bare = bare(None).await;
    let app = &bare.app;
    let source = Source::new(&[OLDEST, NEWER], "7d34483879f0");
    let mut rows = String::new();
    for number in 0..120 {
        let id = format!("tr-{number:032x}");
        rows += &format!("INSERT INTO trace_info VALUES ('{id}', 7, {number}, 3, 'OK', NULL, 'asked', 'said');");
        rows += &format!("INSERT INTO trace_tags VALUES ('mlflow.trace.spansLocation', 'TRACKING_STORE', '{id}');");
        for span in 1..4 {
            let parent = if span == 1 { "NULL".to_owned() } else { "'0000000000000001'".to_owned() };
            rows += &format!(
                "INSERT INTO spans VALUES ('{id}', 7, '{span:016x}', {parent}, 's', 'LLM', 'OK', 5, 9, '{{\"name\": \"s\"}}');"
            );
        }
        rows += &format!(
            "INSERT INTO assessments VALUES ('a-{number}', '{id}', 'good', 'feedback', 'true', NULL, 5, 6, 'HUMAN', NULL, NULL,
                 NULL, NULL, NULL, 1, '{{}}');
             INSERT INTO entity_associations VALUES ('x', 'trace', '{id}', 'run', '{RUN}', 5);"
        );
    }
    source.sql(&rows);
    let stops = ["traces", "traces", "files of traces", "verification"];
    for stop in stops {
        let report = source.import(app, Some(stop)).await.unwrap();
        assert!(!report.finished, "stopped at {stop}");
    }
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished && report.is_verified() && report.refusals == 0);
    let counts = &report.experiments["7"];
    for (table, count) in [("traces", 120), ("spans", 360), ("trace_assessments", 120), ("trace_runs", 120)] {
        assert_eq!((counts[table].source, counts[table].target), (count, count), "{table}");
    }
}

/// Of a page that is too large for one transaction, some is written before the place that the import goes on from.
#[tokio::test(flavor = "multi_thread")]
async fn traces_that_are_written_again_are_not_doubled() {
    let bare = bare(None).await;
    let (app, store) = (&bare.app, bare.store.clone());
    let source = Source::new(&[OLDEST, NEWER], "7d34483879f0");
    // The first page is as any; the second is three traces with more than can be written at once.
    for trace in 0..53 {
        let id = format!("tr-{trace:032x}");
        let mut rows = format!("INSERT INTO trace_info VALUES ('{id}', 7, {trace}, 3, 'OK', NULL, 'asked', 'said');");
        rows += &format!("INSERT INTO entity_associations VALUES ('x', 'trace', '{id}', 'run', '{RUN}', 5);");
        rows += &format!(
            "INSERT INTO assessments VALUES ('a-{trace}', '{id}', 'good', 'feedback', 'true', NULL, 5, 6, 'HUMAN', NULL, NULL,
                 NULL, NULL, NULL, 1, '{{}}');"
        );
        let content = if trace < 50 { "'x'" } else { LARGE };
        for span in 1..5 {
            rows += &format!(
                "INSERT INTO spans VALUES ('{id}', 7, '{span:016x}', NULL, 's', 'LLM', 'OK', 5, 9,
                     '{{\"name\": \"s\", \"odd\": \"' || {content} || '\"}}');"
            );
        }
        source.sql(&rows);
    }
    let lost = store.clone();
    let say = move |text: &str| {
        if text == "traces: 50" {
            lost.lose_after(1);
        }
    };
    assert!(source.import_saying(app, Arc::default(), say).await.is_err());
    assert!(store.was_lost());
    let halves = {
        let store: &dyn Store = &store;
        let ids = [50, 51].map(|trace| format!("tr-{trace:032x}"));
        let halves =
            store.read(move |tx| Ok::<_, AppError>([tx.trace(&ids[0])?.is_some(), tx.trace(&ids[1])?.is_some()]));
        halves.await.unwrap()
    };
    assert_eq!(halves, [true, false], "of the second page, some is written");
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished && report.is_verified() && report.refusals == 0);
    let counts = &report.experiments["7"];
    for (table, count) in [("traces", 53), ("spans", 212), ("trace_assessments", 53), ("trace_runs", 53)] {
        assert_eq!((counts[table].source, counts[table].target), (count, count), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_odd_is_told_and_not_emptied() {
    let bare = bare(None).await;
    let source = Source::new(&[OLDEST, NEWER, EVALUATION], "7d34483879f0");
    let id = "tr-00000000000000000000000000000001";
    let assessment = |id: &str, value: &str, error: &str, rationale: &str, metadata: &str| {
        format!(
            "INSERT INTO assessments VALUES ('{id}', 'tr-00000000000000000000000000000001', 'good', 'feedback', {value}, {error},
                 5, 6, 'HUMAN', NULL, NULL, NULL, {rationale}, NULL, 1, {metadata});"
        )
    };
    let issue = |digit: &str, description: &str, causes: &str| {
        let id = format!("iss-{}", digit.repeat(32));
        format!(
            "INSERT INTO issues VALUES ('{id}', 7, 'slow', {description}, 'pending', NULL, {causes}, NULL, NULL, NULL, 5, 6);"
        )
    };
    let json = format!("'{{\"a\": \"' || {LARGE} || '\"}}'");
    source.sql(&format!(
        "INSERT INTO trace_info VALUES ('{id}', 7, 5, NULL, 'IN_PROGRESS', NULL, 'asked', 'said');
         INSERT INTO trace_metrics VALUES ('{id}', 'good', 5), ('{id}', 'endless', 9e999);
         INSERT INTO entity_associations VALUES ('x', 'trace', '{id}', 'run', '../x', 5),
             ('x', 'trace', '{id}', 'run', '{RUN}', 5), ('x', 'trace', '{id}', 'prompt_version', 'greeting', 5);
         {} {} {} {} {} {} {} {}
         INSERT INTO evaluation_datasets VALUES ('d-1', 'good', '{{}}', NULL, 'x', 5, 6, NULL, NULL),
             ('d-2', 'large', {json}, NULL, 'x', 5, 6, NULL, NULL), ('d-3', 'deep', NULL, {json}, 'x', 5, 6, NULL, NULL),
             ('d-4', 'odd', '{{', NULL, 'x', 5, 6, NULL, NULL), ('d-5', 'none', NULL, NULL, 'a' || char(0), 5, 6, NULL, NULL),
             ('d-6', 'tag', NULL, NULL, 'x', 5, 6, NULL, NULL);
         INSERT INTO evaluation_dataset_tags VALUES ('d-6', 'k', 'a' || char(0));
         INSERT INTO webhooks VALUES ('w-1', 'nul', 'a' || char(0), 'https://1.1.1.1/', 5, 6, NULL);
         INSERT INTO webhook_events VALUES ('w-1', 'registered_model', 'created')",
        assessment("a-1", "'true'", "NULL", "'why'", "'{}'"),
        assessment("a-2", "'true'", "NULL", LARGE, "'{}'"),
        assessment("a-3", "'true'", &json, "NULL", "'{}'"),
        assessment("a-4", "'true'", "NULL", "NULL", &json),
        issue("1", "'very'", "NULL"),
        issue("2", LARGE, "NULL"),
        issue("3", "'very'", &format!("'[\"' || {LARGE} || '\"]'")),
        issue("4", "'a' || char(0)", "NULL"),
    ));
    let report = source.import(&bare.app, None).await.unwrap();
    assert!(report.finished && report.is_verified(), "{:?}", report.experiments);
    let mut found = refused(&report);
    found.sort_unstable();
    let trace = format!("traces:/{id}");
    let assessments: Vec<String> = (2..5).map(|number| format!("{trace}/assessments/a-{number}")).collect();
    let issues: Vec<String> = (2..5).map(|number| format!("issues:/iss-{}", number.to_string().repeat(32))).collect();
    let parts = [format!("{trace}/metrics/endless"), format!("{trace}/prompts/greeting"), format!("{trace}/runs/../x")];
    let mut wanted: Vec<(&str, &str)> = vec![(&parts[0], "trace.metric"), ("webhooks:/w-1", "webhook.bounds")];
    wanted.extend(parts[1..].iter().map(|part| (part.as_str(), "trace.link")));
    wanted.extend(assessments.iter().map(|one| (one.as_str(), "trace.assessment")));
    wanted.extend(issues.iter().map(|one| (one.as_str(), "issue.bounds")));
    let datasets: Vec<String> = (2..7).map(|number| format!("datasets:/d-{number}")).collect();
    wanted.extend(datasets.iter().map(|one| (one.as_str(), "dataset.bounds")));
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    assert_eq!(report.experiments["7"]["trace_runs"].refused, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn scorers_come_as_far_as_lists_can_give_them() {
    let bare = bare(None).await;
    let source = Source::new(&[OLDEST, EVALUATION], "7d34483879f0");
    source.sql(
        "INSERT INTO scorers VALUES ('s-1', 7, 'good');
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 51)
         INSERT INTO scorer_versions SELECT 's-1', i, '\"' || replace(hex(zeroblob(500000)), '0', 'a') || '\"', 5 FROM n",
    );
    let report = source.import(&bare.app, None).await.unwrap();
    assert!(report.finished && report.is_verified());
    assert_eq!(refused(&report), [("scorers:/7/good/51", "scorer.size")]);
    let scorers = &report.experiments["7"]["scorers"];
    assert_eq!((scorers.source, scorers.target, scorers.refused), (50, 50, 1));
}

/// SQLite lets a column hold what its type does not say, and then a page ends in front of its own begin.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_would_give_the_same_page_for_ever_is_refused() {
    for (schema, rows) in [
        (EVALUATION, "INSERT INTO scorers VALUES (CAST(x'732dff' AS TEXT), 7, 's')"),
        (
            EVALUATION,
            "INSERT INTO scorers VALUES ('s-1', 7, 's'); CREATE TABLE loose (scorer_id, scorer_version, serialized_scorer, creation_time);
             DROP TABLE scorer_versions; ALTER TABLE loose RENAME TO scorer_versions;
             INSERT INTO scorer_versions VALUES ('s-1', '5x', '{\"name\":\"s\"}', 5)",
        ),
        (
            EVALUATION,
            "INSERT INTO webhooks VALUES (CAST(x'77ff' AS TEXT), 'w', '', 'https://example.com', 1, 1, NULL)",
        ),
    ] {
        let bare = bare(None).await;
        let source = Source::new(&[OLDEST, schema], "7d34483879f0");
        source.sql(&format!("INSERT INTO scorer_versions VALUES (CAST(x'732dff' AS TEXT), 1, '{{\"name\":\"s\"}}', 5); {rows}"));
        let imported = tokio::time::timeout(std::time::Duration::from_secs(60), source.import(&bare.app, None));
        let error = imported.await.expect("it goes on for ever").unwrap_err();
        assert!(!error.to_string().is_empty());
        let store: &dyn Store = &bare.store;
        while bare.app.sequence().await.unwrap() > 0 {}
        assert!(store.read(|tx| tx.entries(0, 10_000)).await.unwrap().len() < 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_counted_over_calls() {
    let bare = bare(None).await;
    let source = Source::new(&[OLDEST, EVALUATION], "7d34483879f0");
    source.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1002)
         INSERT INTO webhooks SELECT printf('w-%04d', i), 'w', '', 'https://1.1.1.1/', 5, 6, NULL FROM n;
         INSERT INTO webhook_events SELECT webhook_id, 'registered_model', 'created' FROM webhooks",
    );
    assert!(!source.import(&bare.app, Some("webhooks")).await.unwrap().finished);
    let report = source.import(&bare.app, None).await.unwrap();
    assert!(report.finished && report.is_verified());
    let bounds = "webhook.bounds";
    assert_eq!(refused(&report), [("webhooks:/w-1001", bounds), ("webhooks:/w-1002", bounds)]);
}

/// The refusal of a model's folder and the state that follows from it are one write.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_folder_is_told_once_however_often_the_import_breaks() {
    let bare = bare(None).await;
    let (app, store) = (&bare.app, bare.store.clone());
    let source = Source::new(&[OLDEST], "6953534de441");
    source.sql("INSERT INTO logged_models VALUES ('m-1', 7, 'm', '', 5, 6, 2, 'active', '', NULL, '')");
    source.file("7/models/m-1/artifacts/MLmodel", samples::MLMODEL_WITH_CODE);
    source.file(&format!("7/models/m-1/artifacts/{}", samples::SHADOW), b"import os");
    assert!(!source.import(app, Some("artifacts of runs")).await.unwrap().finished);
    for _ in 0..12 {
        store.lose_after(1);
        if source.import(app, None).await.is_ok() {
            break;
        }
    }
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished);
    assert_eq!(refused(&report), [("models:/m-1", "scan:mlmodel-code-path")]);
    while app.sequence().await.unwrap() > 0 {}
    let store: &dyn Store = &store;
    let entries = store.read(|tx| Ok::<_, AppError>(tx.entries(0, 10_000)?)).await.unwrap();
    let acts = entries.iter().map(|entry| serde_json::from_slice::<Event>(&entry.bytes).unwrap().act);
    let told = acts.filter(|act| matches!(act, Act::ArtifactRefused { path, .. } if path == "models:/m-1"));
    assert_eq!(told.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_sees_what_was_changed_meanwhile() {
    let bare = bare(None).await;
    let (app, store): (_, &dyn Store) = (&bare.app, &bare.store);
    let source = Source::new(&[OLDEST, NEWER], "7d34483879f0");
    let id = "tr-00000000000000000000000000000001";
    source.sql(&format!(
        "INSERT INTO trace_info VALUES ('{id}', 7, 5, 3, 'OK', NULL, 'asked', 'said');
         INSERT INTO spans VALUES ('{id}', 7, '0000000000000001', NULL, 's', 'LLM', 'OK', 5, 9, '{{}}')"
    ));
    let stopped = source.import(app, Some("verification")).await.unwrap();
    assert!(!stopped.finished && !stopped.is_verified(), "nothing was compared");
    store.write(move |tx| Ok::<_, AppError>(tx.set_trace_tag(id, "colour", "red")?)).await.unwrap();
    let report = source.import(app, None).await.unwrap();
    assert!(!report.finished && !report.is_verified());
    assert!(!report.experiments["7"]["trace_tags"].same && report.experiments["7"]["spans"].same);
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_come_under_their_numbers_and_name_no_place() {
    let bare = bare(None).await;
    let (app, store): (_, &dyn Store) = (&bare.app, &bare.store);
    let source = Source::new(&[OLDEST], "6953534de441");
    source.sql(
        "INSERT INTO registered_models VALUES ('greeting', 5, 6, ''), ('model', 5, 6, '');
         INSERT INTO registered_model_tags VALUES ('greeting', 'mlflow.prompt.is_prompt', 'true');
         INSERT INTO registered_model_aliases VALUES ('greeting', 'live', 3);
         INSERT INTO model_versions VALUES ('greeting', 3, 5, 6, 'first', NULL, 'None', 'dummy-source', '', 'READY', NULL),
             ('greeting', 4, 5, 6, '', NULL, 'None', 'file:///etc/passwd', '', 'READY', NULL),
             ('model', 1, 5, 6, '', NULL, 'None', 'dummy-source', '', 'READY', NULL);
         INSERT INTO model_version_tags VALUES ('greeting', 3, 'mlflow.prompt.is_prompt', 'true'),
             ('greeting', 3, 'mlflow.prompt.text', 'Hello'), ('greeting', 4, 'mlflow.prompt.is_prompt', 'true'),
             ('model', 1, 'mlflow.prompt.is_prompt', 'true')",
    );
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished && report.is_verified());
    let rule = "version.source";
    assert_eq!(refused(&report), [("models:/greeting/4", rule), ("models:/model/1", rule)]);
    let (version, model) = store
        .read(|tx| {
            Ok::<_, AppError>((tx.model_version("greeting", 3)?.unwrap(), tx.registered_model("greeting")?.unwrap()))
        })
        .await
        .unwrap();
    assert!(version.is_record && version.tags.iter().any(|tag| tag.value == "Hello"));
    assert_eq!(model.aliases, [("live".to_owned(), 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_come_without_passwords_and_lock_nobody_out() {
    let bare = bare(None).await;
    let (app, store): (_, &dyn Store) = (&bare.app, &bare.store);
    let source = Source::new(&[OLDEST], "6953534de441");
    let users = rusqlite::Connection::open(source.folder.path().join("basic_auth.db")).unwrap();
    users
        .execute_batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password_hash TEXT, is_admin BOOLEAN);
             CREATE TABLE experiment_permissions (id INTEGER, experiment_id TEXT, user_id INTEGER, permission TEXT);
             CREATE TABLE registered_model_permissions (id INTEGER, name TEXT, user_id INTEGER, permission TEXT);
             INSERT INTO users VALUES (1, 'admin', 'scrypt:x', 1), (2, 'ada', 'scrypt:y', 0), (3, 'system', 'z', 1);
             INSERT INTO experiment_permissions VALUES (1, '7', 2, 'EDIT'), (2, '99', 2, 'READ'), (3, '0', 2, 'NO_PERMISSIONS'),
                 (4, '7', 2, 'EVERYTHING');",
        )
        .unwrap();
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished && report.is_verified());
    let wanted = [
        ("users:/ada/experiments/99", "grant.resource"),
        ("users:/ada/experiments/7", "grant.bounds"),
        ("users:/system", "user.name"),
    ];
    let mut found = refused(&report);
    found.sort_unstable();
    let mut sorted = wanted;
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    assert!(report.to_do.iter().any(|text| text.starts_with("2 users came without a password")));
    let (users, grants) = store.read(|tx| Ok::<_, AppError>((tx.users()?, tx.grants()?))).await.unwrap();
    assert!(users.iter().all(|user| user.password.is_none() && !user.admin), "{users:?}");
    let mut given: Vec<String> = grants.iter().map(ToString::to_string).collect();
    given.sort_unstable();
    assert_eq!(given.len(), 2, "{given:?}");
    // Somebody must get in: the one who starts the server, under the name that was there too.
    let password = Redacted::new("Tern-Basalt-Quillwort-58".to_owned());
    let name = PrincipalName::new("admin").unwrap();
    assert!(app.first_administrator(name.clone(), Some(password.clone())).await.unwrap().is_some());
    let users = store.read(|tx| Ok::<_, AppError>(tx.users()?)).await.unwrap();
    let admin = users.iter().find(|user| user.name == "admin").unwrap();
    assert!(admin.admin && admin.password.is_some() && users.len() == 2);
    app.first_start_done().await.unwrap();
    assert!(app.first_administrator(name.clone(), Some(password.clone())).await.unwrap().is_none(), "once");
    let again = source.import(app, None).await.unwrap();
    assert!(again.already && again.to_do.iter().any(|text| text.starts_with("2 were administrators")));
    // Whoever may start the server but was given no way in has none by there being nobody who can log in.
    store.write(|tx| Ok::<_, AppError>(tx.delete_user("admin")?)).await.unwrap();
    assert!(app.first_administrator(name, Some(password)).await.unwrap().is_none());
    while app.sequence().await.unwrap() > 0 {}
    let entries = store.read(|tx| Ok::<_, AppError>(tx.entries(0, 10_000)?)).await.unwrap();
    let acts: Vec<Act> =
        entries.iter().map(|entry| serde_json::from_slice::<Event>(&entry.bytes).unwrap().act).collect();
    let made =
        |wanted: &str| acts.iter().filter(|act| matches!(act, Act::UserCreated { name, .. } if name == wanted)).count();
    assert_eq!((made("admin"), made("ada")), (1, 1), "one that was imported is not made again");
    assert!(acts.iter().any(|act| matches!(act, Act::UserUpdated { change, .. } if change == "administrator")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_in_other_workspaces_do_not_move_to_another_model() {
    let bare = bare(None).await;
    let (app, store): (_, &dyn Store) = (&bare.app, &bare.store);
    let source = Source::new(&[OLDEST], "6953534de441");
    source.sql("INSERT INTO registered_models VALUES ('m', 5, 6, '')");
    let auth = rusqlite::Connection::open(source.folder.path().join("basic_auth.db")).unwrap();
    auth.execute_batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password_hash TEXT, is_admin BOOLEAN);
             CREATE TABLE registered_model_permissions (id INTEGER, workspace TEXT, name TEXT, user_id INTEGER,
                 permission TEXT);
             INSERT INTO users VALUES (1, 'ada', 'scrypt:y', 0), (2, 'grace', 'scrypt:y', 0);
             INSERT INTO registered_model_permissions VALUES (1, 'team-a', 'm', 1, 'MANAGE'), (2, 'default', 'm', 2, 'READ');",
        )
        .unwrap();
    let report = source.import(app, None).await.unwrap();
    assert!(report.finished && report.is_verified());
    assert_eq!(refused(&report), [("users:/ada/workspaces/team-a/models/m", "grant.workspace")]);
    let (users, grants) = store.read(|tx| Ok::<_, AppError>((tx.users()?, tx.grants()?))).await.unwrap();
    let grace = users.iter().find(|user| user.name == "grace").unwrap().principal_id();
    let [grant] = grants.as_slice() else { panic!("{grants:?}") };
    assert_eq!(grant.grantee.to_string(), format!("principal:{grace}"));

    auth.execute_batch("DROP TABLE registered_model_permissions").unwrap();
    let error = read_mlflow_users(&source.folder.path().join("basic_auth.db")).unwrap_err();
    assert!(error.to_string().contains("no permissions on single experiments"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_that_come_too_late_are_told() {
    let bare = bare(None).await;
    let source = Source::new(&[OLDEST], "6953534de441");
    assert!(source.import(&bare.app, None).await.unwrap().finished);
    let users = rusqlite::Connection::open(source.folder.path().join("basic_auth.db")).unwrap();
    users
        .execute_batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password_hash TEXT, is_admin BOOLEAN);
             CREATE TABLE experiment_permissions (id INTEGER, experiment_id TEXT, user_id INTEGER, permission TEXT);
             INSERT INTO users VALUES (1, 'ada', 'scrypt:y', 1);",
        )
        .unwrap();
    let error = source.import(&bare.app, None).await.unwrap_err();
    assert!(matches!(&error, AppError::Conflict(text) if text.contains("past the users")), "{error:?}");
}
