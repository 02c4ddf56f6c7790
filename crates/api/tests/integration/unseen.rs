//! Who has no right learns no more of a thing than of one that is not there, and sends nothing that is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use http::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::test_app::{Answer, TestApp, User};

/// Status, code and message, with what was asked for taken out.
fn shape(answer: &Answer, asked: &str) -> (u16, Value, String) {
    let body = answer.json();
    let message = body["message"].as_str().unwrap().replace(asked, "…");
    (answer.status.as_u16(), body["error_code"].clone(), message)
}

#[tokio::test]
async fn which_roles_there_are_is_not_told() {
    let test = TestApp::new().await;
    let eve = test.user("eve", &[]).await;
    let call = async |user: &User, method: Method, path: &str, body: Value| {
        test.call(user, method, &format!("/api/3.0/mlflow/{path}"), body.to_string()).await
    };
    let new = json!({"workspace": "default", "name": "viewers"});
    let made = call(&test.admin, Method::POST, "roles/create", new).await.ok();
    let role = made["role"]["id"].to_string();
    let right = json!({"role_id": made["role"]["id"], "resource_type": "experiment", "resource_pattern": "*", "permission": "READ"});
    let made = call(&test.admin, Method::POST, "roles/permissions/add", right).await.ok();
    let permission = made["role_permission"]["id"].to_string();
    let asks = |role: &str, permission: &str| {
        let id: i64 = role.parse().unwrap();
        let of_permission: i64 = permission.parse().unwrap();
        vec![
            (Method::GET, format!("roles/get?role_id={id}"), Value::Null),
            (Method::PATCH, "roles/update".to_owned(), json!({"role_id": id, "name": "x"})),
            (Method::DELETE, "roles/delete".to_owned(), json!({"role_id": id})),
            (Method::POST, "roles/assign".to_owned(), json!({"role_id": id, "username": "eve"})),
            (Method::DELETE, "roles/unassign".to_owned(), json!({"role_id": id, "username": "eve"})),
            (Method::GET, format!("roles/permissions/list?role_id={id}"), Value::Null),
            (Method::GET, format!("roles/users/list?role_id={id}"), Value::Null),
            (
                Method::PATCH,
                "roles/permissions/update".to_owned(),
                json!({"role_permission_id": of_permission, "permission": "READ"}),
            ),
            (Method::DELETE, "roles/permissions/remove".to_owned(), json!({"role_permission_id": of_permission})),
        ]
    };
    let absent = "987654";
    for ((method, path, body), (_, other, other_body)) in asks(&role, &permission).into_iter().zip(asks(absent, absent))
    {
        let here = call(&eve, method.clone(), &path, body).await;
        let nowhere = call(&eve, method, &other, other_body).await;
        let asked = if path.starts_with("roles/permissions/") && !path.contains("list") { &permission } else { &role };
        let here = shape(&here, &format!("\"{asked}\""));
        assert_eq!(here, shape(&nowhere, &format!("\"{absent}\"")), "{path}");
        assert_eq!(here.0, 403, "{path}: {here:?}");
    }
}

#[tokio::test]
async fn where_a_trace_is_and_how_an_endpoint_is_called_is_not_told() {
    let test = TestApp::new().await;
    let mine = test.experiment(&test.admin, "mine").await;
    let theirs = test.experiment(&test.admin, "theirs").await;
    let eve = test.user("eve", &[(&format!("experiment:{mine}"), "MANAGE")]).await;
    let trace = format!("tr-{:032x}", 5);
    test.trace(&test.admin, &theirs, &trace).await;
    let run = test.run(&test.admin, &mine).await;
    // As of any trace that she may not see, and that is not there.
    let absent = format!("tr-{:032x}", 6);
    let body = json!({"key": "k", "value": "v"}).to_string();
    let unseen = test.call(&eve, Method::PATCH, &format!("/api/3.0/mlflow/traces/{absent}/tags"), body).await;
    let unseen = shape(&unseen, &absent);
    let info = json!({"trace_id": trace, "request_time": "2026-01-01T00:00:00Z", "state": "OK",
        "trace_location": {"mlflow_experiment": {"experiment_id": mine}}});
    let whole = test.post(&eve, "/api/3.0/mlflow/traces", json!({"trace": {"trace_info": info}})).await;
    let link = test.mlflow(&eve, "traces/link-to-run", json!({"run_id": run, "trace_ids": [trace]})).await;
    let span = json!([{"traceId": format!("{:032x}", 5), "spanId": format!("{:016x}", 1), "name": "s",
        "startTimeUnixNano": "1", "endTimeUnixNano": "2"}]);
    let spans = test.spans(&eve, &mine, span).await;
    for answer in [whole, link, spans] {
        assert_eq!(shape(&answer, &trace), unseen);
        assert!(!answer.json().to_string().contains(&format!("experiment:{theirs}")));
    }
    // Whoever may see both is told.
    let info = json!({"trace_id": trace, "request_time": "2026-01-01T00:00:00Z", "state": "OK",
        "trace_location": {"mlflow_experiment": {"experiment_id": mine}}});
    let told = test.post(&test.admin, "/api/3.0/mlflow/traces", json!({"trace": {"trace_info": info}})).await;
    assert!(told.error(400, "INVALID_PARAMETER_VALUE").contains("another experiment"));

    let post = async |user: &User, path: &str, body: Value| {
        test.post(user, &format!("/api/3.0/mlflow/gateway/{path}"), body).await.ok()
    };
    let secret =
        json!({"secret_name": "key", "secret_value": {"api_key": "sk-0123456789abcdef"}, "provider": "openai"});
    let secret = post(&test.admin, "secrets/create", secret).await["secret"]["secret_id"].clone();
    let definition = json!({"name": "d", "secret_id": secret, "provider": "openai", "model_name": "gpt-4o"});
    let definition = post(&test.admin, "model-definitions/create", definition).await;
    let model = json!({"model_definition_id": definition["model_definition"]["model_definition_id"], "linkage_type": "PRIMARY"});
    post(&test.admin, "endpoints/create", json!({"name": "door", "model_configs": [model], "usage_tracking": false}))
        .await;
    let get = async |name: &str| test.get(&eve, &format!("/api/3.0/mlflow/gateway/endpoints/get?name={name}")).await;
    let judge =
        |name: &str| json!({"instructions_judge_pydantic_data": {"model": format!("gateway:/{name}")}}).to_string();
    let register = async |name: &str| {
        let new = json!({"experiment_id": mine, "name": "j", "serialized_scorer": judge(name)});
        test.post(&eve, "/api/3.0/mlflow/scorers/register", new).await
    };
    for (here, nowhere) in [(get("door").await, get("wall").await), (register("door").await, register("wall").await)] {
        let here = shape(&here, "door");
        assert_eq!(here, shape(&nowhere, "wall"));
        assert_eq!(here.0, 403);
    }
}

/// A body that notes that somebody reads it.
fn watched() -> (Body, Arc<AtomicBool>) {
    let read = Arc::new(AtomicBool::new(false));
    let note = Arc::clone(&read);
    let pieces = futures::stream::once(async move {
        note.store(true, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from_static(b"{}"))
    });
    (Body::from_stream(pieces), read)
}

#[tokio::test]
async fn nothing_is_read_of_those_who_may_not_send_it() {
    let test = TestApp::new().await;
    let eve = test.user("eve", &[]).await;
    let experiment = test.experiment(&test.admin, "e").await;
    let run = test.run(&test.admin, &experiment).await;
    let other = test.experiment(&test.admin, "other").await;
    test.grant("eve", &format!("experiment:{other}"), "MANAGE").await;
    let trace = format!("tr-{:032x}", 5);
    test.trace(&test.admin, &experiment, &trace).await;
    let new = json!({"experiment_id": experiment, "name": "model"});
    let made = test.mlflow(&test.admin, "logged-models", new).await.ok();
    let model = made["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let v3 = "/api/3.0/mlflow";
    let new = json!({"name": "set", "experiment_ids": [experiment]});
    let made = test.post(&test.admin, &format!("{v3}/datasets/create"), new).await.ok();
    let dataset = made["dataset"]["dataset_id"].as_str().unwrap().to_owned();
    let new = json!({"experiment_id": experiment, "name": "slow", "description": "d"});
    let made = test.post(&test.admin, &format!("{v3}/issues"), new).await.ok();
    let issue = made["issue"]["issue_id"].as_str().unwrap().to_owned();
    let webhooks = "/api/2.0/mlflow/webhooks";
    let event = json!({"entity": "MODEL_VERSION", "action": "CREATED"});
    let new = json!({"name": "w", "url": "https://127.0.0.1:40443/", "events": [event]});
    let made = test.post(&test.admin, webhooks, new).await.ok();
    let webhook = made["webhook"]["webhook_id"].as_str().unwrap().to_owned();
    test.app.enable_workspaces();
    let made = test.post(&test.admin, &format!("{v3}/workspaces"), json!({"name": "team-a"})).await;
    assert_eq!(made.status, 201);
    for named in [experiment.as_str(), "no-experiment"] {
        let headers = [("x-mlflow-experiment-id", named), ("content-type", "application/json")];
        let (body, read) = watched();
        let answer = test.send_with(&eve, Method::POST, "/v1/traces", &headers, body).await;
        assert!(answer.status.is_client_error() && !read.load(Ordering::SeqCst), "{named} {}", answer.json());
        let (body, read) = watched();
        test.send_with(&test.admin, Method::POST, "/v1/traces", &headers, body).await;
        assert!(read.load(Ordering::SeqCst));
    }
    let artifacts = "/api/2.0/mlflow-artifacts/artifacts";
    for (method, path) in [
        (Method::PUT, format!("{artifacts}/{experiment}/{run}/artifacts/a.txt")),
        // Her own experiment, somebody else's run.
        (Method::PUT, format!("{artifacts}/{other}/{run}/artifacts/a.txt")),
        (Method::POST, format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a.txt")),
        (Method::POST, format!("/api/2.0/mlflow-artifacts/mpu/create/{experiment}/{run}/artifacts")),
        (Method::PATCH, format!("{v3}/traces/{trace}/tags")),
        (Method::DELETE, format!("{v3}/traces/{trace}/tags")),
        (Method::PATCH, format!("/api/2.0/mlflow/traces/{trace}")),
        (Method::POST, format!("{v3}/traces/{trace}/assessments")),
        (Method::PATCH, format!("{v3}/traces/{trace}/assessments/a-1")),
        (Method::PATCH, format!("/api/2.0/mlflow/logged-models/{model}")),
        (Method::PATCH, format!("/api/2.0/mlflow/logged-models/{model}/tags")),
        (Method::POST, format!("/api/2.0/mlflow/logged-models/{model}/params")),
        (Method::POST, format!("{v3}/datasets/{dataset}/records")),
        (Method::DELETE, format!("{v3}/datasets/{dataset}/records")),
        (Method::PATCH, format!("{v3}/datasets/{dataset}/tags")),
        (Method::POST, format!("{v3}/datasets/{dataset}/add-experiments")),
        (Method::POST, format!("{v3}/datasets/{dataset}/remove-experiments")),
        (Method::PATCH, format!("{v3}/issues/{issue}")),
        (Method::PATCH, format!("{webhooks}/{webhook}")),
        (Method::POST, format!("{webhooks}/{webhook}/test")),
        (Method::PATCH, format!("{v3}/workspaces/team-a")),
    ] {
        let (body, read) = watched();
        let answer = test.call(&eve, method.clone(), &path, body).await;
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.json());
        assert!(!read.load(Ordering::SeqCst), "{method} {path} was read");
        // Where it is allowed it is, so that the test can tell.
        if !path.contains(&format!("artifacts/{other}/")) {
            let (body, read) = watched();
            test.call(&test.admin, method.clone(), &path, body).await;
            assert!(read.load(Ordering::SeqCst), "{method} {path} was not read");
        }
    }
}

/// A body that comes when it is let to, and says when somebody waits for it.
fn held(content: &str) -> (Body, Arc<Notify>, Arc<Notify>) {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait, content) = (Arc::clone(&asked), Arc::clone(&go), content.to_owned());
    let pieces = futures::stream::once(async move {
        tell.notify_one();
        wait.notified().await;
        Ok::<_, std::io::Error>(Bytes::from(content))
    });
    (Body::from_stream(pieces), asked, go)
}

#[tokio::test]
async fn a_right_that_is_taken_while_a_body_comes_is_gone() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "e").await;
    let trace = format!("tr-{:032x}", 5);
    test.trace(&test.admin, &experiment, &trace).await;
    let path = format!("/api/3.0/mlflow/traces/{trace}/tags");
    let resource = format!("experiment:{experiment}");
    let eve = test.user("eve", &[(&resource, "EDIT")]).await;
    for taken in [false, true] {
        let (body, asked, go) = held(&json!({"key": "k", "value": "v"}).to_string());
        let sent = test.call(&eve, Method::PATCH, &path, body);
        let meanwhile = async {
            asked.notified().await;
            if taken {
                test.grant("eve", &resource, "DENY").await;
            }
            go.notify_one();
        };
        let (answer, ()) = tokio::join!(sent, meanwhile);
        assert_eq!(answer.status, if taken { 403 } else { 200 }, "{}", answer.json());
    }
}
