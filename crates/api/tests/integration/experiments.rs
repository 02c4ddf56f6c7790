use http::Method;
use serde_json::json;

use crate::test_app::TestApp;

#[tokio::test]
async fn the_creator_manages_what_it_creates() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let bob = test.user("bob", &[]).await;
    let message =
        test.ask(&ada, "experiments/get-by-name?experiment_name=x").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(message, "Could not find experiment with name 'x'");
    let id = test.experiment(&ada, "x").await;
    let found = test.ask(&ada, "experiments/get-by-name?experiment_name=x").await.ok();
    assert_eq!(found["experiment"]["experiment_id"], id);
    assert_eq!(found["experiment"]["artifact_location"], format!("mlflow-artifacts:/{id}"));
    assert!(found["experiment"]["creation_time"].is_i64());
    test.mlflow(&ada, "experiments/create", json!({"name": "x"})).await.error(400, "RESOURCE_ALREADY_EXISTS");
    test.mlflow(&ada, "experiments/delete", json!({"experiment_id": id})).await.ok();
    test.mlflow(&ada, "experiments/restore", json!({"experiment_id": id})).await.ok();
    test.mlflow(&bob, "experiments/create", json!({"name": "y"})).await.error(403, "PERMISSION_DENIED");
    let ledger = test.ledger().await;
    for act in ["experiment-created", "experiment-deleted", "grant-set"] {
        assert!(TestApp::has(&ledger, &json!({"act": act, "actor": "ada", "outcome": "done"})), "{act}");
    }
}

#[tokio::test]
async fn who_may_not_create_can_not_tell_hidden_from_absent() {
    let test = TestApp::new().await;
    test.experiment(&test.admin, "hidden").await;
    let bob = test.user("bob", &[]).await;
    for name in ["hidden", "absent"] {
        let path = format!("experiments/get-by-name?experiment_name={name}");
        test.ask(&bob, &path).await.error(403, "PERMISSION_DENIED");
    }
    for id in ["1", "4711"] {
        test.ask(&bob, &format!("experiments/get?experiment_id={id}")).await.error(403, "PERMISSION_DENIED");
    }
}

#[tokio::test]
async fn a_pattern_lets_create() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("experiment:*", "EDIT")]).await;
    let id = test.experiment(&ada, "x").await;
    // A token for one experiment does not.
    let narrow = test.token_of("ada", &format!("experiment:{id}:edit")).await;
    test.run(&narrow, &id).await;
    test.mlflow(&narrow, "experiments/create", json!({"name": "y"})).await.error(403, "PERMISSION_DENIED");
    test.mlflow(&narrow, "experiments/delete", json!({"experiment_id": id})).await.error(403, "PERMISSION_DENIED");
    test.ask(&narrow, "experiments/get?experiment_id=0").await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn ids_have_one_spelling() {
    let test = TestApp::new().await;
    let id = test.experiment(&test.admin, "x").await;
    for spelling in [format!("0{id}"), format!("%20{id}"), format!("%2B{id}"), format!("{id}%20"), format!("{id}.0")] {
        let path = format!("experiments/get?experiment_id={spelling}");
        test.ask(&test.admin, &path).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

#[tokio::test]
async fn searches_show_what_may_be_read() {
    let test = TestApp::new().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(test.experiment(&test.admin, name).await);
    }
    let readable = format!("experiment:{}", ids[1]);
    let other = format!("experiment:{}", ids[3]);
    let bob = test.user("bob", &[(&readable, "READ"), (&other, "READ")]).await;
    let names = |found: serde_json::Value| -> Vec<String> {
        let all = found["experiments"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let search = json!({"max_results": "1", "order_by": ["name ASC"]});
    let first = test.mlflow(&bob, "experiments/search", search).await.ok();
    let token = first["next_page_token"].as_str().unwrap().to_owned();
    assert_eq!(names(first), ["b"]);
    let next = format!("experiments/search?max_results=1&order_by=name+ASC&page_token={token}");
    assert_eq!(names(test.ask(&bob, &next).await.ok()), ["d"]);
    let filter = "experiments/search?filter=name+LIKE+%27a%25%27";
    assert_eq!(names(test.ask(&bob, filter).await.ok()), Vec::<String>::new());
    assert_eq!(names(test.ask(&test.admin, filter).await.ok()), ["a"]);
    test.ask(&bob, "experiments/search?filter=name+%3D").await.error(400, "INVALID_PARAMETER_VALUE");
    test.ask(&bob, "experiments/search?max_results=50001").await.error(400, "INVALID_PARAMETER_VALUE");
    test.ask(&bob, "experiments/search?page_token=x").await.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn an_artifact_location_of_ones_own_is_refused() {
    let test = TestApp::new().await;
    for location in ["file:///etc", "s3://b/x", "/tmp", "mlflow-artifacts:/1"] {
        let new = json!({"name": "x", "artifact_location": location});
        test.mlflow(&test.admin, "experiments/create", new).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

#[tokio::test]
async fn deleting_takes_the_runs_along() {
    let test = TestApp::new().await;
    let id = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &id).await;
    test.mlflow(&test.admin, "experiments/delete", json!({"experiment_id": id})).await.ok();
    let found = test.ask(&test.admin, &format!("runs/get?run_id={run}")).await.ok();
    assert_eq!(found["run"]["info"]["lifecycle_stage"], "deleted");
    test.mlflow(&test.admin, "runs/create", json!({"experiment_id": id})).await.error(400, "INVALID_PARAMETER_VALUE");
    let path = "/ajax-api/2.0/mlflow/experiments/restore";
    test.call(&test.admin, Method::POST, path, json!({"experiment_id": id}).to_string()).await.ok();
    let found = test.ask(&test.admin, &format!("runs/get?run_id={run}")).await.ok();
    assert_eq!(found["run"]["info"]["lifecycle_stage"], "active");
}

#[tokio::test]
async fn what_is_renamed_restored_begun_and_deleted_is_in_the_ledger() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let model = test.logged_model(&test.admin, &experiment).await;
    let id = json!({"experiment_id": experiment});
    test.mlflow(&test.admin, "experiments/update", json!({"experiment_id": experiment, "new_name": "y"})).await.ok();
    test.mlflow(&test.admin, "experiments/delete", id.clone()).await.ok();
    test.mlflow(&test.admin, "experiments/restore", id).await.ok();
    test.mlflow(&test.admin, "runs/delete", json!({"run_id": run})).await.ok();
    test.mlflow(&test.admin, "runs/restore", json!({"run_id": run})).await.ok();
    let path = format!("/api/2.0/mlflow/logged-models/{model}");
    test.call(&test.admin, Method::DELETE, &path, axum::body::Body::empty()).await.ok();
    let ledger = test.ledger().await;
    for act in [
        json!({"act": "experiment-renamed", "id": experiment, "name": "y"}),
        json!({"act": "experiment-restored", "id": experiment}),
        json!({"act": "run-restored", "id": run}),
        json!({"act": "logged-model-created", "model_id": model, "experiment": experiment}),
        json!({"act": "logged-model-deleted", "model_id": model}),
    ] {
        assert!(TestApp::has(&ledger, &act), "{act}");
    }
}

/// Seven bytes of a body can become hundreds in memory, also where they are of no meaning and whoever sends them may do nothing.
#[tokio::test]
async fn a_body_of_too_many_values_is_not_read() {
    let test = TestApp::new().await;
    let nobody = test.user("nobody", &[]).await;
    let body = format!("{{\"aa\":[{}{{}}],\"name\":5}}", "{\"\":0},".repeat(200_000));
    let answer = test.call(&nobody, http::Method::POST, "/api/2.0/mlflow/experiments/create", body).await;
    assert!(answer.error(400, "INVALID_PARAMETER_VALUE").contains("too many values"));
}

/// Whether a name is taken, and by which number, is no business of those who may not see it.
#[tokio::test]
async fn a_name_that_may_not_be_seen_is_answered_as_one_that_is_not_there() {
    let test = TestApp::new().await;
    test.experiment(&test.admin, "hidden").await;
    let nobody = test.user("nobody", &[]).await;
    let mut answers = Vec::new();
    for name in ["hidden", "absent"] {
        let answer = test.ask(&nobody, &format!("experiments/get-by-name?experiment_name={name}")).await;
        answers.push(answer.error(403, "PERMISSION_DENIED").replace(name, "NAME"));
    }
    assert_eq!(answers[0], answers[1]);
}
