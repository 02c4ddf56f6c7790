//! Workspaces: making and deleting them, and what a client in one can do. That nothing of another can be reached is in `matrix`.

use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::test_app::{Answer, TestApp, User};

const ROOT: &str = "/api/3.0/mlflow/workspaces";

async fn make(test: &TestApp, name: &str) -> Answer {
    test.post(&test.admin, ROOT, json!({ "name": name, "description": "of a team" })).await
}

async fn within(test: &TestApp, user: &User, workspace: &str, method: Method, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    test.send_with(user, method, path, &[("x-mlflow-workspace", workspace)], body).await
}

#[tokio::test]
async fn workspaces_are_made_seen_and_deleted() {
    let test = TestApp::new().await;
    assert!(make(&test, "team-a").await.error(400, "FEATURE_DISABLED").contains("not enabled on this server"));
    test.app.enable_workspaces();
    let info = test.get(&test.admin, "/api/3.0/mlflow/server-info").await.ok();
    assert_eq!(info["workspaces_enabled"], true);
    let made = make(&test, "team-a").await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json(), json!({"workspace": {"name": "team-a", "description": "of a team"}}));
    make(&test, "team-a").await.error(400, "RESOURCE_ALREADY_EXISTS");
    for name in ["default", "A", "a--b", "api", "", "x"] {
        make(&test, name).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    let root = json!({"name": "team-r", "default_artifact_root": "s3://somewhere"});
    test.post(&test.admin, ROOT, root).await.error(400, "INVALID_PARAMETER_VALUE");
    let changed = json!({"description": "new"}).to_string();
    let changed = test.call(&test.admin, Method::PATCH, &format!("{ROOT}/team-a"), changed).await.ok();
    assert_eq!(changed["workspace"]["description"], "new");
    test.call(&test.admin, Method::PATCH, &format!("{ROOT}/team-a"), "{}").await.error(400, "INVALID_PARAMETER_VALUE");
    // Who has no right in it does not see it; who has one does.
    let outsider = test.user("outsider", &[]).await;
    let insider = test.user("insider", &[("team-a/experiment:*", "READ")]).await;
    let names = |answer: Value| {
        answer["workspaces"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(test.get(&outsider, ROOT).await.ok()), ["default"]);
    assert_eq!(names(test.get(&insider, ROOT).await.ok()), ["default", "team-a"]);
    for name in ["team-a", "none-such"] {
        test.get(&outsider, &format!("{ROOT}/{name}")).await.error(403, "PERMISSION_DENIED");
    }
    test.get(&insider, &format!("{ROOT}/team-a")).await.ok();
    for user in [&outsider, &insider] {
        test.call(user, Method::DELETE, &format!("{ROOT}/team-a"), Body::empty()).await.error(403, "PERMISSION_DENIED");
    }
    let delete = async |query: &str| {
        test.call(&test.admin, Method::DELETE, &format!("{ROOT}/team-a{query}"), Body::empty()).await
    };
    let create = "/api/2.0/mlflow/experiments/create";
    within(&test, &test.admin, "team-a", Method::POST, create, json!({"name": "x"})).await.ok();
    assert!(delete("").await.error(400, "INVALID_STATE").contains("table 'experiments' still contains 1 resource(s)"));
    delete("?mode=SOMEHOW").await.error(400, "INVALID_PARAMETER_VALUE");
    assert_eq!(delete("?mode=CASCADE").await.status, 204);
    let search = "/api/2.0/mlflow/experiments/search?max_results=9";
    let gone = within(&test, &test.admin, "team-a", Method::GET, search, Value::Null).await;
    assert_eq!(gone.error(404, "RESOURCE_DOES_NOT_EXIST"), "Workspace 'team-a' not found");
    // The next of that name is empty, and nobody begins with a right in it.
    assert_eq!(make(&test, "team-a").await.status, 201);
    assert_eq!(names(test.get(&insider, ROOT).await.ok()), ["default"]);
    let found = within(&test, &test.admin, "team-a", Method::GET, search, Value::Null).await.ok();
    assert!(found["experiments"].as_array().is_none_or(Vec::is_empty), "{found}");
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "workspace-deleted", "name": "team-a", "mode": "cascade"})));
    assert!(TestApp::has(&ledger, &json!({"act": "experiment-created", "name": "x", "in_workspace": "team-a"})));
}

#[tokio::test]
async fn whoever_makes_something_in_a_workspace_may_manage_it_there_alone() {
    let test = TestApp::new().await;
    test.app.enable_workspaces();
    make(&test, "team-a").await.ok();
    let ada = test.user("ada", &[("workspace:team-a", "EDIT")]).await;
    let bob = test.user("bob", &[("server", "EDIT")]).await;
    let models = "/api/2.0/mlflow/registered-models";
    let new = json!({"name": "fraud"});
    within(&test, &ada, "team-a", Method::POST, &format!("{models}/create"), new.clone()).await.ok();
    test.post(&ada, &format!("{models}/create"), new.clone()).await.error(403, "PERMISSION_DENIED");
    test.post(&bob, &format!("{models}/create"), new.clone()).await.ok();
    within(&test, &bob, "team-a", Method::POST, &format!("{models}/create"), new)
        .await
        .error(404, "RESOURCE_DOES_NOT_EXIST");
    // The same name twice; each has a right to one of them.
    let get = format!("{models}/get?name=fraud");
    within(&test, &ada, "team-a", Method::GET, &get, Value::Null).await.ok();
    test.get(&ada, &get).await.error(403, "PERMISSION_DENIED");
    test.get(&bob, &get).await.ok();
    // What is shared is shared in the workspace of the request.
    let share = json!({"name": "fraud", "username": "bob", "permission": "READ"});
    let path = format!("{models}/permissions/create");
    let shared = within(&test, &ada, "team-a", Method::POST, &path, share).await.ok();
    assert_eq!(shared["registered_model_permission"]["workspace"], "team-a");
    within(&test, &bob, "team-a", Method::GET, &get, Value::Null).await.ok();
    assert!(TestApp::has(
        &test.ledger().await,
        &json!({"act": "grant-set", "resource": "team-a/registered-model:fraud"})
    ));
}

/// The capability of a part names its workspace, and that can't be exchanged.
#[tokio::test]
async fn parts_go_to_the_workspace_that_they_were_announced_in() {
    let test = TestApp::new().await;
    test.app.enable_workspaces();
    make(&test, "team-a").await.ok();
    make(&test, "team-b").await.ok();
    let post =
        async |path: &str, body: Value| within(&test, &test.admin, "team-a", Method::POST, path, body).await.ok();
    let experiment = post("/api/2.0/mlflow/experiments/create", json!({"name": "x"})).await;
    let experiment = experiment["experiment_id"].as_str().unwrap().to_owned();
    let run = post("/api/2.0/mlflow/runs/create", json!({"experiment_id": experiment})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let create = format!("/api/2.0/mlflow-artifacts/mpu/create/{experiment}/{run}/artifacts");
    let begun = post(&create, json!({"path": "big", "num_parts": 1})).await;
    let credential = &begun["credentials"][0];
    let url = credential["url"].as_str().unwrap();
    let at = url.find("/api/").map_or(url, |at| &url[at..]).to_owned();
    let (name, value) = credential["headers"].as_object().unwrap().iter().next().unwrap();
    let value = value.as_str().unwrap();
    assert!(value.ends_with(".team-a"), "{value}");
    let nobody = crate::test_app::NOBODY;
    for other in [value.replace(".team-a", ""), value.replace(".team-a", ".team-b")] {
        let headers = [(name.as_str(), other.as_str())];
        test.send_with(&nobody, Method::PUT, &at, &headers, "bytes").await.error(401, "UNAUTHENTICATED");
    }
    let put = test.send_with(&nobody, Method::PUT, &at, &[(name.as_str(), value)], "bytes").await;
    assert_eq!(put.status, 200, "{}", put.json());
}

/// Deleting a workspace for good destroys its key: what was in it can't be read any more with every key of the vault.
#[tokio::test]
async fn what_was_in_a_deleted_workspace_can_not_be_read_with_the_vaults_keys() {
    let test = TestApp::new().await;
    test.app.enable_workspaces();
    make(&test, "team-a").await.ok();
    let post =
        async |path: &str, body: Value| within(&test, &test.admin, "team-a", Method::POST, path, body).await.ok();
    let experiment = post("/api/2.0/mlflow/experiments/create", json!({"name": "x"})).await;
    let experiment = experiment["experiment_id"].as_str().unwrap().to_owned();
    let run = post("/api/2.0/mlflow/runs/create", json!({"experiment_id": experiment})).await;
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a.txt");
    let within_a = [("x-mlflow-workspace", "team-a")];
    assert_eq!(test.send_with(&test.admin, Method::PUT, &path, &within_a, "canary").await.status, 200);
    let read = test.send_with(&test.admin, Method::GET, &path, &within_a, "").await;
    assert_eq!(read.bytes.unwrap(), "canary");

    let keys = || test.store.read(|tx| tx.workspace_keys());
    let kept = keys().await.unwrap();
    assert_eq!(kept.len(), 1);
    let shards = std::fs::read_dir(test.folder().join("vault/objects")).unwrap();
    let mut files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
    let file = files.next().unwrap().unwrap().path();
    let under: String = std::fs::read(&file).unwrap()[19..27].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(under, kept[0].key, "it is under the workspace's key");
    let id: sealyard_vault::ObjectId = file.file_name().unwrap().to_str().unwrap().parse().unwrap();

    test.call(&test.admin, Method::DELETE, &format!("{ROOT}/team-a?mode=CASCADE"), Body::empty()).await.ok();
    assert_eq!(keys().await.unwrap(), []);
    assert!(TestApp::has(
        &test.ledger().await,
        &json!({"act": "workspace-key-destroyed", "workspace": "team-a", "key": kept[0].key})
    ));
    // Whoever has the directory and the key file still has the object, and can't read it.
    let ring = sealyard_vault::Keyring::open(&test.folder().join("master.key")).unwrap();
    let rng = std::sync::Arc::new(sealyard_core::SystemRng);
    let vault = sealyard_vault::Vault::open_or_create(&test.folder().join("vault"), ring, rng).unwrap();
    assert!(file.exists());
    assert_eq!(vault.open(&id).unwrap_err().rule(), Some("vault.authentication"));
    // But for who has the sealed key of before, as a backup of before has: the book says so.
    let key = vault.sealer("workspace-key").open(&kept[0].key, &kept[0].sealed).unwrap();
    vault.add_scoped_key(sealyard_core::Redacted::new(key.expose().as_slice().try_into().unwrap()));
    assert!(vault.open(&id).is_ok());
}
