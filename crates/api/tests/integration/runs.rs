use serde_json::{Value, json};

use crate::test_app::TestApp;

#[tokio::test]
async fn what_is_logged_comes_back() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let id = test.run(&test.admin, &experiment).await;
    let metric = json!({"run_id": id, "run_uuid": id, "key": "m", "value": "NaN", "timestamp": "5", "step": 1});
    test.mlflow(&test.admin, "runs/log-metric", metric).await.ok();
    let batch = json!({
        "run_id": id,
        "metrics": [
            {"key": "m", "value": 2, "timestamp": 6, "step": "2"},
            {"key": "i", "value": "-Infinity", "timestamp": 6},
        ],
        "params": [{"key": "p", "value": "1"}],
        "tags": [{"key": "t", "value": "ü"}],
        "unknown": {"field": 1},
    });
    test.mlflow(&test.admin, "runs/log-batch", batch).await.ok();
    test.mlflow(&test.admin, "runs/log-parameter", json!({"run_uuid": id, "key": "q", "value": "2"})).await.ok();
    test.mlflow(&test.admin, "runs/set-tag", json!({"run_id": id, "key": "u", "value": ""})).await.ok();
    let data = json!({"run_id": id, "datasets": [{
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
        "dataset": {"name": "d", "digest": "abc", "source_type": "http", "source": "{}", "schema": "{}"},
    }]});
    test.mlflow(&test.admin, "runs/log-inputs", data).await.ok();
    let run = test.ask(&test.admin, &format!("runs/get?run_id={id}&run_uuid={id}")).await.ok()["run"].clone();
    let of = |kind: &str, key: &str| -> Value {
        let all = run["data"][kind].as_array().unwrap();
        all.iter().find(|one| one["key"] == key).map(|one| one["value"].clone()).unwrap()
    };
    assert_eq!(of("metrics", "m"), json!(2.0));
    assert_eq!(of("metrics", "i"), json!("-Infinity"));
    assert_eq!((of("params", "p"), of("params", "q")), (json!("1"), json!("2")));
    assert_eq!((of("tags", "t"), of("tags", "u")), (json!("ü"), json!("")));
    assert_eq!(run["inputs"]["dataset_inputs"][0]["dataset"]["name"], "d");
    assert_eq!(run["inputs"]["dataset_inputs"][0]["tags"][0]["value"], "training");
    assert_eq!(run["info"]["status"], "RUNNING");
    let history = test.ask(&test.admin, &format!("metrics/get-history?run_id={id}&metric_key=m")).await.ok();
    let values: Vec<_> = history["metrics"].as_array().unwrap().iter().map(|one| one["value"].clone()).collect();
    assert_eq!(values, [json!("NaN"), json!(2.0)]);
    let end = json!({"run_id": id, "status": "FINISHED", "end_time": 7, "run_name": "other"});
    let info = test.mlflow(&test.admin, "runs/update", end).await.ok()["run_info"].clone();
    assert_eq!(
        (&info["status"], &info["end_time"], &info["run_name"]),
        (&json!("FINISHED"), &json!(7), &json!("other"))
    );
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "run-created", "id": id})));
    assert!(TestApp::has(&ledger, &json!({"act": "run-ended", "id": id, "status": "FINISHED"})));
}

#[tokio::test]
async fn parameters_do_not_change() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let id = test.run(&test.admin, &experiment).await;
    let log = |value: &str| json!({"run_id": id, "key": "p", "value": value});
    test.mlflow(&test.admin, "runs/log-parameter", log("1")).await.ok();
    test.mlflow(&test.admin, "runs/log-parameter", log("1")).await.ok();
    let message = test.mlflow(&test.admin, "runs/log-parameter", log("2")).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("Changing param values is not allowed"), "{message}");
}

#[tokio::test]
async fn a_run_is_named_once() {
    let test = TestApp::new().await;
    let mine = test.experiment(&test.admin, "mine").await;
    let other = test.experiment(&test.admin, "other").await;
    let ada = test.user("ada", &[(&format!("experiment:{mine}"), "MANAGE")]).await;
    let (own, foreign) = (test.run(&ada, &mine).await, test.run(&test.admin, &other).await);
    let tag = json!({"run_id": own, "run_uuid": foreign, "key": "k", "value": "v"});
    test.mlflow(&ada, "runs/set-tag", tag).await.error(400, "INVALID_PARAMETER_VALUE");
    // The query of a POST says nothing.
    let path = format!("/api/2.0/mlflow/runs/set-tag?run_id={own}");
    let tag = json!({"run_id": foreign, "key": "k", "value": "v"});
    test.post(&ada, &path, tag).await.error(403, "PERMISSION_DENIED");
    let spelled = json!({"run_id": own.to_uppercase(), "key": "k", "value": "v"});
    test.mlflow(&ada, "runs/set-tag", spelled).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn absent_runs_look_like_hidden_ones() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let hidden = test.run(&test.admin, &experiment).await;
    let bob = test.user("bob", &[]).await;
    let message = |id: &str| format!("runs/get?run_id={id}").replace(id, id);
    for id in [hidden.as_str(), &"0".repeat(32), "x"] {
        test.ask(&bob, &message(id)).await.error(403, "PERMISSION_DENIED");
    }
    test.ask(&test.admin, &message(&"0".repeat(32))).await.error(404, "RESOURCE_DOES_NOT_EXIST");
}

#[tokio::test]
async fn searches_find_and_stay_inside() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let hidden = test.experiment(&test.admin, "hidden").await;
    let ada = test.user("ada", &[(&format!("experiment:{experiment}"), "EDIT")]).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let id = test.run(&ada, &experiment).await;
        let metric = json!({"run_id": id, "key": "m", "value": n, "timestamp": 1});
        test.mlflow(&ada, "runs/log-metric", metric).await.ok();
        ids.push(id);
    }
    let search = |experiments: &[&str], extra: Value| {
        let mut body = json!({"experiment_ids": experiments});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let found = |answer: Value| -> Vec<String> {
        let runs = answer["runs"].as_array().cloned().unwrap_or_default();
        runs.iter().map(|run| run["info"]["run_id"].as_str().unwrap().to_owned()).collect()
    };
    let body = search(&[&experiment], json!({"filter": "metrics.m >= 1", "order_by": ["metrics.m DESC"]}));
    assert_eq!(found(test.mlflow(&ada, "runs/search", body).await.ok()), [ids[2].clone(), ids[1].clone()]);
    let body = search(&[&experiment], json!({"order_by": ["metrics.m ASC"], "max_results": 2}));
    let page = test.mlflow(&ada, "runs/search", body).await.ok();
    let token = page["next_page_token"].clone();
    assert_eq!(found(page), [ids[0].clone(), ids[1].clone()]);
    let body = search(&[&experiment], json!({"order_by": ["metrics.m ASC"], "max_results": 2, "page_token": token}));
    assert_eq!(found(test.mlflow(&ada, "runs/search", body).await.ok()), [ids[2].clone()]);
    // What she may not read is as if there were nothing in it.
    let secret = test.run(&test.admin, &hidden).await;
    let body = search(&[&hidden, &experiment], json!({}));
    let shown = found(test.mlflow(&ada, "runs/search", body.clone()).await.ok());
    assert!(shown.len() == 3 && !shown.contains(&secret), "{shown:?}");
    assert!(found(test.mlflow(&test.admin, "runs/search", body).await.ok()).contains(&secret));
    let body = search(&[&hidden], json!({}));
    test.mlflow(&ada, "runs/search", body).await.error(403, "PERMISSION_DENIED");
    let body = search(&[&experiment], json!({"max_results": 50001}));
    test.mlflow(&ada, "runs/search", body).await.error(400, "INVALID_PARAMETER_VALUE");
    assert_eq!(found(test.mlflow(&ada, "runs/search", json!({})).await.ok()), Vec::<String>::new());
}

#[tokio::test]
async fn batches_and_bodies_are_bounded() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let id = test.run(&test.admin, &experiment).await;
    let metrics: Vec<_> = (0..1001).map(|n| json!({"key": format!("m{n}"), "value": 1, "timestamp": 1})).collect();
    let many = json!({"run_id": id, "metrics": metrics});
    let message = test.mlflow(&test.admin, "runs/log-batch", many).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("at most 1000 metrics"), "{message}");
    let large = json!({"run_id": id, "tags": [{"key": "k", "value": "x".repeat(1_000_001)}]});
    let message = test.mlflow(&test.admin, "runs/log-batch", large).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("1000000 bytes"), "{message}");
    let huge = json!({"run_id": id, "key": "k", "value": "x".repeat(5 << 20)});
    test.mlflow(&test.admin, "runs/set-tag", huge).await.error(400, "INVALID_PARAMETER_VALUE");
    let deep = format!("{{\"run_id\":{}", "[".repeat(10_000));
    test.call(&test.admin, http::Method::POST, "/api/2.0/mlflow/runs/set-tag", deep)
        .await
        .error(400, "INVALID_PARAMETER_VALUE");
    let run = test.ask(&test.admin, &format!("runs/get?run_id={id}")).await.ok();
    assert!(run["run"]["data"]["metrics"].is_null());
}

#[tokio::test]
async fn models_of_other_experiments_can_not_be_tied_to_a_run() {
    let test = TestApp::new().await;
    let (mine, other) = (test.experiment(&test.admin, "a").await, test.experiment(&test.admin, "b").await);
    let foreign = test.logged_model(&test.admin, &other).await;
    let ada = test.user("ada", &[(&format!("experiment:{mine}"), "EDIT")]).await;
    let run = test.run(&ada, &mine).await;
    let outputs = json!({"run_id": run, "models": [{"model_id": foreign, "step": 0}]});
    test.mlflow(&ada, "runs/outputs", outputs).await.error(403, "PERMISSION_DENIED");
    let inputs = json!({"run_id": run, "models": [{"model_id": foreign}]});
    test.mlflow(&ada, "runs/log-inputs", inputs).await.error(403, "PERMISSION_DENIED");
    let metric = json!({"run_id": run, "key": "m", "value": 1, "timestamp": 1, "model_id": foreign});
    test.mlflow(&ada, "runs/log-metric", metric).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_hidden_run_and_a_missing_one_are_told_alike() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let hidden = test.run(&test.admin, &experiment).await;
    let missing = "0".repeat(32);
    let stranger = test.user("stranger", &[]).await;
    let said = |id: String| {
        let (test, stranger) = (&test, &stranger);
        async move {
            let answer = test.ask(stranger, &format!("runs/get?run_id={id}")).await;
            answer.error(403, "PERMISSION_DENIED").replace(&id, "ID")
        }
    };
    assert_eq!(said(hidden).await, said(missing).await);
}
