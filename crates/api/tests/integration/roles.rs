use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::test_app::{Answer, TestApp, User};

async fn call(test: &TestApp, user: &User, method: Method, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    test.call(user, method, &format!("/api/3.0/mlflow/{path}"), body).await
}

async fn post(test: &TestApp, user: &User, path: &str, body: Value) -> Answer {
    call(test, user, Method::POST, path, body).await
}

async fn get(test: &TestApp, user: &User, path: &str) -> Answer {
    call(test, user, Method::GET, path, Value::Null).await
}

async fn role(test: &TestApp, workspace: &str, name: &str) -> i64 {
    let made = post(test, &test.admin, "roles/create", json!({"workspace": workspace, "name": name})).await.ok();
    made["role"]["id"].as_i64().unwrap()
}

async fn add(test: &TestApp, role: i64, kind: &str, pattern: &str, permission: &str) -> i64 {
    let body = json!({"role_id": role, "resource_type": kind, "resource_pattern": pattern, "permission": permission});
    let made = post(test, &test.admin, "roles/permissions/add", body).await.ok();
    made["role_permission"]["id"].as_i64().unwrap()
}

async fn assign(test: &TestApp, role: i64, user: &str) {
    post(test, &test.admin, "roles/assign", json!({"role_id": role, "username": user})).await.ok();
}

#[tokio::test]
async fn roles_give_and_take_away_at_once() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let experiment = test.experiment(&test.admin, "x").await;
    let see = format!("experiments/get?experiment_id={experiment}");
    let rename = json!({"experiment_id": experiment, "new_name": "y"});
    let trainers = role(&test, "default", "trainers").await;
    let permission = add(&test, trainers, "experiment", &experiment, "READ").await;
    test.ask(&ada, &see).await.error(403, "PERMISSION_DENIED");
    assign(&test, trainers, "ada").await;
    test.ask(&ada, &see).await.ok();
    test.mlflow(&ada, "experiments/update", rename.clone()).await.error(403, "PERMISSION_DENIED");
    let edit = json!({"role_permission_id": permission, "permission": "EDIT"});
    call(&test, &test.admin, Method::PATCH, "roles/permissions/update", edit).await.ok();
    test.mlflow(&ada, "experiments/update", rename).await.ok();
    // Another role's denial wins.
    let banned = role(&test, "default", "banned").await;
    add(&test, banned, "experiment", "*", "NO_PERMISSIONS").await;
    assign(&test, banned, "ada").await;
    test.ask(&ada, &see).await.error(403, "PERMISSION_DENIED");
    let body = json!({"role_id": banned, "username": "ada"});
    call(&test, &test.admin, Method::DELETE, "roles/unassign", body).await.ok();
    test.ask(&ada, &see).await.ok();
    call(&test, &test.admin, Method::DELETE, "roles/permissions/remove", json!({"role_permission_id": permission}))
        .await
        .ok();
    test.ask(&ada, &see).await.error(403, "PERMISSION_DENIED");
    add(&test, trainers, "workspace", "*", "EDIT").await;
    test.ask(&ada, &see).await.ok();
    test.experiment(&ada, "made by ada").await;
    call(&test, &test.admin, Method::DELETE, "roles/delete", json!({"role_id": trainers})).await.ok();
    test.ask(&ada, &see).await.error(403, "PERMISSION_DENIED");
    let ledger = test.ledger().await;
    for act in [
        json!({"act": "role-created", "id": trainers, "workspace": "default", "name": "trainers"}),
        json!({"act": "role-updated", "id": trainers, "change": format!("READ on experiment:{experiment}")}),
        json!({"act": "role-assigned", "id": trainers, "user": "ada"}),
        json!({"act": "role-unassigned", "id": banned, "user": "ada"}),
        json!({"act": "role-deleted", "id": trainers, "name": "trainers"}),
    ] {
        assert!(TestApp::has(&ledger, &act), "{act}");
    }
}

#[tokio::test]
async fn roles_of_a_workspace_give_nothing_in_another() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let experiment = test.experiment(&test.admin, "x").await;
    let elsewhere = role(&test, "team-a", "trainers").await;
    add(&test, elsewhere, "experiment", "*", "MANAGE").await;
    add(&test, elsewhere, "workspace", "*", "MANAGE").await;
    assign(&test, elsewhere, "ada").await;
    test.ask(&ada, &format!("experiments/get?experiment_id={experiment}")).await.error(403, "PERMISSION_DENIED");
    // But it manages the roles of its own.
    post(&test, &ada, "roles/create", json!({"workspace": "team-a", "name": "viewers"})).await.ok();
    let other = json!({"workspace": "team-b", "name": "viewers"});
    post(&test, &ada, "roles/create", other).await.error(403, "PERMISSION_DENIED");
    let default = role(&test, "default", "viewers").await;
    get(&test, &ada, &format!("roles/get?role_id={default}")).await.error(403, "PERMISSION_DENIED");
    let escalate = json!({"role_id": default, "username": "ada"});
    post(&test, &ada, "roles/assign", escalate).await.error(403, "PERMISSION_DENIED");
    get(&test, &ada, "roles/list").await.error(403, "PERMISSION_DENIED");
    assert_eq!(get(&test, &ada, "roles/list?workspace=team-a").await.ok()["roles"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn roles_are_made_listed_changed_and_named_once() {
    let test = TestApp::new().await;
    let new = json!({"workspace": "team-a", "name": "viewer", "description": "who look"});
    let made = post(&test, &test.admin, "roles/create", new.clone()).await.ok()["role"].clone();
    assert_eq!((&made["description"], &made["permissions"]), (&json!("who look"), &json!([])));
    let message = post(&test, &test.admin, "roles/create", new).await.error(400, "RESOURCE_ALREADY_EXISTS");
    assert!(message.contains("already exists"), "{message}");
    role(&test, "team-b", "viewer").await;
    assert_eq!(get(&test, &test.admin, "roles/list").await.ok()["roles"].as_array().unwrap().len(), 2);
    let id = &made["id"];
    let change = json!({"role_id": id, "name": "reader"});
    let changed = call(&test, &test.admin, Method::PATCH, "roles/update", change).await.ok();
    assert_eq!((&changed["role"]["name"], &changed["role"]["description"]), (&json!("reader"), &json!("who look")));
    let nothing = call(&test, &test.admin, Method::PATCH, "roles/update", json!({"role_id": id})).await;
    assert!(nothing.error(400, "INVALID_PARAMETER_VALUE").starts_with("At least one of 'name' or 'description'"));
    let message = get(&test, &test.admin, "roles/get?role_id=99999").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert!(message.contains("not found"), "{message}");
    for (body, says) in [
        (json!({"resource_type": "bogus", "resource_pattern": "1", "permission": "READ"}), "Invalid resource type"),
        (json!({"resource_type": "experiment", "resource_pattern": "1", "permission": "ALL"}), "Invalid permission"),
        (
            json!({"resource_type": "experiment", "resource_pattern": "../1", "permission": "READ"}),
            "Invalid resource pattern",
        ),
        (
            json!({"resource_type": "workspace", "resource_pattern": "x", "permission": "READ"}),
            "Invalid resource pattern",
        ),
    ] {
        let mut body = body;
        body["role_id"] = id.clone();
        let message =
            post(&test, &test.admin, "roles/permissions/add", body).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains(says), "{message}");
    }
    for name in ["", "  ", &"x".repeat(200)] {
        let body = json!({"workspace": "team-a", "name": name});
        post(&test, &test.admin, "roles/create", body).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    post(&test, &test.admin, "roles/create", json!({"workspace": "../x", "name": "a"}))
        .await
        .error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn who_has_which_role_is_not_for_everybody() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let eve = test.user("eve", &[]).await;
    let boss = test.user("boss", &[]).await;
    let (a, b) = (role(&test, "team-a", "viewer").await, role(&test, "team-b", "viewer").await);
    for role in [a, b] {
        assign(&test, role, "ada").await;
    }
    let manager = role(&test, "team-a", "boss").await;
    add(&test, manager, "workspace", "*", "MANAGE").await;
    assign(&test, manager, "boss").await;
    let ids = |answer: Value| -> Vec<i64> {
        answer["roles"].as_array().unwrap().iter().map(|role| role["id"].as_i64().unwrap()).collect()
    };
    let path = "users/roles/list?username=ada";
    for who in [&ada, &test.admin] {
        assert_eq!(ids(get(&test, who, path).await.ok()), [a, b]);
    }
    assert_eq!(ids(get(&test, &boss, path).await.ok()), [a]);
    get(&test, &eve, path).await.error(403, "PERMISSION_DENIED");
    get(&test, &boss, "users/roles/list?username=nobody").await.error(403, "PERMISSION_DENIED");
    get(&test, &test.admin, "users/roles/list?username=nobody").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    get(&test, &ada, &format!("roles/users/list?role_id={a}")).await.error(403, "PERMISSION_DENIED");
    let members = get(&test, &boss, &format!("roles/users/list?role_id={a}")).await.ok();
    assert_eq!(members["assignments"].as_array().unwrap().len(), 1);
    let nobody = json!({"role_id": a, "username": "nobody"});
    post(&test, &test.admin, "roles/assign", nobody).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let twice = json!({"role_id": a, "username": "ada"});
    post(&test, &test.admin, "roles/assign", twice).await.error(400, "RESOURCE_ALREADY_EXISTS");
}
