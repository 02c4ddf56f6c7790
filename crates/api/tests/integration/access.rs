//! Accounts, grants and the explanation of a decision, through Sealyard's own interface.

use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::test_app::{Answer, PASSWORD, TestApp, User};

const ROOT: &str = "/api/sealyard/v1";

async fn get(test: &TestApp, user: &User, path: &str) -> Answer {
    test.get(user, &format!("{ROOT}/{path}")).await
}

async fn call(test: &TestApp, user: &User, method: Method, path: &str, body: Value) -> Answer {
    test.call(user, method, &format!("{ROOT}/{path}"), body.to_string()).await
}

async fn explain(test: &TestApp, user: &User, query: &str) -> Value {
    get(test, user, &format!("access/explanation?{query}")).await.ok()
}

async fn role(test: &TestApp, name: &str) -> i64 {
    let new = json!({"workspace": "default", "name": name});
    let made = test.post(&test.admin, "/api/3.0/mlflow/roles/create", new).await.ok();
    made["role"]["id"].as_i64().unwrap()
}

async fn assign(test: &TestApp, role: i64, name: &str) {
    let body = json!({"role_id": role, "username": name});
    test.post(&test.admin, "/api/3.0/mlflow/roles/assign", body).await.ok();
}

#[tokio::test]
async fn a_grant_on_what_is_not_there_is_a_slip_unless_it_says_otherwise() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let experiment = test.experiment(&test.admin, "x").await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "fraud"})).await.ok();
    let give = async |resource: &str, absent: bool| {
        let body = json!({"user": "ada", "resource": resource, "right": "READ", "absent": absent});
        call(&test, &test.admin, Method::POST, "grants", body).await
    };
    for resource in [
        "experiment:999",
        "registered-model:fruad",
        "prompt:fraud",
        "dataset:d-1",
        "workspace:team-z",
        "gateway-endpoint:e-1",
        "team-z/experiment:1",
    ] {
        give(resource, false).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    }
    for resource in [&format!("experiment:{experiment}"), "registered-model:fraud", "registered-model:fruad*", "ledger"]
    {
        give(resource, false).await.ok();
    }
    give("registered-model:later", true).await.ok();
    let found = get(&test, &test.admin, "grants?user=ada").await.ok();
    let found: Vec<_> = found["grants"].as_array().unwrap().iter().map(|one| one["resource"].clone()).collect();
    let experiment = format!("experiment:{experiment}");
    let wanted: [&str; 5] =
        [&experiment, "ledger", "registered-model:fraud", "registered-model:fruad*", "registered-model:later"];
    assert_eq!(found, wanted);
    let one = get(&test, &test.admin, "grants?resource=ledger").await.ok();
    assert_eq!(one["grants"], json!([{"kind": "user", "to": "ada", "resource": "ledger", "right": "READ"}]));
    get(&test, &test.admin, "grants?user=nobody").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    for body in [
        json!({"resource": "ledger", "right": "READ"}),
        json!({"user": "ada", "role": 1, "resource": "ledger", "right": "READ"}),
    ] {
        call(&test, &test.admin, Method::POST, "grants", body).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

#[tokio::test]
async fn roles_hold_acts_and_what_mlflow_has_words_for_is_seen_by_its_clients() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "fraud"})).await.ok();
    let managers = role(&test, "release-managers").await;
    assign(&test, managers, "ada").await;
    let grant = |right: &str, resource: &str| json!({"role": managers, "resource": resource, "right": right});
    for (right, resource) in [("act:promote", "registered-model:fraud"), ("READ", "registered-model:*")] {
        call(&test, &test.admin, Method::POST, "grants", grant(right, resource)).await.ok();
    }
    let shown = test.get(&test.admin, &format!("/api/3.0/mlflow/roles/get?role_id={managers}")).await.ok();
    let permissions = shown["role"]["permissions"].as_array().unwrap();
    assert_eq!(permissions.len(), 1, "{shown}");
    assert_eq!((&permissions[0]["resource_pattern"], &permissions[0]["permission"]), (&json!("*"), &json!("READ")));
    // Another level takes the place of the one before.
    call(&test, &test.admin, Method::POST, "grants", grant("EDIT", "registered-model:*")).await.ok();
    let found = get(&test, &test.admin, &format!("grants?role={managers}")).await.ok();
    assert_eq!(
        found["grants"],
        json!([
            {"kind": "role", "to": "release-managers", "resource": "registered-model:*", "right": "EDIT"},
            {"kind": "role", "to": "release-managers", "resource": "registered-model:fraud", "right": "act:promote"},
        ])
    );
    let promote = "action=promote&resource=registered-model:fraud";
    let explained = explain(&test, &ada, promote).await;
    assert_eq!(explained["allowed"], true);
    assert_eq!(explained["schema"], "sealyard.access/1");
    let allowed =
        json!({"effect": "allows", "rule": "act:promote on registered-model:fraud to the role release-managers"});
    assert!(explained["considered"].as_array().unwrap().contains(&allowed), "{explained}");
    call(&test, &test.admin, Method::DELETE, "grants", grant("act:promote", "registered-model:fraud")).await.ok();
    call(&test, &test.admin, Method::DELETE, "grants", grant("READ", "registered-model:*"))
        .await
        .error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(explain(&test, &ada, promote).await["allowed"], false);
    call(&test, &test.admin, Method::DELETE, "grants", grant("EDIT", "registered-model:*")).await.ok();
    let ledger = test.ledger().await;
    let set = json!({"act": "grant-set", "principal": "role:release-managers", "permission": "act:promote"});
    assert!(TestApp::has(&ledger, &set));
}

/// Whoever manages a workspace hands out its roles; so a role must not hold what only administrators give.
#[tokio::test]
async fn a_role_speaks_of_its_own_workspace_alone() {
    let test = TestApp::new().await;
    let boss = test.user("boss", &[("workspace:default", "MANAGE")]).await;
    let managers = role(&test, "managers").await;
    let grant =
        |right: &str, resource: &str| json!({"role": managers, "resource": resource, "right": right, "absent": true});
    for resource in ["ledger", "users", "server", "policies", "team-b/experiment:*", "workspace:team-b"] {
        let message = call(&test, &boss, Method::POST, "grants", grant("READ", resource))
            .await
            .error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains("in the workspace \"default\" alone"), "{message}");
    }
    call(&test, &boss, Method::POST, "grants", grant("act:deploy", "registered-model:*")).await.ok();
    call(&test, &boss, Method::POST, "grants", grant("act:break-glass", "registered-model:*"))
        .await
        .error(403, "PERMISSION_DENIED");
    let hand_out = async |who: &User| {
        let body = json!({"role_id": managers, "username": "boss"});
        test.post(who, "/api/3.0/mlflow/roles/assign", body).await
    };
    hand_out(&boss).await.ok();
    let unassign = Body::from(json!({"role_id": managers, "username": "boss"}).to_string());
    test.call(&test.admin, Method::DELETE, "/api/3.0/mlflow/roles/unassign", unassign).await.ok();
    call(&test, &test.admin, Method::POST, "grants", grant("act:break-glass", "registered-model:*")).await.ok();
    // What they can't put into it they can't hand out either, to themselves for one.
    hand_out(&boss).await.error(403, "PERMISSION_DENIED");
    hand_out(&test.admin).await.ok();
    call(&test, &boss, Method::POST, "grants", json!({"user": "boss", "resource": "ledger", "right": "READ"}))
        .await
        .error(403, "PERMISSION_DENIED");
    let ada = test.user("ada", &[]).await;
    call(&test, &ada, Method::POST, "grants", grant("READ", "experiment:*")).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_decision_is_explained_to_oneself_and_to_administrators() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("registered-model:fraud*", "MANAGE"), ("registered-model:fraud-eu", "DENY")]).await;
    let eve = test.user("eve", &[]).await;
    let ask = "action=deploy&resource=registered-model:fraud-eu";
    let own = explain(&test, &ada, ask).await;
    assert_eq!((&own["user"], &own["allowed"], &own["action"]), (&json!("ada"), &json!(false), &json!("deploy")));
    assert_eq!(
        own["considered"],
        json!([
            {"effect": "denies", "rule": "DENY on registered-model:fraud-eu to the user ada"},
            {"effect": "allows", "rule": "MANAGE on registered-model:fraud* to the user ada"},
        ])
    );
    assert_eq!(explain(&test, &test.admin, &format!("user=ada&{ask}")).await, own);
    assert_eq!(explain(&test, &ada, &format!("user=ada&{ask}")).await, own);
    get(&test, &eve, &format!("access/explanation?user=ada&{ask}")).await.error(403, "PERMISSION_DENIED");
    get(&test, &test.admin, &format!("access/explanation?user=nobody&{ask}"))
        .await
        .error(404, "RESOURCE_DOES_NOT_EXIST");
    let none = explain(&test, &eve, "action=read&resource=experiment:7").await;
    assert_eq!(none["considered"], json!([{"effect": "insufficient", "rule": "no grant gives READ"}]));
    // A limited token hears of its limits.
    let limited = test.token_of("ada", "read").await;
    let limited = explain(&test, &limited, "action=edit&resource=registered-model:fraud-us").await;
    assert_eq!((&limited["allowed"], &limited["considered"][0]["effect"]), (&json!(false), &json!("denies")));
    for query in [
        "action=promote&resource=experiment:7",
        "action=administer&resource=experiment:7",
        "action=fly&resource=ledger",
        "action=read&resource=moon",
    ] {
        get(&test, &ada, &format!("access/explanation?{query}")).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    let ledger = test.ledger().await;
    assert!(!TestApp::has(&ledger, &json!({"act": "access-denied", "action": "deploy"})), "asking is not doing");
}

#[tokio::test]
async fn administrators_see_change_and_delete_accounts() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("ledger", "READ")]).await;
    let eve = test.user("eve", &[]).await;
    let all = get(&test, &test.admin, "users").await.ok();
    let names: Vec<_> = all["users"].as_array().unwrap().iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, ["ada", "admin", "eve"]);
    let own = get(&test, &ada, "users/ada").await.ok();
    assert_eq!(own["grants"], json!([{"kind": "user", "to": "ada", "resource": "ledger", "right": "READ"}]));
    assert_eq!((&own["admin"], &own["tokens"]), (&json!(false), &json!(1)));
    get(&test, &eve, "users/ada").await.error(403, "PERMISSION_DENIED");
    let other = "other staple battery";
    call(&test, &test.admin, Method::PATCH, "users/ada", json!({"password": other})).await.ok();
    get(&test, &ada, "whoami").await.error(401, "UNAUTHENTICATED");
    call(&test, &eve, Method::PATCH, "users/eve", json!({"admin": true})).await.error(403, "PERMISSION_DENIED");
    call(&test, &test.admin, Method::PATCH, "users/eve", json!({"admin": true})).await.ok();
    get(&test, &eve, "users").await.ok();
    call(&test, &test.admin, Method::DELETE, "users/eve", json!({})).await.ok();
    get(&test, &eve, "whoami").await.error(401, "UNAUTHENTICATED");
    let last = call(&test, &test.admin, Method::DELETE, "users/admin", json!({})).await;
    last.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn administrators_list_and_end_the_tokens_of_others() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let eve = test.user("eve", &[]).await;
    let tokens = get(&test, &test.admin, "tokens?user=ada").await.ok();
    let id = tokens["tokens"][0]["id"].as_str().unwrap().to_owned();
    get(&test, &eve, "tokens?user=ada").await.error(403, "PERMISSION_DENIED");
    get(&test, &test.admin, "tokens?user=nobody").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let path = format!("{ROOT}/tokens/{id}");
    for (user, query, status) in [
        (&eve, "?user=ada", 403),
        (&eve, "", 404),
        (&test.admin, "?user=eve", 404),
        (&test.admin, "?user=ada", 200),
        (&test.admin, "?user=ada", 200),
    ] {
        let answer = test.call(user, Method::DELETE, &format!("{path}{query}"), Body::empty()).await;
        assert_eq!(answer.status, status, "{query}");
    }
    get(&test, &ada, "whoami").await.error(401, "UNAUTHENTICATED");
    let revoked = json!({"act": "token-revoked", "id": id, "actor": "admin"});
    assert!(TestApp::has(&test.ledger().await, &revoked));
}

#[tokio::test]
async fn groups_give_rights_and_roles_and_the_explanation_says_through_which() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "fraud"})).await.ok();
    call(&test, &test.admin, Method::POST, "groups", json!({"name": "risk"})).await.ok();
    call(&test, &test.admin, Method::POST, "groups", json!({"name": "risk"}))
        .await
        .error(400, "RESOURCE_ALREADY_EXISTS");
    for odd in ["", " ", "corp/risk", "a\nb"] {
        call(&test, &test.admin, Method::POST, "groups", json!({"name": odd}))
            .await
            .error(400, "INVALID_PARAMETER_VALUE");
    }
    let releasers = role(&test, "releasers").await;
    let may = json!({"role": releasers, "resource": "registered-model:fraud", "right": "act:promote"});
    call(&test, &test.admin, Method::POST, "grants", may).await.ok();
    let read = json!({"group": "risk", "resource": "registered-model:fraud", "right": "READ"});
    call(&test, &test.admin, Method::POST, "grants", read.clone()).await.ok();
    call(&test, &test.admin, Method::PUT, &format!("groups/risk/roles/{releasers}"), json!({})).await.ok();
    let promote = "action=promote&resource=registered-model:fraud";
    assert_eq!(explain(&test, &ada, promote).await["allowed"], false);
    call(&test, &test.admin, Method::PUT, "groups/risk/members/ada", json!({})).await.ok();
    let explained = explain(&test, &ada, promote).await;
    let through = "act:promote on registered-model:fraud to the role releasers, through the group risk";
    assert!(
        explained["considered"].as_array().unwrap().contains(&json!({"effect": "allows", "rule": through})),
        "{explained}"
    );
    test.ask(&ada, "registered-models/get?name=fraud").await.ok();
    let shown = get(&test, &test.admin, "groups/risk").await.ok();
    assert_eq!((&shown["users"], &shown["roles"]), (&json!(["ada"]), &json!(["releasers"])));
    assert_eq!(shown["grants"][0]["to"], "risk");
    call(&test, &test.admin, Method::DELETE, "groups/risk/members/ada", json!({})).await.ok();
    test.ask(&ada, "registered-models/get?name=fraud").await.error(403, "PERMISSION_DENIED");
    call(&test, &test.admin, Method::PUT, "groups/risk/members/ada", json!({})).await.ok();
    call(&test, &test.admin, Method::DELETE, "groups/risk", json!({})).await.ok();
    test.ask(&ada, "registered-models/get?name=fraud").await.error(403, "PERMISSION_DENIED");
    call(&test, &test.admin, Method::POST, "grants", read).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "group-updated", "change": "+ada"})));
}

#[tokio::test]
async fn a_disabled_account_is_nobody_at_once() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("ledger", "READ")]).await;
    get(&test, &ada, "whoami").await.ok();
    let set = async |name: &str, disabled: bool| {
        call(&test, &test.admin, Method::PATCH, &format!("users/{name}"), json!({"disabled": disabled})).await
    };
    set("ada", true).await.ok();
    get(&test, &ada, "whoami").await.error(401, "UNAUTHENTICATED");
    let explained = explain(&test, &test.admin, "user=ada&action=read&resource=ledger").await;
    assert_eq!(
        (&explained["allowed"], &explained["considered"][0]["rule"]),
        (&json!(false), &json!("the account being disabled"))
    );
    set("admin", true).await.error(400, "INVALID_PARAMETER_VALUE");
    set("ada", false).await.ok();
    // The token has ended for good.
    get(&test, &ada, "whoami").await.error(401, "UNAUTHENTICATED");
    let again = test.token_of("ada", "all").await;
    get(&test, &again, "whoami").await.ok();
    let ledger = test.ledger().await;
    for change in ["disabled", "enabled"] {
        assert!(TestApp::has(&ledger, &json!({"act": "user-updated", "name": "ada", "change": change})));
    }
}

#[tokio::test]
async fn machines_have_no_password_and_administrators_make_their_tokens() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    for body in [
        json!({"name": "ci", "service": true, "password": PASSWORD}),
        json!({"name": "ci", "service": true, "admin": true}),
        json!({"name": "ci"}),
    ] {
        call(&test, &test.admin, Method::POST, "users", body).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    call(&test, &test.admin, Method::POST, "users", json!({"name": "ci", "service": true})).await.ok();
    test.grant("ci", "ledger", "READ").await;
    let new = |user: &str| json!({"scopes": ["ledger:read"], "user": user});
    call(&test, &ada, Method::POST, "tokens", new("ci")).await.error(403, "PERMISSION_DENIED");
    let message =
        call(&test, &test.admin, Method::POST, "tokens", new("ada")).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("is a person"), "{message}");
    call(&test, &test.admin, Method::POST, "tokens", new("nobody")).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let made = call(&test, &test.admin, Method::POST, "tokens", new("ci")).await.ok();
    let ci = User::with_token(made["token"].as_str().unwrap());
    assert_eq!(get(&test, &ci, "whoami").await.ok()["name"], "ci");
    get(&test, &ci, "ledger/entries").await.ok();
    let set = json!({"password": PASSWORD});
    call(&test, &test.admin, Method::PATCH, "users/ci", set).await.error(400, "INVALID_PARAMETER_VALUE");
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "token-created", "owner": "ci", "actor": "admin"})));
}

/// Each kind of thing can be granted, by a pattern too, and is explained.
#[tokio::test]
async fn every_kind_is_granted_and_explained() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let prompt = json!({"name": "hello", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]});
    test.mlflow(&test.admin, "registered-models/create", prompt).await.ok();
    for (pattern, resource) in [
        ("experiment:7*", "experiment:71"),
        ("registered-model:fraud-*", "registered-model:fraud-1"),
        ("prompt:*", "prompt:hello"),
        ("prompt:hello", "registered-model:hello"),
        ("dataset:*", "dataset:d-1f"),
        ("workspace:team-*", "workspace:team-a"),
        ("gateway-endpoint:*", "gateway-endpoint:e-1"),
        ("ledger", "ledger"),
        ("policies", "policies"),
        ("server", "server"),
        ("users", "users"),
    ] {
        let query = format!("user=ada&action=edit&resource={resource}");
        assert_eq!(explain(&test, &test.admin, &query).await["allowed"], json!(false), "{resource}");
        let body = json!({"user": "ada", "resource": pattern, "right": "EDIT"});
        call(&test, &test.admin, Method::POST, "grants", body.clone()).await.ok();
        let told = explain(&test, &test.admin, &query).await;
        assert_eq!(told["allowed"], json!(true), "{pattern} {told}");
        let rule = told["considered"][0]["rule"].as_str().unwrap();
        assert_eq!(rule, format!("EDIT on {pattern} to the user ada"));
        call(&test, &test.admin, Method::DELETE, "grants", body).await.ok();
        assert_eq!(explain(&test, &test.admin, &query).await["allowed"], json!(false), "{resource}");
    }
}
