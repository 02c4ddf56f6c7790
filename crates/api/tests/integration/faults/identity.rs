use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::Target;

/// An id is known in one spelling. Another one that means the same to some parser would be authorized as one thing and used as
/// another.
#[tokio::test]
async fn fault_13_ids_that_mean_the_same() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    assert_eq!(target.experiment, "1");
    let eve = test.user("eve", &[("experiment:01", "MANAGE"), ("experiment:1_", "MANAGE")]).await;
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    for other in [
        "01",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "0x1",
        "1e0",
        "-1",
        "１",
        "1\0",
        "1/",
        "1%",
        "1,2",
        "001",
        "1\n",
        "\t1",
        "1_",
        "0b1",
        "00000000000000000000000001",
    ] {
        let shown = encode(other);
        for user in [admin, &eve] {
            let get = [
                format!("/api/2.0/mlflow/experiments/get?experiment_id={shown}"),
                format!("/api/2.0/mlflow-artifacts/artifacts/{shown}/{}/artifacts/model/known.txt", target.run),
                format!("/api/2.0/mlflow-artifacts/artifacts?path={shown}%2F{}%2Fartifacts", target.run),
                format!("/api/2.0/mlflow/model-versions/get?name=target&version={shown}"),
                format!("/api/2.0/mlflow/model-versions/get-download-uri?name=target&version={shown}"),
                format!("/api/sealyard/v1/models/target/versions/{shown}/manifest"),
            ];
            for path in &get {
                let answer = test.get(user, path).await;
                assert!((400..500).contains(&answer.status.as_u16()), "{path}: {}", answer.status);
            }
            let post = [
                ("experiments/delete", json!({"experiment_id": other})),
                ("experiments/update", json!({"experiment_id": other, "new_name": "x"})),
                ("experiments/set-experiment-tag", json!({"experiment_id": other, "key": "k", "value": "v"})),
                ("runs/create", json!({"experiment_id": other})),
                ("logged-models", json!({"experiment_id": other, "name": "x"})),
                ("model-versions/transition-stage", json!({"name": "target", "version": other, "stage": "Production"})),
                ("registered-models/alias", json!({"name": "target", "alias": "a", "version": other})),
            ];
            for (path, body) in post {
                let answer = test.mlflow(user, path, body).await;
                assert!((400..500).contains(&answer.status.as_u16()), "{path} {other:?}: {}", answer.status);
            }
            let found = test.mlflow(user, "runs/search", json!({"experiment_ids": [other]})).await;
            assert!(
                !found.status.is_success() || found.json()["runs"].as_array().is_none_or(Vec::is_empty),
                "{other:?}"
            );
        }
    }
    let run = &target.run;
    for other in [
        run.to_uppercase(),
        format!("{run} "),
        run[..31].to_owned(),
        format!(" {run}"),
        format!("{run}/"),
        "*".to_owned(),
        "%".to_owned(),
        format!("{run}\0"),
    ] {
        if other == *run {
            continue;
        }
        let answer = test.get(admin, &format!("/api/2.0/mlflow/runs/get?run_id={}", encode(&other))).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{other:?}: {}", answer.status);
    }
    // A body that names a thing twice names nothing: which one was authorized?
    let twice = format!(
        "{{\"experiment_id\":\"{}\",\"experiment_id\":\"0\",\"key\":\"k\",\"value\":\"v\"}}",
        target.experiment
    );
    let answer = test.call(&eve, http::Method::POST, "/api/2.0/mlflow/experiments/set-experiment-tag", twice).await;
    assert!((400..500).contains(&answer.status.as_u16()));
    let both = json!({"run_id": target.run, "run_uuid": "0".repeat(32), "key": "k", "value": "v"});
    test.mlflow(admin, "runs/set-tag", both).await.error(400, "INVALID_PARAMETER_VALUE");
    // The body counts, whatever the query says beside it.
    let beside = format!("/api/2.0/mlflow/experiments/delete?experiment_id={}", target.experiment);
    assert!(!test.post(admin, &beside, json!({"experiment_id": "77"})).await.status.is_success());
    target.is_untouched().await;
}
