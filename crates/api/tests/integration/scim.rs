//! SCIM 2.0, as Entra ID and Okta speak it.

use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::test_app::{Answer, PASSWORD, TestApp, User};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

async fn call(test: &TestApp, user: &User, method: Method, path: &str, body: Value) -> Answer {
    let headers = [("content-type", "application/scim+json")];
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    test.send_with(user, method, &format!("/scim/v2/{path}"), &headers, body).await
}

async fn get(test: &TestApp, user: &User, path: &str) -> Answer {
    call(test, user, Method::GET, path, Value::Null).await
}

async fn patch(test: &TestApp, user: &User, path: &str, operations: Value) -> Answer {
    call(test, user, Method::PATCH, path, json!({"schemas": [PATCH], "Operations": operations})).await
}

#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) {
    let body = answer.json();
    let schema = "urn:ietf:params:scim:api:messages:2.0:Error";
    assert_eq!((answer.status.as_u16(), &body["schemas"][0]), (status, &json!(schema)), "{body}");
    assert_eq!(body["status"], status.to_string());
    assert_eq!(body["scimType"].as_str().unwrap_or_default(), kind, "{body}");
}

/// A machine that may provision and nothing else.
async fn directory(test: &TestApp) -> User {
    let root = "/api/sealyard/v1";
    test.post(&test.admin, &format!("{root}/users"), json!({"name": "corp-directory", "service": true})).await.ok();
    test.grant("corp-directory", "users", "MANAGE").await;
    let new = json!({"scopes": ["scim"], "user": "corp-directory"});
    let made = test.post(&test.admin, &format!("{root}/tokens"), new).await.ok();
    User::with_token(made["token"].as_str().unwrap())
}

#[tokio::test]
async fn users_come_are_found_and_go() {
    let test = TestApp::new().await;
    let directory = directory(&test).await;
    let new = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.org", "externalId": "00u1",
        "name": {"givenName": "Ada"}, "emails": [{"value": "ada@example.org", "primary": true}], "active": true,
    });
    let made = call(&test, &directory, Method::POST, "Users", new.clone()).await;
    assert_eq!(
        (made.status.as_u16(), &made.headers["content-type"]),
        (201, &http::HeaderValue::from_static("application/scim+json"))
    );
    let made = made.json();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["userName"], &made["externalId"], &made["active"]),
        (&json!("ada@example.org"), &json!("00u1"), &json!(true))
    );
    assert_eq!(made["meta"]["location"], format!("/scim/v2/Users/{id}"));
    assert!(!made.to_string().contains("Ada"), "what is not needed is not kept");
    refused(&call(&test, &directory, Method::POST, "Users", new).await, 409, "uniqueness");
    let again = json!({"userName": "ADA@example.org"});
    refused(&call(&test, &directory, Method::POST, "Users", again).await, 409, "uniqueness");
    for name in ["", "a b", "system", "../x"] {
        refused(&call(&test, &directory, Method::POST, "Users", json!({"userName": name})).await, 400, "invalidValue");
    }
    let found = async |filter: &str| {
        let answer = get(&test, &directory, &format!("Users?filter={filter}")).await.ok();
        (answer["totalResults"].as_i64().unwrap(), answer["Resources"][0]["id"].clone())
    };
    assert_eq!(found("userName%20eq%20%22Ada@Example.org%22").await, (1, json!(id)));
    assert_eq!(found("externalId%20eq%20%2200u1%22").await, (1, json!(id)));
    assert_eq!(found("userName%20eq%20%22nobody%22").await, (0, Value::Null));
    refused(&get(&test, &directory, "Users?filter=userName%20co%20%22a%22").await, 400, "invalidFilter");
    refused(&get(&test, &directory, "Users?filter=title%20eq%20%22a%22").await, 400, "invalidFilter");
    for number in 0..4 {
        call(&test, &directory, Method::POST, "Users", json!({"userName": format!("p{number}")})).await.ok();
    }
    let page = get(&test, &directory, "Users?startIndex=2&count=2").await.ok();
    // With the administrator: six persons, and no machine.
    assert_eq!((&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]), (&json!(6), &json!(2), &json!(2)));
    let put = json!({"userName": "ada@example.org", "externalId": "00u2", "active": true});
    let changed = call(&test, &directory, Method::PUT, &format!("Users/{id}"), put).await.ok();
    assert_eq!(changed["externalId"], "00u2");
    let renamed = json!({"userName": "eve"});
    refused(&call(&test, &directory, Method::PUT, &format!("Users/{id}"), renamed).await, 400, "mutability");
    assert_eq!(call(&test, &directory, Method::DELETE, &format!("Users/{id}"), Value::Null).await.status, 204);
    refused(&get(&test, &directory, &format!("Users/{id}")).await, 404, "");
    let ledger = test.ledger().await;
    for act in ["user-created", "user-deleted"] {
        let event = json!({"act": act, "name": "ada@example.org", "actor": "corp-directory"});
        assert!(TestApp::has(&ledger, &event), "{act}");
    }
    assert!(!serde_json::to_string(&ledger).unwrap().contains("givenName"));
}

#[tokio::test]
async fn who_is_not_active_is_nobody_at_once_in_all_shapes() {
    use sealyard_core::Redacted;
    let test = TestApp::new().await;
    let directory = directory(&test).await;
    test.user("ada", &[]).await;
    let all = get(&test, &directory, "Users?filter=userName%20eq%20%22ada%22").await.ok();
    let path = format!("Users/{}", all["Resources"][0]["id"].as_str().unwrap());
    for off in [
        json!([{"op": "replace", "path": "active", "value": false}]),
        json!([{"op": "Replace", "path": "active", "value": "False"}]),
        json!([{"op": "replace", "value": {"active": false}}]),
        json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "x@y"}, {"op": "replace", "path": "active", "value": false}]),
    ] {
        let token = test.token_of("ada", "all").await;
        let log_in = test.app.log_in("ada".to_owned(), Redacted::new(PASSWORD.to_owned()), None, None, None).await;
        let session = log_in.unwrap().secret;
        test.get(&token, "/api/sealyard/v1/whoami").await.ok();
        let changed = patch(&test, &directory, &path, off.clone()).await.ok();
        assert_eq!(changed["active"], false, "{off}");
        test.get(&token, "/api/sealyard/v1/whoami").await.error(401, "UNAUTHENTICATED");
        let session = sealyard_app::Credentials::Session(session);
        assert!(test.app.authenticate(session, None, None).await.is_err());
        let on = json!([{"op": "Add", "path": "active", "value": "True"}]);
        assert_eq!(patch(&test, &directory, &path, on).await.ok()["active"], true);
        test.get(&token, "/api/sealyard/v1/whoami").await.error(401, "UNAUTHENTICATED");
    }
    for odd in [
        json!([{"op": "replace", "path": "active", "value": "no"}]),
        json!([{"op": "remove", "path": "active"}]),
        json!([{"op": "replace", "path": "userName", "value": "eve"}]),
        json!([{"op": "fly", "path": "active", "value": true}]),
    ] {
        assert_eq!(patch(&test, &directory, &path, odd.clone()).await.status, 400, "{odd}");
    }
    let without = call(&test, &directory, Method::PATCH, &path, json!({"Operations": []})).await;
    refused(&without, 400, "invalidSyntax");
}

#[tokio::test]
async fn groups_give_what_they_were_given_to_whoever_the_directory_puts_in() {
    let test = TestApp::new().await;
    let directory = directory(&test).await;
    let ada = test.user("ada", &[]).await;
    test.user("bob", &[]).await;
    let id = async |name: &str| {
        let found = get(&test, &directory, &format!("Users?filter=userName%20eq%20%22{name}%22")).await.ok();
        found["Resources"][0]["id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (id("ada").await, id("bob").await);
    let made =
        call(&test, &directory, Method::POST, "Groups", json!({"displayName": "Risk", "members": []})).await.ok();
    let path = format!("Groups/{}", made["id"].as_str().unwrap());
    refused(&call(&test, &directory, Method::POST, "Groups", json!({"displayName": "Risk"})).await, 409, "uniqueness");
    let grant = json!({"group": "scim/Risk", "resource": "ledger", "right": "READ"});
    test.post(&test.admin, "/api/sealyard/v1/grants", grant).await.ok();
    let reads = async || test.get(&ada, "/api/sealyard/v1/ledger/checkpoint").await.status.as_u16();
    assert_eq!(reads().await, 403);
    let members = async |operations: Value| {
        let changed = patch(&test, &directory, &path, operations).await.ok();
        let mut ids: Vec<_> = changed["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["value"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    let mut both = vec![one.clone(), two.clone()];
    both.sort();
    // Okta, then Entra.
    assert_eq!(
        members(json!([{"op": "add", "path": "members", "value": [{"value": one}, {"value": two}]}])).await,
        both
    );
    assert_eq!(reads().await, 200);
    assert_eq!(
        members(json!([{"op": "remove", "path": format!("members[value eq \"{one}\"]")}])).await,
        std::slice::from_ref(&two)
    );
    assert_eq!(reads().await, 403);
    assert_eq!(members(json!([{"op": "Add", "path": "members", "value": [{"value": one}]}])).await, both);
    assert_eq!(
        members(json!([{"op": "Remove", "path": "members", "value": [{"value": one}]}])).await,
        std::slice::from_ref(&two)
    );
    assert_eq!(
        members(json!([{"op": "replace", "path": "members", "value": [{"value": one}]}])).await,
        std::slice::from_ref(&one)
    );
    assert_eq!(reads().await, 200);
    assert!(members(json!([{"op": "remove", "path": "members"}])).await.is_empty());
    assert_eq!(reads().await, 403);
    let unknown = json!([{"op": "add", "path": "members", "value": [{"value": "u999"}]}]);
    refused(&patch(&test, &directory, &path, unknown).await, 404, "");
    let renamed = json!([{"op": "replace", "value": {"id": "x", "displayName": "Risk EU"}}]);
    assert_eq!(patch(&test, &directory, &path, renamed).await.ok()["displayName"], "Risk EU");
    let put = json!({"displayName": "Risk EU", "members": [{"value": one}]});
    call(&test, &directory, Method::PUT, &path, put).await.ok();
    assert_eq!(reads().await, 200, "what was given to it outlives its name");
    let shown = get(&test, &directory, &format!("Users/{one}")).await.ok();
    assert_eq!(shown["groups"][0]["display"], "Risk EU");
    let found = get(&test, &directory, "Groups?filter=displayName%20eq%20%22Risk%20EU%22&excludedAttributes=members")
        .await
        .ok();
    assert_eq!((&found["totalResults"], &found["Resources"][0]["members"]), (&json!(1), &Value::Null));
    assert_eq!(call(&test, &directory, Method::DELETE, &path, Value::Null).await.status, 204);
    assert_eq!(reads().await, 403);
    // A group that was made here is not the directory's.
    let local = test.post(&test.admin, "/api/sealyard/v1/groups", json!({"name": "local"})).await.ok();
    refused(&get(&test, &directory, &format!("Groups/g{}", local["id"])).await, 404, "");
}

/// Whoever holds the directory's token must not become an administrator, or stop one.
#[tokio::test]
async fn the_directory_reaches_neither_administrators_nor_machines_nor_anything_else() {
    let test = TestApp::new().await;
    let directory = directory(&test).await;
    let ada = test.user("ada", &[]).await;
    for user in [&ada, &test.token_of("admin", "read").await] {
        get(&test, user, "Users").await.error(403, "PERMISSION_DENIED");
        call(&test, user, Method::POST, "Users", json!({"userName": "eve"})).await.error(403, "PERMISSION_DENIED");
    }
    let found = get(&test, &directory, "Users?filter=userName%20eq%20%22admin%22").await.ok();
    let admin = format!("Users/{}", found["Resources"][0]["id"].as_str().unwrap());
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    patch(&test, &directory, &admin, off.clone()).await.error(403, "PERMISSION_DENIED");
    call(&test, &directory, Method::DELETE, &admin, Value::Null).await.error(403, "PERMISSION_DENIED");
    // Its own account is a machine's, which is not there for it.
    let machine = get(&test, &directory, "Users?filter=userName%20eq%20%22corp-directory%22").await.ok();
    assert_eq!(machine["totalResults"], 0);
    for number in 1..9 {
        let shown = get(&test, &directory, &format!("Users/u{number}")).await;
        assert_ne!(shown.json()["userName"], "corp-directory");
    }
    // The token provisions and does nothing else.
    for path in ["users", "grants", "groups", "ledger/entries", "tokens"] {
        test.get(&directory, &format!("/api/sealyard/v1/{path}")).await.error(403, "PERMISSION_DENIED");
    }
    let new = json!({"name": "eve", "password": PASSWORD, "admin": true});
    test.post(&directory, "/api/sealyard/v1/users", new).await.error(403, "PERMISSION_DENIED");
    for path in ["ServiceProviderConfig", "ResourceTypes", "Schemas"] {
        get(&test, &directory, path).await.ok();
        get(&test, &ada, path).await.error(403, "PERMISSION_DENIED");
    }
    for id in ["u", "u-1", "u+1", "x", "99999999999999999999", "u99999999999999999999", "u01"] {
        refused(&get(&test, &directory, &format!("Users/{id}")).await, 404, "");
    }
}
