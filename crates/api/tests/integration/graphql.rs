//! What MLflow's pages ask by GraphQL, and that it opens nothing that the REST endpoints keep shut.

use serde_json::{Value, json};

use crate::test_app::{Answer, NOBODY, TestApp, User};

async fn ask(test: &TestApp, user: &User, query: &str, variables: Value) -> Answer {
    test.post(user, "/graphql", json!({ "query": query, "variables": variables })).await
}

/// The data of an answer without errors.
async fn data(test: &TestApp, user: &User, query: &str, variables: Value) -> Value {
    let answer = ask(test, user, query, variables).await.ok();
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    answer["data"].clone()
}

const GET_RUN: &str = r#"query GetRun($data: MlflowGetRunInput!) @component(name: "MLflow.ExperimentRunTracking") {
  mlflowGetRun(input: $data) {
    apiError { helpUrl code message __typename }
    run {
      info { runName status runUuid experimentId artifactUri endTime lifecycleStage startTime userId __typename }
      experiment { experimentId name tags { key value } artifactLocation lifecycleStage lastUpdateTime }
      modelVersions { status version name source }
      data { metrics { key value step timestamp } params { key value } tags { key value } }
      inputs { datasetInputs { dataset { digest name profile schema source sourceType } tags { key value } } modelInputs { modelId } }
      outputs { modelOutputs { modelId step } }
    }
  }
}"#;

#[tokio::test]
async fn the_page_of_a_run_is_answered() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "pages").await;
    let run = test.run(&test.admin, &experiment).await;
    let metric = json!({ "run_id": run, "key": "loss", "value": 0.5, "timestamp": 7, "step": 3 });
    test.mlflow(&test.admin, "runs/log-metric", metric).await.ok();
    let odd = json!({ "run_id": run, "key": "nan", "value": "NaN", "timestamp": 7, "step": 3 });
    test.mlflow(&test.admin, "runs/log-metric", odd).await.ok();
    let param = json!({ "run_id": run, "key": "alpha", "value": "1" });
    test.mlflow(&test.admin, "runs/log-parameter", param).await.ok();
    let found = data(&test, &test.admin, GET_RUN, json!({ "data": { "runId": run } })).await;
    let found = &found["mlflowGetRun"];
    assert_eq!(found["apiError"], Value::Null);
    let run_found = &found["run"];
    assert_eq!(run_found["info"]["runUuid"], json!(run));
    assert_eq!(run_found["info"]["status"], json!("RUNNING"));
    assert_eq!(run_found["info"]["endTime"], json!("0"), "a 64-bit integer is text, and 0 where there is none");
    assert_eq!(run_found["info"]["__typename"], json!("MlflowRunInfo"));
    assert_eq!(run_found["experiment"]["name"], json!("pages"));
    assert_eq!(run_found["modelVersions"], json!([]));
    assert_eq!(run_found["data"]["params"], json!([{ "key": "alpha", "value": "1" }]));
    let metrics = run_found["data"]["metrics"].as_array().unwrap();
    assert!(metrics.contains(&json!({ "key": "loss", "value": 0.5, "step": "3", "timestamp": "7" })), "{metrics:?}");
    assert!(metrics.contains(&json!({ "key": "nan", "value": null, "step": "3", "timestamp": "7" })), "{metrics:?}");
    assert_eq!(run_found["inputs"], json!({ "datasetInputs": [], "modelInputs": [] }));
}

#[tokio::test]
async fn the_queries_of_mlflows_own_tests_are_answered() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "own").await;
    let first = test.run(&test.admin, &experiment).await;
    test.clock.set(test.app.now().plus_seconds(1));
    let second = test.run(&test.admin, &experiment).await;
    test.upload(&test.admin, &format!("{experiment}/{first}/artifacts/folder/x.txt"), "hello").await.ok();
    let answer = data(&test, &test.admin, r#"query q {test(inputString: "abc") { output }}"#, Value::Null).await;
    assert_eq!(answer, json!({ "test": { "output": "abc" } }));
    let query =
        format!(r#"{{mlflowGetExperiment(input: {{experimentId: "{experiment}"}}) {{ experiment {{ name }} }}}}"#);
    let answer = data(&test, &test.admin, &query, Value::Null).await;
    assert_eq!(answer, json!({ "mlflowGetExperiment": { "experiment": { "name": "own" } } }));
    let query = format!(
        r#"mutation m {{ mlflowSearchRuns(input: {{ experimentIds: ["{experiment}"] }}) {{ runs {{ info {{ runId }} experiment {{ name }} }} }} }}"#
    );
    let answer = data(&test, &test.admin, &query, Value::Null).await;
    let run = |id: &str| json!({ "info": { "runId": id }, "experiment": { "name": "own" } });
    assert_eq!(answer["mlflowSearchRuns"]["runs"], json!([run(&second), run(&first)]));
    let query = format!(
        r#"{{ files: mlflowListArtifacts(input: {{ runId: "{first}", }}) {{ files {{ path isDir fileSize }} }} }}"#
    );
    let answer = data(&test, &test.admin, &query, Value::Null).await;
    assert_eq!(answer["files"]["files"], json!([{ "path": "folder", "isDir": true, "fileSize": "0" }]));
}

#[tokio::test]
async fn charts_and_data_sets_are_answered() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "charts").await;
    let run = test.run(&test.admin, &experiment).await;
    for step in 0..3 {
        let metric = json!({ "run_id": run, "key": "loss", "value": step, "timestamp": 7, "step": step });
        test.mlflow(&test.admin, "runs/log-metric", metric).await.ok();
    }
    let dataset = json!({ "name": "train", "digest": "d", "source_type": "local", "source": "x" });
    let inputs = json!({ "run_id": run, "datasets": [{ "dataset": dataset }] });
    test.mlflow(&test.admin, "runs/log-inputs", inputs).await.ok();
    let history = r#"query H($data: MlflowGetMetricHistoryBulkIntervalInput!) {
      mlflowGetMetricHistoryBulkInterval(input: $data) { metrics { step runId key value } } }"#;
    let wanted = json!({ "data": { "runIds": [run], "metricKey": "loss", "maxResults": 320 } });
    let found = data(&test, &test.admin, history, wanted.clone()).await;
    let point = |step: i64| json!({ "step": step.to_string(), "runId": run, "key": "loss", "value": step as f64 });
    let points = &found["mlflowGetMetricHistoryBulkInterval"]["metrics"];
    assert_eq!(*points, json!([point(0), point(1), point(2)]));
    let datasets = format!(
        r#"mutation {{ mlflowSearchDatasets(input: {{experimentIds: ["{experiment}"]}}) {{ datasetSummaries {{ name digest }} }} }}"#
    );
    let found = data(&test, &test.admin, &datasets, Value::Null).await;
    assert_eq!(found["mlflowSearchDatasets"]["datasetSummaries"], json!([{ "name": "train", "digest": "d" }]));
    let outsider = test.user("outsider", &[]).await;
    for (query, variables) in [(history, wanted), (datasets.as_str(), Value::Null)] {
        let answer = ask(&test, &outsider, query, variables).await.ok();
        assert!(answer["errors"][0].as_str().unwrap().contains("Permission denied"), "{answer}");
    }
}

/// CVE-2026-2734: fields answered past the authorizer.
#[tokio::test]
async fn nobody_learns_more_by_graphql_than_by_rest() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "hidden").await;
    let run = test.run(&test.admin, &experiment).await;
    let model = test.logged_model(&test.admin, &experiment).await;
    test.version(&test.admin, "hidden-model", &model).await;
    ask(&test, &NOBODY, GET_RUN, json!({ "data": { "runId": run } })).await.error(401, "UNAUTHENTICATED");
    let outsider = test.user("outsider", &[]).await;
    let queries = [
        format!(r#"{{ x: mlflowGetRun(input: {{runId: "{run}"}}) {{ run {{ info {{ runId }} }} }} }}"#),
        format!(r#"{{ x: mlflowGetExperiment(input: {{experimentId: "{experiment}"}}) {{ experiment {{ name }} }} }}"#),
        format!(
            r#"{{ x: mlflowSearchRuns(input: {{experimentIds: ["{experiment}"]}}) {{ runs {{ info {{ runId }} }} }} }}"#
        ),
        format!(r#"{{ x: mlflowListArtifacts(input: {{runId: "{run}"}}) {{ files {{ path }} }} }}"#),
    ];
    for query in &queries {
        let answer = ask(&test, &outsider, query, Value::Null).await.ok();
        assert_eq!(answer["data"], json!({ "x": null }), "{query}");
        let error = answer["errors"][0].as_str().unwrap();
        assert!(error.contains("Permission denied") && !error.contains("hidden"), "{error}");
    }
    let versions = "{ mlflowSearchModelVersions(input: {}) { modelVersions { name } } }";
    let answer = data(&test, &outsider, versions, Value::Null).await;
    assert_eq!(answer["mlflowSearchModelVersions"]["modelVersions"], json!([]));
    let answer = data(&test, &test.admin, versions, Value::Null).await;
    assert_eq!(answer["mlflowSearchModelVersions"]["modelVersions"][0]["name"], "hidden-model");
    // A reader of the run is not told of versions in the registry that they may not read.
    let reader = test.user("reader", &[(&format!("experiment:{experiment}"), "READ")]).await;
    let answer = data(&test, &reader, GET_RUN, json!({ "data": { "runId": run } })).await;
    assert_eq!(answer["mlflowGetRun"]["run"]["modelVersions"], json!([]));
}

/// CVE-2025-0453: one request that asks a thousand times.
#[tokio::test]
async fn batches_are_refused() {
    let test = TestApp::new().await;
    let many = |count: usize, field: &str| (0..count).map(|n| format!("a{n}: {field} ")).collect::<String>();
    let cases = [
        (many(12, r#"test(inputString: "abc") { output }"#), "at most 10 root fields"),
        (format!("mlflowGetExperiment {{ {} }}", many(12, "experiment { name }")), "at most 10 aliases"),
        (format!("a{}", "{a".repeat(12) + &"}".repeat(12)), "maximum depth of 10"),
        (format!("a {{ {} }}", "b ".repeat(1001)), "maximum total selections of 1000"),
    ];
    for (fields, message) in cases {
        let answer = ask(&test, &test.admin, &format!("query q {{ {fields} }}"), Value::Null).await.ok();
        assert_eq!(answer["data"], Value::Null);
        assert!(answer["errors"][0].as_str().unwrap().contains(message), "{answer}");
    }
    let batch = test.call(&test.admin, http::Method::POST, "/graphql", r#"[{"query":"{ test { output } }"}]"#).await;
    batch.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn odd_queries_are_the_callers_fault() {
    let test = TestApp::new().await;
    for query in ["", "{", "query", "{ ...x }", "{ test(inputString: ) { output } }", "\u{0}"] {
        ask(&test, &test.admin, query, Value::Null).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    for (query, variables) in [
        ("{ nothing { a } }", json!({})),
        ("{ __schema { types { name } } }", json!({})),
        ("{ test { output } test(inputString: \"b\") { output } }", json!({})),
        ("query a { test { output } } query b { test { output } }", json!({})),
        ("query a($x: X!) { mlflowGetRun(input: $x) { run { info { runId } } } }", json!({})),
        ("{ mlflowGetRun(input: $x) { run { info { runId } } } }", json!({})),
        ("{ mlflowGetRun(input: {nothing: 1}) { run { info { runId } } } }", json!({})),
        ("{ mlflowGetRun(input: {runId: [1]}) { run { info { runId } } } }", json!({})),
        ("{ mlflowGetRun(input: 3) { run { info { runId } } } }", json!({})),
        ("{ mlflowGetRun(other: {}) { run { info { runId } } } }", json!({})),
        ("{ mlflowGetRun { run { info { runId } } } }", json!({})),
    ] {
        let answer = ask(&test, &test.admin, query, variables).await.ok();
        assert!(answer["errors"][0].is_string(), "{query}: {answer}");
    }
    let form = http::Request::post("/graphql")
        .header("host", "localhost")
        .header("content-type", "text/plain")
        .body(axum::body::Body::from(r#"{"query":"{ test { output } }"}"#))
        .unwrap();
    assert_eq!(test.send(form).await.status, 401);
}

/// A variable can stand in an input thousands of times: what it would take together is bounded.
#[tokio::test]
async fn a_repeated_variable_is_bounded_by_its_bytes() {
    let test = TestApp::new().await;
    let query = format!("query Q($a: String) {{ test(inputString: [{}]) {{ output }} }}", "$a ".repeat(800));
    let answer = ask(&test, &test.admin, &query, json!({ "a": "x".repeat(100_000) })).await;
    assert!(answer.json().to_string().contains("more than 4194304 bytes"), "{}", answer.json());
}
