use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::test_app::TestApp;

#[tokio::test]
async fn a_version_is_made_found_and_served() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let new = json!({"experiment_id": experiment, "name": "model", "source_run_id": run});
    let model = test.mlflow(&test.admin, "logged-models", new).await.ok();
    let model = model["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    test.upload(&test.admin, &format!("{experiment}/models/{model}/artifacts/MLmodel"), "flavors: {}\n").await.ok();
    let early = json!({"name": "m", "source": format!("models:/{model}")});
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "m"})).await.ok();
    test.mlflow(&test.admin, "model-versions/create", early.clone()).await.error(400, "INVALID_PARAMETER_VALUE");
    test.finalise(&test.admin, &model).await.ok();
    let made = test.mlflow(&test.admin, "model-versions/create", early).await.ok();
    let version = &made["model_version"];
    assert_eq!(
        (&version["version"], &version["status"], &version["run_id"]),
        (&json!("1"), &json!("READY"), &json!(run))
    );
    let alias = json!({"name": "m", "alias": "trial", "version": "1"});
    test.mlflow(&test.admin, "registered-models/alias", alias).await.ok();
    let found = test.ask(&test.admin, "registered-models/alias?name=m&alias=trial").await.ok();
    assert_eq!(found["model_version"]["aliases"], json!(["trial"]));
    let message =
        test.ask(&test.admin, "registered-models/alias?name=m&alias=x").await.error(400, "INVALID_PARAMETER_VALUE");
    assert_eq!(message, "Registered model alias x not found.");
    let uri = test.ask(&test.admin, "model-versions/get-download-uri?name=m&version=1").await.ok();
    assert_eq!(uri["artifact_uri"], format!("mlflow-artifacts:/{experiment}/models/{model}/artifacts"));
    let found = test.ask(&test.admin, "registered-models/get?name=m").await.ok();
    assert_eq!(found["registered_model"]["latest_versions"][0]["version"], "1");
    assert_eq!(found["registered_model"]["aliases"], json!([{"alias": "trial", "version": "1"}]));
    let manifest = test.get(&test.admin, "/api/sealyard/v1/models/m/versions/1/manifest").await.ok();
    assert_eq!(manifest["files"][0]["path"], "MLmodel");
    assert!(manifest["digest"].as_str().unwrap().starts_with("sha256:"));
    let file = test.get(&test.admin, "/api/sealyard/v1/models/m/versions/1/files/MLmodel").await;
    assert_eq!(file.bytes.unwrap(), "flavors: {}\n");
    for path in ["..%2fx", "%252e%252e%252fx", "../x", "/x"] {
        let path = format!("/api/sealyard/v1/models/m/versions/1/files/{path}");
        let message = test.get(&test.admin, &path).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains("artifact.path"), "{message}");
    }
    let evidence = test.get(&test.admin, "/api/sealyard/v1/models/m/versions/1/evidence").await.ok();
    assert!(!evidence["evidence"].as_array().unwrap().is_empty());
    for version in ["01", "%2B1", "0", "1.0", "x"] {
        let path = format!("model-versions/get?name=m&version={version}");
        test.ask(&test.admin, &path).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

/// Gates judge the frozen files. What its maker says that a version is beside them must not be what clients load.
#[tokio::test]
async fn clients_are_sent_to_the_frozen_files_and_no_other_model() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let run = test.run(&test.admin, &experiment).await;
    let other = test.logged_model(&test.admin, &experiment).await;
    test.upload(&test.admin, &format!("{experiment}/{run}/artifacts/model/MLmodel"), "judged: 1\n").await.ok();
    test.mlflow(&test.admin, "registered-models/create", json!({"name": "m"})).await.ok();
    let frozen = format!("mlflow-artifacts:/{experiment}/{run}/artifacts/model");
    for (version, source) in [(1, format!("runs:/{run}/model")), (2, frozen.clone())] {
        let new = json!({"name": "m", "source": source, "model_id": other});
        test.mlflow(&test.admin, "model-versions/create", new).await.ok();
        let path = format!("model-versions/get-download-uri?name=m&version={version}");
        let uri = test.ask(&test.admin, &path).await.ok();
        assert_eq!(uri["artifact_uri"], frozen, "{source}");
    }
}

#[tokio::test]
async fn sources_elsewhere_or_of_others_are_refused_by_rule() {
    let test = TestApp::new().await;
    let (mine, other) = (test.experiment(&test.admin, "a").await, test.experiment(&test.admin, "b").await);
    let grants = [(format!("experiment:{mine}"), "EDIT"), ("registered-model:*".to_owned(), "EDIT")];
    let grants: Vec<_> = grants.iter().map(|(resource, right)| (resource.as_str(), *right)).collect();
    let ada = test.user("ada", &grants).await;
    let (run, model) = (test.run(&test.admin, &other).await, test.logged_model(&test.admin, &other).await);
    test.upload(&test.admin, &format!("{other}/{run}/artifacts/m/MLmodel"), "x: 1\n").await.ok();
    test.mlflow(&ada, "registered-models/create", json!({"name": "m"})).await.ok();
    let prompt = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    for source in [
        "/etc",
        "file:///etc",
        "s3://b/x",
        "http://169.254.169.254/",
        "mlflow-artifacts://host/1/x/artifacts",
        "models:/m/1",
    ] {
        for tags in [json!([]), prompt.clone()] {
            let new = json!({"name": "m", "source": source, "tags": tags});
            let message = test.mlflow(&ada, "model-versions/create", new).await.error(400, "INVALID_PARAMETER_VALUE");
            assert!(message.contains("version.source"), "{source}: {message}");
        }
    }
    for source in
        [format!("runs:/{run}/m"), format!("models:/{model}"), format!("mlflow-artifacts:/{other}/{run}/artifacts/m")]
    {
        let new = json!({"name": "m", "source": source});
        test.mlflow(&ada, "model-versions/create", new).await.error(403, "PERMISSION_DENIED");
    }
    let own = test.logged_model(&ada, &mine).await;
    let claim = json!({"name": "m", "source": format!("models:/{own}"), "run_id": run});
    let made = test.mlflow(&ada, "model-versions/create", claim).await.ok();
    assert_ne!(made["model_version"]["run_id"], json!(run));
}

#[tokio::test]
async fn grants_end_with_the_name_they_were_for() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let bob = test.user("bob", &[("server", "EDIT")]).await;
    test.mlflow(&ada, "registered-models/create", json!({"name": "m"})).await.ok();
    let message =
        test.mlflow(&bob, "registered-models/create", json!({"name": "m"})).await.error(400, "RESOURCE_ALREADY_EXISTS");
    assert_eq!(message, "Registered Model (name=m) already exists.");
    test.ask(&bob, "registered-models/get?name=m").await.error(403, "PERMISSION_DENIED");
    let path = "/api/2.0/mlflow/registered-models/delete";
    test.call(&ada, Method::DELETE, path, json!({"name": "m"}).to_string()).await.ok();
    test.mlflow(&bob, "registered-models/create", json!({"name": "m"})).await.ok();
    test.ask(&ada, "registered-models/get?name=m").await.error(403, "PERMISSION_DENIED");

    let rename = json!({"name": "m", "new_name": "n"});
    test.mlflow(&bob, "registered-models/rename", rename).await.ok();
    test.ask(&bob, "registered-models/get?name=n").await.ok();
    test.mlflow(&ada, "registered-models/create", json!({"name": "m"})).await.ok();
    test.ask(&bob, "registered-models/get?name=m").await.error(403, "PERMISSION_DENIED");
}

fn found(answer: &Value, what: &str) -> Vec<String> {
    let all = answer[what].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// Rights on prompts alone are rights on prompts alone, whatever tags somebody sets.
#[tokio::test]
async fn prompts_have_rights_of_their_own() {
    let test = TestApp::new().await;
    let is_prompt = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    let text = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "Say {{x}}"}]);
    for name in ["p-hello", "p-bye"] {
        test.mlflow(&test.admin, "registered-models/create", json!({"name": name, "tags": is_prompt})).await.ok();
        let version = json!({"name": name, "source": "prompt-template", "tags": text});
        test.mlflow(&test.admin, "model-versions/create", version).await.ok();
    }
    let experiment = test.experiment(&test.admin, "x").await;
    let model = test.logged_model(&test.admin, &experiment).await;
    test.version(&test.admin, "p-model", &model).await;
    let ada = test.user("ada", &[("prompt:p-*", "EDIT")]).await;
    let bob = test.user("bob", &[("registered-model:*", "EDIT"), ("prompt:p-bye", "DENY")]).await;

    // What is said twice could mean a prompt to who is asked, and a model to who keeps it.
    let both = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.is_prompt", "value": "false"}]);
    let doubled = json!({"name": "p-both", "tags": both});
    test.mlflow(&ada, "registered-models/create", doubled).await.error(400, "INVALID_PARAMETER_VALUE");
    // What may be read, changed and found.
    test.ask(&ada, "registered-models/get?name=p-hello").await.ok();
    test.ask(&ada, "model-versions/get?name=p-hello&version=1").await.ok();
    test.mlflow(&ada, "registered-models/set-tag", json!({"name": "p-hello", "key": "k", "value": "v"})).await.ok();
    let version = json!({"name": "p-hello", "source": "prompt-template", "tags": text});
    test.mlflow(&ada, "model-versions/create", version).await.ok();
    let alias = json!({"name": "p-hello", "alias": "live", "version": "1"});
    test.mlflow(&ada, "registered-models/alias", alias).await.ok();
    // Searches show prompts to who asks for them.
    let asks = "tag.%60mlflow.prompt.is_prompt%60+%3D+%27true%27";
    for (kind, what) in [("registered-models", "registered_models"), ("model-versions", "model_versions")] {
        for (user, prompts, models) in
            [(&ada, &["p-bye", "p-hello"][..], &[][..]), (&bob, &["p-hello"][..], &["p-model"][..])]
        {
            for (filter, wanted) in [(asks, prompts), ("", models)] {
                let path = format!("{kind}/search?max_results=10&filter={filter}");
                let mut names = found(&test.ask(user, &path).await.ok(), what);
                names.sort_unstable();
                names.dedup();
                assert_eq!(names, wanted, "{path}");
            }
        }
    }
    test.ask(&bob, "registered-models/get?name=p-bye").await.error(403, "PERMISSION_DENIED");
    test.ask(&bob, "registered-models/get?name=p-hello").await.ok();

    // A model is out of reach, and is named in a refusal as any other name is.
    let message = test.ask(&ada, "registered-models/get?name=p-model").await.error(403, "PERMISSION_DENIED");
    let nothing = test.ask(&ada, "registered-models/get?name=p-nothing").await.error(403, "PERMISSION_DENIED");
    assert_eq!(message.replace("p-model", "p-nothing"), nothing);
    let eve = test.user("eve", &[]).await;
    let hidden = test.ask(&eve, "registered-models/get?name=p-hello").await.error(403, "PERMISSION_DENIED");
    assert_eq!(
        hidden.replace("p-hello", "p-model"),
        test.ask(&eve, "registered-models/get?name=p-model").await.error(403, "PERMISSION_DENIED")
    );

    // Prompts can be made, models can't; a prompt stays one, and a model a model.
    test.mlflow(&ada, "registered-models/create", json!({"name": "p-new", "tags": is_prompt})).await.ok();
    test.mlflow(&ada, "registered-models/create", json!({"name": "p-other"})).await.error(403, "PERMISSION_DENIED");
    let rename = json!({"name": "p-new", "new_name": "p-newer"});
    test.mlflow(&ada, "registered-models/rename", rename).await.ok();
    test.ask(&ada, "registered-models/get?name=p-newer").await.ok();
    let tag = |name: &str, value: &str| json!({"name": name, "key": "mlflow.prompt.is_prompt", "value": value});
    let path = "/api/2.0/mlflow/registered-models/delete-tag";
    let body = json!({"name": "p-hello", "key": "mlflow.prompt.is_prompt"}).to_string();
    for answer in [
        test.mlflow(&bob, "registered-models/set-tag", tag("p-model", "true")).await,
        test.mlflow(&ada, "registered-models/set-tag", tag("p-hello", "false")).await,
        test.call(&ada, Method::DELETE, path, body).await,
    ] {
        assert!(answer.error(400, "INVALID_PARAMETER_VALUE").contains("registry.prompt"));
    }
    test.mlflow(&ada, "registered-models/set-tag", tag("p-hello", "true")).await.ok();

    // No model gets under a prompt's name, and no text under a model's.
    let copy = json!({"name": "p-hello", "source": format!("models:/{model}")});
    test.mlflow(&test.admin, "model-versions/create", copy).await.error(400, "INVALID_PARAMETER_VALUE");
    for (to, from) in [("p-hello", "p-model"), ("p-model", "p-hello")] {
        let copy = json!({"name": to, "source": format!("models:/{from}/1")});
        test.mlflow(&test.admin, "model-versions/create", copy).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

/// To MLflow's clients a prompt's rights are a registered model's, whichever way they were given.
#[tokio::test]
async fn mlflows_permissions_speak_of_prompts() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    test.user("bob", &[]).await;
    let is_prompt = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    test.mlflow(&ada, "registered-models/create", json!({"name": "p", "tags": is_prompt})).await.ok();
    let ask =
        async |name: &str| test.ask(&ada, &format!("registered-models/permissions/get?name=p&username={name}")).await;
    let level = |answer: Value| answer["registered_model_permission"]["permission"].as_str().unwrap().to_owned();
    assert_eq!(level(ask("ada").await.ok()), "MANAGE");
    ask("bob").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    let give = |permission: &str| json!({"name": "p", "username": "bob", "permission": permission});
    test.mlflow(&ada, "registered-models/permissions/create", give("READ")).await.ok();
    assert_eq!(level(ask("bob").await.ok()), "READ");
    // One from before prompts had rights of their own.
    let old = json!({"user": "bob", "resource": "registered-model:p", "right": "EDIT"});
    test.post(&test.admin, "/api/sealyard/v1/grants", old).await.ok();
    assert_eq!(level(ask("bob").await.ok()), "EDIT");
    let path = "/api/2.0/mlflow/registered-models/permissions/";
    test.call(&ada, Method::PATCH, &format!("{path}update"), give("READ").to_string()).await.ok();
    assert_eq!(level(ask("bob").await.ok()), "READ");
    let body = json!({"name": "p", "username": "bob"}).to_string();
    test.call(&ada, Method::DELETE, &format!("{path}delete"), body).await.ok();
    ask("bob").await.error(404, "RESOURCE_DOES_NOT_EXIST");
    // What was given on the prompt ends with it.
    test.mlflow(&ada, "registered-models/permissions/create", give("READ")).await.ok();
    test.call(&ada, Method::DELETE, "/api/2.0/mlflow/registered-models/delete", json!({"name": "p"}).to_string())
        .await
        .ok();
    let left = test.get(&test.admin, "/api/sealyard/v1/grants?user=bob").await.ok();
    assert_eq!(left["grants"], json!([]));
}

#[tokio::test]
async fn searches_show_what_may_be_read() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let model = test.logged_model(&test.admin, &experiment).await;
    for name in ["a", "b", "c"] {
        test.version(&test.admin, name, &model).await;
    }
    let bob = test.user("bob", &[("registered-model:b", "READ")]).await;
    let found = test.ask(&bob, "registered-models/search?max_results=10").await.ok();
    let names: Vec<_> = found["registered_models"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["b"]);
    let found = test.ask(&bob, "model-versions/search?max_results=200000").await.ok();
    let names: Vec<_> = found["model_versions"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["b"]);
    let prompt =
        "registered-models/search?filter=name+%3D+%27a%27+AND+tag.%60mlflow.prompt.is_prompt%60+%21%3D+%27true%27";
    assert_eq!(test.ask(&bob, prompt).await.ok(), json!({}));
    assert_eq!(test.ask(&test.admin, prompt).await.ok()["registered_models"][0]["name"], "a");
}

#[tokio::test]
async fn without_a_policy_nothing_is_published() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let model = test.logged_model(&test.admin, &experiment).await;
    test.version(&test.admin, "m", &model).await;
    let version = json!({"name": "m", "version": 1});
    for gate in ["publish", "deployments"] {
        let answer = test.post(&test.admin, &format!("/api/sealyard/v1/{gate}"), version.clone()).await;
        assert!(answer.error(400, "INVALID_PARAMETER_VALUE").contains("policy.absent"), "{gate}");
    }
    let delete = json!({"name": "m", "version": "1"}).to_string();
    test.call(&test.admin, Method::DELETE, "/api/2.0/mlflow/model-versions/delete", delete).await.ok();
    test.call(&test.admin, Method::DELETE, "/api/2.0/mlflow/registered-models/delete?name=m", Body::empty()).await.ok();
}

#[tokio::test]
async fn what_was_published_can_not_be_made_undone() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let model = test.logged_model(&test.admin, &experiment).await;
    test.version(&test.admin, "m", &model).await;
    let mark = |tx: &mut dyn sealyard_store::Transaction| {
        tx.mark_published("m", 1, sealyard_core::Digest::of(b"x"), sealyard_core::Timestamp::from_millis(1))
    };
    test.store.write(mark).await.unwrap();
    let name = json!({"name": "m"}).to_string();
    let version = json!({"name": "m", "version": "1"}).to_string();
    let path = |path: &str| format!("/api/2.0/mlflow/{path}");
    for (place, body) in [("registered-models/delete", name), ("model-versions/delete", version)] {
        let answer = test.call(&test.admin, Method::DELETE, &path(place), body).await;
        assert!(answer.error(400, "INVALID_PARAMETER_VALUE").contains("published"), "{place}");
    }
    let rename = json!({"name": "m", "new_name": "n"});
    let answer = test.mlflow(&test.admin, "registered-models/rename", rename).await;
    assert!(answer.error(400, "INVALID_PARAMETER_VALUE").contains("published"));
}

#[tokio::test]
async fn a_denied_name_can_not_be_created_into() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT"), ("registered-model:m", "DENY")]).await;
    test.mlflow(&ada, "registered-models/create", json!({"name": "m"})).await.error(403, "PERMISSION_DENIED");
    test.mlflow(&ada, "registered-models/create", json!({"name": "n"})).await.ok();
    let rename = json!({"name": "n", "new_name": "m"});
    test.mlflow(&ada, "registered-models/rename", rename).await.error(403, "PERMISSION_DENIED");
}
