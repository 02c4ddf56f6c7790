use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::test_app::{Answer, PASSWORD, TestApp, User};

const OTHER: &str = "other staple battery";

async fn patch(test: &TestApp, user: &User, path: &str, body: Value) -> Answer {
    test.call(user, Method::PATCH, &format!("/api/2.0/mlflow/{path}"), body.to_string()).await
}

async fn delete(test: &TestApp, user: &User, path: &str, body: Value) -> Answer {
    test.call(user, Method::DELETE, &format!("/api/2.0/mlflow/{path}"), body.to_string()).await
}

/// The status of a request with Basic.
async fn with_password(test: &TestApp, name: &str, password: &str) -> u16 {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    let request = Request::get("/api/2.0/mlflow/users/current")
        .header("host", "localhost")
        .header("authorization", format!("Basic {basic}"));
    test.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
}

async fn number_of(test: &TestApp, user: &User) -> i64 {
    test.ask(user, "users/current").await.ok()["user"]["id"].as_i64().unwrap()
}

#[tokio::test]
async fn users_see_themselves_and_administrators_everybody() {
    let test = TestApp::new().await;
    let new = json!({"username": "ada", "password": PASSWORD});
    let made = test.mlflow(&test.admin, "users/create", new.clone()).await.ok();
    assert_eq!((&made["user"]["username"], &made["user"]["is_admin"]), (&json!("ada"), &json!(false)));
    test.mlflow(&test.admin, "users/create", new).await.error(400, "RESOURCE_ALREADY_EXISTS");
    let ada = test.token_of("ada", "all").await;
    let bob = test.user("bob", &[]).await;
    let experiment = test.experiment(&test.admin, "x").await;
    test.grant("ada", &format!("experiment:{experiment}"), "EDIT").await;
    test.grant("ada", "registered-model:m", "DENY").await;
    test.grant("ada", "registered-model:m", "act:publish").await;
    test.grant("ada", "registered-model:fraud-*", "READ").await;
    let id = number_of(&test, &ada).await;
    for who in [&ada, &test.admin] {
        let seen = test.ask(who, "users/get?username=ada").await.ok()["user"].clone();
        let expected = json!({
            "id": id, "username": "ada", "is_admin": false, "scorer_permissions": [],
            "experiment_permissions": [{"experiment_id": experiment, "user_id": id, "permission": "EDIT"}],
            "registered_model_permissions":
                [{"workspace": "default", "name": "m", "user_id": id, "permission": "NO_PERMISSIONS"}],
        });
        assert_eq!(seen, expected);
        assert!(!seen.to_string().contains("argon2"));
    }
    test.ask(&bob, "users/get?username=ada").await.error(403, "PERMISSION_DENIED");
    // What is not there and what is not for bob are the same to him.
    test.ask(&bob, "users/get?username=nobody").await.error(403, "PERMISSION_DENIED");
    let message = test.ask(&test.admin, "users/get?username=nobody").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(message, "User with username=nobody not found");
    let listed = test.ask(&test.admin, "users/list").await.ok();
    let names: Vec<_> = listed["users"].as_array().unwrap().iter().map(|user| user["username"].clone()).collect();
    assert_eq!(names, ["ada", "admin", "bob"]);
    test.ask(&ada, "users/list").await.error(403, "PERMISSION_DENIED");
}

/// CVE-2025-11200 and CVE-2025-1473: weak passwords, and forms of other pages.
#[tokio::test]
async fn weak_passwords_and_other_pages_forms_make_no_account() {
    let test = TestApp::new().await;
    for password in ["", "short", "password1234", "aaaaaaaaaaaaaaaa", "123456789012"] {
        let new = json!({"username": "eve", "password": password});
        let message = test.mlflow(&test.admin, "users/create", new).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(password.is_empty() || !message.contains(password), "{message}");
    }
    for body in ["null", "", "[]", "{}", r#"{"username":"eve"}"#, r#"{"username":5,"password":"x"}"#] {
        let answer = test.call(&test.admin, Method::POST, "/api/2.0/mlflow/users/create", body).await;
        answer.error(400, "INVALID_PARAMETER_VALUE");
    }
    for name in ["a:b", "a b", "", "../admin", "аdmin"] {
        let new = json!({"username": name, "password": PASSWORD});
        test.mlflow(&test.admin, "users/create", new).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    let authorization = "Basic YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
    let form = |kind: &str, origin: &str| {
        Request::post("/api/2.0/mlflow/users/create")
            .header("host", "localhost")
            .header("authorization", authorization)
            .header("content-type", kind)
            .header("origin", origin)
            .body(Body::from(json!({"username": "eve", "password": PASSWORD}).to_string()))
            .unwrap()
    };
    test.send(form("application/json", "https://evil.example")).await.error(403, "PERMISSION_DENIED");
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        test.send(form(kind, "http://localhost")).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    for path in ["/signup", "/api/2.0/mlflow/users/create-ui"] {
        test.post(&test.admin, path, json!({})).await.error(404, "ENDPOINT_NOT_FOUND");
    }
    test.send(form("application/json", "http://localhost")).await.ok();
}

#[tokio::test]
async fn one_changes_ones_own_password_by_knowing_it() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let second = test.token_of("ada", "all").await;
    let change = |current: Option<&str>, new: &str| {
        let mut body = json!({"username": "ada", "password": new});
        if let Some(current) = current {
            body["current_password"] = json!(current);
        }
        body
    };
    let path = "users/update-password";
    let message = patch(&test, &ada, path, change(None, OTHER)).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.starts_with("Current password is required"), "{message}");
    let message = patch(&test, &ada, path, change(Some("wrong"), OTHER)).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.starts_with("Current password does not match"), "{message}");
    // A token that may do little may not take the account over.
    let limited = test.token_of("ada", "read").await;
    patch(&test, &limited, path, change(Some(PASSWORD), OTHER)).await.error(403, "PERMISSION_DENIED");
    patch(&test, &ada, path, change(Some(PASSWORD), "short")).await.error(400, "INVALID_PARAMETER_VALUE");
    assert_eq!(with_password(&test, "ada", PASSWORD).await, 200);
    patch(&test, &ada, path, change(Some(PASSWORD), OTHER)).await.ok();
    assert_eq!((with_password(&test, "ada", PASSWORD).await, with_password(&test, "ada", OTHER).await), (401, 200));
    // Whoever else had a way in has none any more.
    test.ask(&second, "users/current").await.error(401, "UNAUTHENTICATED");
    test.ask(&ada, "users/current").await.ok();
    let ledger = test.ledger().await;
    assert!(TestApp::has(
        &ledger,
        &json!({"act": "user-updated", "name": "ada", "change": "password", "actor": "ada"})
    ));
    assert!(TestApp::has(&ledger, &json!({"act": "token-revoked", "actor": "ada"})));
    // Guessing it is throttled as log ins are.
    let mut last = 0;
    for _ in 0..20 {
        last = patch(&test, &ada, path, change(Some("wrong"), OTHER)).await.status.as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn an_administrator_changes_others_passwords_and_ends_their_tokens() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let bob = test.user("bob", &[]).await;
    let body = json!({"username": "ada", "password": OTHER});
    patch(&test, &bob, "users/update-password", body.clone()).await.error(403, "PERMISSION_DENIED");
    patch(&test, &test.admin, "users/update-password", body).await.ok();
    test.ask(&ada, "users/current").await.error(401, "UNAUTHENTICATED");
    assert_eq!(with_password(&test, "ada", OTHER).await, 200);
    // Its own takes the present one, also from an administrator.
    let own = json!({"username": "admin", "password": OTHER});
    patch(&test, &test.admin, "users/update-password", own).await.error(400, "INVALID_PARAMETER_VALUE");
    let limited = test.token_of("admin", "experiment:*:manage").await;
    let other = json!({"username": "bob", "password": OTHER});
    patch(&test, &limited, "users/update-password", other).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn administrators_are_made_and_unmade_and_one_stays() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let make = |name: &str, admin: Value| json!({"username": name, "is_admin": admin});
    patch(&test, &ada, "users/update-admin", make("ada", json!(true))).await.error(403, "PERMISSION_DENIED");
    for odd in [json!("true"), json!(1), Value::Null] {
        let answer = patch(&test, &test.admin, "users/update-admin", make("ada", odd)).await;
        answer.error(400, "INVALID_PARAMETER_VALUE");
    }
    let message = patch(&test, &test.admin, "users/update-admin", make("admin", json!(false))).await;
    assert!(message.error(400, "INVALID_PARAMETER_VALUE").contains("last administrator"));
    patch(&test, &test.admin, "users/update-admin", make("ada", json!(true))).await.ok();
    test.ask(&ada, "users/list").await.ok();
    patch(&test, &ada, "users/update-admin", make("admin", json!(false))).await.ok();
    test.ask(&test.admin, "users/list").await.error(403, "PERMISSION_DENIED");
    let itself = delete(&test, &ada, "users/delete", json!({"username": "ada"})).await;
    assert!(itself.error(400, "INVALID_PARAMETER_VALUE").contains("last administrator"));
    delete(&test, &ada, "users/delete", json!({"username": "admin"})).await.ok();
    test.ask(&test.admin, "users/current").await.error(401, "UNAUTHENTICATED");
    delete(&test, &ada, "users/delete", json!({"username": "admin"})).await.error(404, "RESOURCE_DOES_NOT_EXIST");
}

#[tokio::test]
async fn whoever_manages_a_thing_shares_it() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let bob = test.user("bob", &[]).await;
    let number = number_of(&test, &bob).await;
    // Its maker has MANAGE.
    let experiment = test.experiment(&ada, "x").await;
    test.mlflow(&ada, "registered-models/create", json!({"name": "m"})).await.ok();
    for (path, key, id, field, kind) in [
        ("experiments", "experiment_id", experiment.as_str(), "experiment_permission", "Experiment permission"),
        ("registered-models", "name", "m", "registered_model_permission", "Registered model permission"),
    ] {
        let (path, see) = (format!("{path}/permissions"), format!("{path}/get?{key}={id}"));
        let body = |level: &str| json!({key: id, "username": "bob", "permission": level});
        let get = format!("{path}/get?{key}={id}&username=bob");
        test.ask(&bob, &see).await.error(403, "PERMISSION_DENIED");
        test.mlflow(&bob, &format!("{path}/create"), body("MANAGE")).await.error(403, "PERMISSION_DENIED");
        test.ask(&bob, &get).await.error(403, "PERMISSION_DENIED");
        let message = test.ask(&ada, &get).await.error(404, "RESOURCE_DOES_NOT_EXIST");
        assert!(message.starts_with(kind) && message.ends_with("and username=bob not found"), "{message}");
        let answer = patch(&test, &ada, &format!("{path}/update"), body("EDIT")).await;
        answer.error(404, "RESOURCE_DOES_NOT_EXIST");
        let made = test.mlflow(&ada, &format!("{path}/create"), body("READ")).await.ok();
        assert_eq!((&made[field]["permission"], &made[field]["user_id"]), (&json!("READ"), &json!(number)));
        test.mlflow(&ada, &format!("{path}/create"), body("EDIT")).await.error(400, "RESOURCE_ALREADY_EXISTS");
        test.ask(&bob, &see).await.ok();
        test.ask(&bob, &get).await.error(403, "PERMISSION_DENIED");
        patch(&test, &bob, &format!("{path}/update"), body("MANAGE")).await.error(403, "PERMISSION_DENIED");
        patch(&test, &ada, &format!("{path}/update"), body("ADMIN")).await.error(400, "INVALID_PARAMETER_VALUE");
        patch(&test, &ada, &format!("{path}/update"), body("MANAGE")).await.ok();
        assert_eq!(test.ask(&bob, &get).await.ok()[field]["permission"], "MANAGE");
        patch(&test, &ada, &format!("{path}/update"), body("NO_PERMISSIONS")).await.ok();
        test.ask(&bob, &see).await.error(403, "PERMISSION_DENIED");
        assert_eq!(test.ask(&ada, &get).await.ok()[field]["permission"], "NO_PERMISSIONS");
        delete(&test, &ada, &format!("{path}/delete"), json!({key: id, "username": "bob"})).await.ok();
        let gone = delete(&test, &ada, &format!("{path}/delete"), json!({key: id, "username": "bob"})).await;
        gone.error(404, "RESOURCE_DOES_NOT_EXIST");
        let nobody = json!({key: id, "username": "nobody", "permission": "READ"});
        let message = test.mlflow(&ada, &format!("{path}/create"), nobody).await.error(404, "RESOURCE_DOES_NOT_EXIST");
        assert_eq!(message, "User with username=nobody not found");
    }
    let ledger = test.ledger().await;
    let set = json!({"act": "grant-set", "principal": "bob", "resource": "registered-model:m", "permission": "DENY", "actor": "ada"});
    assert!(TestApp::has(&ledger, &set));
    assert!(TestApp::has(
        &ledger,
        &json!({"act": "grant-removed", "principal": "bob", "resource": "registered-model:m"})
    ));
}

/// NO_PERMISSIONS takes away what a wider grant gives, and an administrator can undo it whoever it was set for.
#[tokio::test]
async fn no_permissions_wins_and_locks_no_administrator_out() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let bob = test.user("bob", &[("experiment:*", "EDIT")]).await;
    let experiment = test.experiment(&ada, "x").await;
    let see = format!("experiments/get?experiment_id={experiment}");
    test.ask(&bob, &see).await.ok();
    for name in ["bob", "admin"] {
        let body = json!({"experiment_id": experiment, "username": name, "permission": "NO_PERMISSIONS"});
        test.mlflow(&ada, "experiments/permissions/create", body).await.ok();
    }
    test.ask(&bob, &see).await.error(403, "PERMISSION_DENIED");
    test.ask(&test.admin, &see).await.error(403, "PERMISSION_DENIED");
    let body = json!({"experiment_id": experiment, "username": "admin"});
    delete(&test, &test.admin, "experiments/permissions/delete", body).await.ok();
    test.ask(&test.admin, &see).await.ok();
}
