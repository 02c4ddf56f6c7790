use std::path::Path;

use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::test_app::{Answer, TestApp, User};

const ROOT: &str = "/api/3.0/mlflow/gateway";
/// Longer than any mask shows of it, and like nothing else.
const KEY: &str = "sk-proj-Zq7Wm2Xv9TbK4Lr8";

async fn post(test: &TestApp, user: &User, path: &str, body: Value) -> Answer {
    test.post(user, &format!("{ROOT}/{path}"), body).await
}

async fn get(test: &TestApp, user: &User, path: &str) -> Answer {
    test.get(user, &format!("{ROOT}/{path}")).await
}

async fn delete(test: &TestApp, user: &User, path: &str, body: Value) -> Answer {
    test.call(user, Method::DELETE, &format!("{ROOT}/{path}"), body.to_string()).await
}

async fn secret(test: &TestApp, user: &User, name: &str) -> String {
    let new = json!({"secret_name": name, "secret_value": {"api_key": KEY}, "provider": "openai"});
    let made = post(test, user, "secrets/create", new).await.ok();
    made["secret"]["secret_id"].as_str().unwrap().to_owned()
}

async fn definition(test: &TestApp, user: &User, name: &str, secret: &str) -> Answer {
    let new = json!({"name": name, "secret_id": secret, "provider": "openai", "model_name": "gpt"});
    post(test, user, "model-definitions/create", new).await
}

async fn definition_id(test: &TestApp, user: &User, name: &str, secret: &str) -> String {
    let made = definition(test, user, name, secret).await.ok();
    made["model_definition"]["model_definition_id"].as_str().unwrap().to_owned()
}

async fn endpoint(test: &TestApp, user: &User, name: &str, definition: &str) -> Answer {
    let models = json!([{"model_definition_id": definition, "linkage_type": "PRIMARY"}]);
    let new = json!({"name": name, "model_configs": models, "usage_tracking": false});
    post(test, user, "endpoints/create", new).await
}

async fn endpoint_id(test: &TestApp, user: &User, name: &str, definition: &str) -> String {
    let made = endpoint(test, user, name, definition).await.ok();
    made["endpoint"]["endpoint_id"].as_str().unwrap().to_owned()
}

/// Every file below a folder, with its content.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

fn holds(content: &[u8], text: &str) -> bool {
    content.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_nowhere_in_the_clear() {
    let test = TestApp::new().await;
    let id = secret(&test, &test.admin, "mine").await;
    let other = "gh-rotated-Hd5Nc3Jp6Vy1";
    let change = json!({"secret_id": id, "secret_value": {"api_key": other}});
    let updated = post(&test, &test.admin, "secrets/update", change).await.ok();
    assert_eq!(updated["secret"]["masked_values"], json!({"api_key": "gh-...6Vy1"}));
    let mut told = Vec::new();
    for path in [format!("secrets/get?secret_id={id}"), "secrets/list".to_owned()] {
        told.push(get(&test, &test.admin, &path).await.ok().to_string());
    }
    // What is wrong with it is not repeated, whatever is wrong.
    for wrong in [json!(KEY), json!([KEY]), json!({"api_key": [KEY]}), json!({"a b": KEY}), json!({ KEY: 1 })] {
        let new = json!({"secret_name": "x", "secret_value": wrong, "provider": 5});
        let answer = post(&test, &test.admin, "secrets/create", new).await;
        told.push(answer.error(400, "INVALID_PARAMETER_VALUE"));
        let new = json!({"secret_name": "x", "secret_value": wrong});
        told.push(post(&test, &test.admin, "secrets/create", new).await.error(400, "INVALID_PARAMETER_VALUE"));
    }
    told.push(Value::from(test.ledger().await).to_string());
    for text in told {
        assert!(!text.contains(KEY) && !text.contains(other), "{text}");
    }
    let mut found = Vec::new();
    files(test.folder(), &mut found);
    assert!(found.iter().any(|(name, content)| name.contains("catalog.db") && holds(content, &id)));
    for (name, content) in found {
        assert!(!holds(&content, KEY) && !holds(&content, other), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_is_what_was_given() {
    let test = TestApp::new().await;
    let id = secret(&test, &test.admin, "mine").await;
    let wanted = id.clone();
    let read = move |tx: &mut dyn sealyard_store::Transaction| tx.sealed_gateway_secret(&wanted);
    let sealed = test.store.read(read).await.unwrap().unwrap();
    let ring = sealyard_vault::Keyring::open_or_create(&test.folder().join("master.key"), &sealyard_core::SystemRng);
    let plain = ring.unwrap().unseal(&format!("gateway-secret/{id}"), &sealed).unwrap();
    assert_eq!(serde_json::from_str::<Value>(plain.expose()).unwrap(), json!({"api_key": KEY}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_takes_no_secrets() {
    let test = TestApp::new().await;
    for field in ["api_key", "aws_secret_access_key", "client_secret"] {
        let new = json!({"secret_name": "x", "secret_value": {}, "auth_config": {field: KEY}});
        let message = post(&test, &test.admin, "secrets/create", new).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains(field) && !message.contains(KEY), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_anothers_key_through_something_of_their_own() {
    let test = TestApp::new().await;
    let making = [("server", "EDIT")];
    let (ada, bob) = (test.user("ada", &making).await, test.user("bob", &making).await);
    let key = secret(&test, &ada, "ada's").await;
    let hers = definition_id(&test, &ada, "ada's", &key).await;
    let door = endpoint_id(&test, &ada, "door", &hers).await;
    let experiment = test.experiment(&bob, "bob's").await;
    let own_key = secret(&test, &bob, "bob's").await;
    let own = definition_id(&test, &bob, "bob's", &own_key).await;
    let own_door = endpoint_id(&test, &bob, "bob", &own).await;
    let models = json!([{"model_definition_id": hers}]);
    let judge = json!({"instructions_judge_pydantic_data": {"model": "gateway:/door"}}).to_string();
    let attempts = async |expected: u16| {
        for (path, body) in [
            (
                "gateway/model-definitions/create",
                json!({"name": "d", "secret_id": key, "provider": "openai", "model_name": "m"}),
            ),
            ("gateway/model-definitions/update", json!({"model_definition_id": own, "secret_id": key})),
            ("gateway/endpoints/create", json!({"name": "e", "model_configs": models, "usage_tracking": false})),
            ("gateway/endpoints/update", json!({"endpoint_id": own_door, "model_configs": models})),
            (
                "gateway/endpoints/models/attach",
                json!({"endpoint_id": own_door, "model_config": {"model_definition_id": hers, "linkage_type": "FALLBACK"}}),
            ),
            ("scorers/register", json!({"experiment_id": experiment, "name": "j", "serialized_scorer": judge})),
        ] {
            let answer = test.post(&bob, &format!("/api/3.0/mlflow/{path}"), body).await;
            assert_eq!(answer.status.as_u16(), expected, "{path} {}", answer.json());
        }
    };
    attempts(403).await;
    let binding = json!({"endpoint_id": door, "resource_type": "scorer", "resource_id": "x"});
    for level in ["READ", "USE"] {
        for kind in [
            format!("gateway-secret:{key}"),
            format!("gateway-model-definition:{hers}"),
            format!("gateway-endpoint:{door}"),
        ] {
            test.grant("bob", &kind, level).await;
        }
        // Only who may change an endpoint says who uses it.
        post(&test, &bob, "endpoints/bindings/create", binding.clone()).await.error(403, "PERMISSION_DENIED");
        if level == "READ" {
            attempts(403).await;
        }
    }
    attempts(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_provider_takes_use_of_the_key() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let key = secret(&test, &ada, "k").await;
    let id = definition_id(&test, &ada, "d", &key).await;
    let bob = test.user("bob", &[(&format!("gateway-model-definition:{id}"), "EDIT")]).await;
    let change = |provider: &str| json!({"model_definition_id": id, "provider": provider});
    post(&test, &bob, "model-definitions/update", change("openai")).await.ok();
    post(&test, &bob, "model-definitions/update", change("evil")).await.error(403, "PERMISSION_DENIED");
    test.grant("bob", &format!("gateway-secret:{key}"), "USE").await;
    post(&test, &bob, "model-definitions/update", change("evil")).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_what_may_be_seen() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let key = secret(&test, &ada, "k").await;
    let model = definition_id(&test, &ada, "d", &key).await;
    let door = endpoint_id(&test, &ada, "e", &model).await;
    let experiment = test.experiment(&ada, "e").await;
    let judge = json!({"instructions_judge_pydantic_data": {"model": "gateway:/e"}}).to_string();
    let new = json!({"experiment_id": experiment, "name": "judge", "serialized_scorer": judge});
    let made = test.post(&ada, "/api/3.0/mlflow/scorers/register", new).await.ok();
    let scorer = made["scorer_id"].as_str().unwrap();
    let rate = json!({"experiment_id": experiment, "name": "judge", "sample_rate": 0.25}).to_string();
    test.call(&ada, Method::PUT, "/api/3.0/mlflow/scorers/online-config", rate).await.ok();
    let online = format!("/api/3.0/mlflow/scorers/online-configs?scorer_ids={scorer}");
    let lists = [
        ("secrets/list", "secrets"),
        ("model-definitions/list", "model_definitions"),
        ("endpoints/list", "endpoints"),
        ("endpoints/bindings/list", "bindings"),
    ];
    let bob = test.user("bob", &[]).await;
    for (path, field) in lists {
        assert_eq!(get(&test, &ada, path).await.ok()[field].as_array().unwrap().len(), 1, "{path}");
        assert_eq!(get(&test, &bob, path).await.ok()[field], Value::Null, "{path}");
    }
    assert_eq!(test.get(&ada, &online).await.ok()["configs"][0]["sample_rate"], 0.25);
    assert_eq!(test.get(&bob, &online).await.ok()["configs"], json!([]));
    get(&test, &bob, &format!("endpoints/bindings/list?endpoint_id={door}")).await.error(403, "PERMISSION_DENIED");
    get(&test, &bob, "endpoints/get?name=e").await.error(403, "PERMISSION_DENIED");
    get(&test, &bob, "endpoints/get?name=none").await.error(403, "PERMISSION_DENIED");
    // Who may see the endpoint and not the scorer sees no name of it.
    test.grant("bob", &format!("gateway-endpoint:{door}"), "READ").await;
    let seen = get(&test, &bob, &format!("endpoints/bindings/list?endpoint_id={door}")).await.ok();
    assert_eq!(
        (&seen["bindings"][0]["resource_id"], &seen["bindings"][0]["display_name"]),
        (&json!(scorer), &Value::Null)
    );
    let seen = get(&test, &ada, &format!("endpoints/bindings/list?endpoint_id={door}")).await.ok();
    assert_eq!(seen["bindings"][0]["display_name"], "judge");
}

#[tokio::test(flavor = "multi_thread")]
async fn makers_manage_what_they_made_and_deletion_leaves_no_grant() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let key = secret(&test, &ada, "k").await;
    let model = definition_id(&test, &ada, "d", &key).await;
    let door = endpoint_id(&test, &ada, "e", &model).await;
    let used = json!({"model_definition_id": model});
    let message =
        delete(&test, &ada, "model-definitions/delete", used.clone()).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("currently in use by endpoints"), "{message}");
    delete(&test, &ada, "endpoints/delete", json!({"endpoint_id": door})).await.ok();
    delete(&test, &ada, "model-definitions/delete", used).await.ok();
    delete(&test, &ada, "secrets/delete", json!({"secret_id": key})).await.ok();
    get(&test, &ada, &format!("secrets/get?secret_id={key}")).await.error(403, "PERMISSION_DENIED");
    get(&test, &test.admin, &format!("secrets/get?secret_id={key}")).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let left = test.store.read(|tx: &mut dyn sealyard_store::Transaction| tx.grants()).await.unwrap();
    assert!(left.iter().all(|grant| !grant.pattern.to_string().starts_with("gateway")), "{left:?}");
    let ledger = test.ledger().await;
    for act in [
        json!({"act": "gateway-secret-created", "actor": "ada", "id": key, "name": "k", "provider": "openai"}),
        json!({"act": "gateway-model-definition-created", "id": model, "secret": key}),
        json!({"act": "gateway-endpoint-created", "id": door, "definitions": [model]}),
        json!({"act": "gateway-endpoint-deleted", "id": door}),
        json!({"act": "gateway-model-definition-deleted", "id": model}),
        json!({"act": "gateway-secret-deleted", "id": key}),
    ] {
        assert!(TestApp::has(&ledger, &act), "{act}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_traced_endpoint_writes_only_where_its_maker_may() {
    let test = TestApp::new().await;
    let gateway =
        [("gateway-secret:*", "EDIT"), ("gateway-model-definition:*", "EDIT"), ("gateway-endpoint:*", "EDIT")];
    let ada = test.user("ada", &gateway).await;
    let key = secret(&test, &ada, "k").await;
    let model = definition_id(&test, &ada, "d", &key).await;
    let theirs = test.experiment(&test.admin, "theirs").await;
    let taken = test.experiment(&test.admin, "gateway/taken").await;
    let new = |name: &str, experiment: Option<&str>| json!({"name": name, "model_configs": [{"model_definition_id": model}], "experiment_id": experiment});
    post(&test, &ada, "endpoints/create", new("a", Some(&theirs))).await.error(403, "PERMISSION_DENIED");
    post(&test, &ada, "endpoints/create", new("a", None)).await.error(403, "PERMISSION_DENIED");
    post(&test, &ada, "endpoints/create", new("taken", None)).await.error(403, "PERMISSION_DENIED");
    test.grant("ada", &format!("experiment:{taken}"), "EDIT").await;
    let made = post(&test, &ada, "endpoints/create", new("taken", None)).await.ok();
    assert_eq!(made["endpoint"]["experiment_id"], json!(taken));
    post(&test, &ada, "endpoints/create", new("taken", None)).await.error(400, "RESOURCE_ALREADY_EXISTS");
    let id = made["endpoint"]["endpoint_id"].as_str().unwrap();
    let change = json!({"endpoint_id": id, "experiment_id": theirs});
    post(&test, &ada, "endpoints/update", change).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scorer_keeps_its_endpoint_through_a_rename() {
    let test = TestApp::new().await;
    let key = secret(&test, &test.admin, "k").await;
    let model = definition_id(&test, &test.admin, "d", &key).await;
    let door = endpoint_id(&test, &test.admin, "door", &model).await;
    let experiment = test.experiment(&test.admin, "e").await;
    let judge = |model: &str| json!({"instructions_judge_pydantic_data": {"model": model}}).to_string();
    let root = "/api/3.0/mlflow/scorers";
    let register = |model: &str| json!({"experiment_id": experiment, "name": "j", "serialized_scorer": judge(model)});
    let missing = test.post(&test.admin, &format!("{root}/register"), register("gateway:/none")).await;
    missing.error(404, "RESOURCE_DOES_NOT_EXIST");
    let made = test.post(&test.admin, &format!("{root}/register"), register("gateway:/door")).await.ok();
    assert_eq!(made["serialized_scorer"], json!(judge("gateway:/door")));
    post(&test, &test.admin, "endpoints/update", json!({"endpoint_id": door, "name": "gate"})).await.ok();
    let shown = async || {
        let found = test.get(&test.admin, &format!("{root}/get?experiment_id={experiment}&name=j")).await.ok();
        let listed = test.get(&test.admin, &format!("{root}/list?experiment_id={experiment}")).await.ok();
        let versions = test.get(&test.admin, &format!("{root}/versions?experiment_id={experiment}&name=j")).await.ok();
        assert_eq!(found["scorer"], listed["scorers"][0]);
        assert_eq!(found["scorer"], versions["scorers"][0]);
        found["scorer"]["serialized_scorer"].as_str().unwrap().to_owned()
    };
    assert_eq!(shown().await, judge("gateway:/gate"));
    // A name that comes to mean another endpoint leads to nothing.
    delete(&test, &test.admin, "endpoints/delete", json!({"endpoint_id": door})).await.ok();
    endpoint_id(&test, &test.admin, "gate", &model).await;
    assert_eq!(shown().await, json!({"instructions_judge_pydantic_data": {"model": null}}).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn online_scoring_takes_a_scorer_of_the_gateway() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "e").await;
    let key = secret(&test, &test.admin, "k").await;
    let model = definition_id(&test, &test.admin, "d", &key).await;
    endpoint_id(&test, &test.admin, "door", &model).await;
    let register = async |name: &str, judge: Value| {
        let new = json!({"experiment_id": experiment, "name": name,
            "serialized_scorer": json!({"instructions_judge_pydantic_data": judge}).to_string()});
        test.post(&test.admin, "/api/3.0/mlflow/scorers/register", new).await.ok();
    };
    register("openai", json!({"model": "openai:/gpt"})).await;
    register("expects", json!({"model": "gateway:/door", "instructions": "like {{ expectations }}?"})).await;
    register("good", json!({"model": "gateway:/door", "instructions": "{{ outputs }}"})).await;
    let set = async |change: Value| {
        let mut body = json!({"experiment_id": experiment, "name": "good", "sample_rate": 0.5});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        test.call(&test.admin, Method::PUT, "/api/3.0/mlflow/scorers/online-config", body.to_string()).await
    };
    for (change, words) in [
        (json!({"name": "openai"}), "does not use a gateway model"),
        (json!({"name": "expects"}), "requires expectations"),
        (json!({"sample_rate": 1.5}), "sample_rate must be between 0.0 and 1.0, got 1.5"),
        (json!({"sample_rate": "NaN"}), "sample_rate must be between"),
        (json!({"sample_rate": null}), "Missing value for required parameter 'sample_rate'"),
        (json!({"filter_string": "no filter"}), "Invalid attribute key"),
        (json!({"filter_string": 5}), "Invalid value 5 for parameter 'filter_string'"),
    ] {
        let message = set(change.clone()).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains(words), "{change}: {message}");
    }
    set(json!({"name": "none"})).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    set(json!({"name": "openai", "sample_rate": 0})).await.ok();
    let done = set(json!({"filter_string": "status = 'OK'"})).await.ok();
    assert_eq!(done["config"]["filter_string"], "status = 'OK'");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let test = TestApp::new().await;
    let admin = &test.admin;
    let key = secret(&test, admin, "k").await;
    let model = definition_id(&test, admin, "d", &key).await;
    let door = endpoint_id(&test, admin, "e", &model).await;
    definition(&test, admin, "d", &key).await.error(400, "RESOURCE_ALREADY_EXISTS");
    endpoint(&test, admin, "e", &model).await.error(400, "RESOURCE_ALREADY_EXISTS");
    let one = |change: Value| {
        let mut model_config = json!({"model_definition_id": model, "linkage_type": "FALLBACK"});
        for (name, value) in change.as_object().unwrap() {
            model_config[name] = value.clone();
        }
        json!({"endpoint_id": door, "model_config": model_config})
    };
    let many: Vec<Value> = (0..101).map(|_| json!({"model_definition_id": model})).collect();
    let fields: serde_json::Map<String, Value> = (0..51).map(|number| (format!("f{number}"), json!("x"))).collect();
    for (path, body) in [
        ("secrets/create", json!({"secret_name": "x"})),
        ("secrets/create", json!({"secret_name": "a".repeat(256), "secret_value": {}})),
        ("secrets/create", json!({"secret_name": "a\u{0}", "secret_value": {}})),
        ("secrets/create", json!({"secret_name": "x", "secret_value": fields})),
        ("secrets/create", json!({"secret_name": "x", "secret_value": {"api_key": "a".repeat(70_000)}})),
        (
            "secrets/create",
            json!({"secret_name": "x", "secret_value": {}, "auth_config": {"region": "a".repeat(9000)}}),
        ),
        ("secrets/create", json!({"secret_name": "x", "secret_value": {}, "auth_config": {"": "a"}})),
        ("endpoints/create", json!({"name": "x"})),
        ("endpoints/create", json!({"name": "a/b", "model_configs": [{"model_definition_id": model}]})),
        ("endpoints/create", json!({"name": "x", "model_configs": many})),
        ("endpoints/update", json!({"endpoint_id": door, "routing_strategy": "SOMEHOW"})),
        ("endpoints/update", json!({"endpoint_id": door, "fallback_config": {"strategy": "SOMEHOW"}})),
        ("endpoints/update", json!({"endpoint_id": door, "fallback_config": {"max_attempts": 99999999999_i64}})),
        ("endpoints/models/attach", one(json!({"linkage_type": "ELSE"}))),
        ("endpoints/models/attach", one(json!({"weight": -1}))),
        ("endpoints/models/attach", one(json!({"weight": "Infinity"}))),
        ("endpoints/models/attach", one(json!({"fallback_order": -1}))),
        ("endpoints/models/attach", json!({"endpoint_id": door})),
        ("endpoints/set-tag", json!({"endpoint_id": door, "key": "k", "value": "a".repeat(5001)})),
        ("endpoints/set-tag", json!({"endpoint_id": door, "key": "../k", "value": ""})),
        ("endpoints/bindings/create", json!({"endpoint_id": door, "resource_type": "job", "resource_id": "x"})),
    ] {
        let answer = post(&test, admin, path, body).await;
        answer.error(400, "INVALID_PARAMETER_VALUE");
    }
    for (path, code) in [
        ("secrets/get?secret_id=s-none", 404),
        ("secrets/get?secret_id=..%2Fx", 404),
        ("secrets/get", 400),
        ("endpoints/get", 400),
        ("endpoints/get?name=e&endpoint_id=e-1", 400),
        ("endpoints/get?name=none", 404),
        ("provider-config", 400),
        ("provider-config?provider=openai", 200),
        ("model-definitions/get?model_definition_id=d-none", 404),
    ] {
        assert_eq!(get(&test, admin, path).await.status.as_u16(), code, "{path}");
    }
    let detach = json!({"endpoint_id": door, "model_definition_id": "d-none"});
    post(&test, admin, "endpoints/models/detach", detach).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    // Asking a model is no part of it.
    for path in ["/gateway/e/mlflow/invocations", "/gateway/mlflow/v1/chat/completions"] {
        test.post(admin, path, json!({})).await.error(404, "ENDPOINT_NOT_FOUND");
    }
    for path in [format!("{ROOT}/budgets/list"), format!("{ROOT}/guardrails/list")] {
        test.call(admin, Method::GET, &path, Body::empty()).await.error(404, "ENDPOINT_NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_manages_a_thing_shares_it() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let bob = test.user("bob", &[("gateway-model-definition:*", "EDIT")]).await;
    let key = secret(&test, &ada, "k").await;
    let model = definition_id(&test, &ada, "d", &key).await;
    let door = endpoint_id(&test, &ada, "e", &model).await;
    for (kind, field, id) in [
        ("secrets", "secret_id", &key),
        ("model-definitions", "model_definition_id", &model),
        ("endpoints", "endpoint_id", &door),
    ] {
        let root = format!("{kind}/permissions");
        let right = |level: &str| json!({field: id, "username": "bob", "permission": level});
        let patch = async |level: &str| {
            test.call(&ada, Method::PATCH, &format!("{ROOT}/{root}/update"), right(level).to_string()).await
        };
        let asked = format!("{root}/get?{field}={id}&username=bob");
        let answer = format!("gateway_{}_permission", &field[..field.len() - 3]);
        post(&test, &bob, &format!("{root}/create"), right("READ")).await.error(403, "PERMISSION_DENIED");
        get(&test, &ada, &asked).await.error(404, "RESOURCE_DOES_NOT_EXIST");
        let made = post(&test, &ada, &format!("{root}/create"), right("READ")).await.ok();
        assert_eq!((&made[&answer][field], &made[&answer]["permission"]), (&json!(id), &json!("READ")), "{made}");
        assert_eq!(get(&test, &ada, &asked).await.ok(), made);
        get(&test, &bob, &format!("{kind}/get?{field}={id}")).await.ok();
        post(&test, &ada, &format!("{root}/create"), right("READ")).await.error(400, "RESOURCE_ALREADY_EXISTS");
        patch("NO_PERMISSIONS").await.ok();
        get(&test, &bob, &format!("{kind}/get?{field}={id}")).await.error(403, "PERMISSION_DENIED");
        patch("USE").await.ok();
        get(&test, &bob, &asked).await.error(403, "PERMISSION_DENIED");
        delete(&test, &ada, &format!("{root}/delete"), json!({field: id, "username": "bob"})).await.ok();
        get(&test, &ada, &asked).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    }
    let unknown = json!({"secret_id": key, "username": "nobody", "permission": "READ"});
    post(&test, &ada, "secrets/permissions/create", unknown).await.error(404, "RESOURCE_DOES_NOT_EXIST");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scorer_of_another_workspace_is_not_found_by_its_id() {
    let test = TestApp::new().await;
    test.app.enable_workspaces();
    let ask = async |workspace: &str, method: Method, path: &str, body: Value| {
        let headers = [("x-mlflow-workspace", workspace), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        test.send_with(&test.admin, method, path, &headers, body).await.ok()
    };
    ask("default", Method::POST, "/api/3.0/mlflow/workspaces", json!({"name": "team-a"})).await;
    let scorer = async |workspace: &str| {
        let new = json!({"name": "e"});
        let made = ask(workspace, Method::POST, "/api/2.0/mlflow/experiments/create", new).await;
        let new = json!({"experiment_id": made["experiment_id"], "name": "judge", "serialized_scorer": "{}"});
        let scorer = ask(workspace, Method::POST, "/api/3.0/mlflow/scorers/register", new).await;
        let rate = json!({"experiment_id": made["experiment_id"], "name": "judge", "sample_rate": 0});
        ask(workspace, Method::PUT, "/api/3.0/mlflow/scorers/online-config", rate).await;
        scorer["scorer_id"].as_str().unwrap().to_owned()
    };
    let (here, there) = (scorer("default").await, scorer("team-a").await);
    for (workspace, asked, count) in
        [("default", &here, 1), ("default", &there, 0), ("team-a", &there, 1), ("team-a", &here, 0)]
    {
        let path = format!("/api/3.0/mlflow/scorers/online-configs?scorer_ids={asked}");
        let found = ask(workspace, Method::GET, &path, Value::Null).await;
        assert_eq!(found["configs"].as_array().unwrap().len(), count, "{workspace} {found}");
    }
    let key = secret(&test, &test.admin, "k").await;
    let model = definition_id(&test, &test.admin, "d", &key).await;
    let door = endpoint_id(&test, &test.admin, "door", &model).await;
    for id in [&here, &there] {
        let binding = json!({"endpoint_id": door, "resource_type": "scorer", "resource_id": id});
        post(&test, &test.admin, "endpoints/bindings/create", binding).await.ok();
        let listed = get(&test, &test.admin, &format!("endpoints/bindings/list?resource_id={id}")).await.ok();
        let name = if id == &here { json!("judge") } else { Value::Null };
        assert_eq!(listed["bindings"][0]["display_name"], name, "{listed}");
    }
}
