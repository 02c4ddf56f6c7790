//! What comes of a gate's answer.

use serde_json::{Value, json};

use super::Home;
use super::fake::{Fake, decision};

const ALIAS: &str = "GET /api/2.0/mlflow/registered-models/alias?name=diabetes&alias=champion";

fn denied(decision: &Value) -> String {
    let message = "the publish gate denied: signature.signer";
    json!({"error_code": "PERMISSION_DENIED", "message": message, "rules": ["signature.signer"], "decision": decision})
        .to_string()
}

#[test]
fn an_allowed_version_is_published_with_its_attestation() {
    let home = Home::new();
    let mut answer = decision("publish", &[("scan.verdict", true), ("signature.signer", true)]);
    answer["attestation"] = format!("sha256:{}", "a".repeat(64)).into();
    let fake = Fake::start(vec![("POST /api/sealyard/v1/publish", 200, answer.to_string())]);
    let publish = ["publish", "models:/diabetes/3", "--environment", "production", "--server", &fake.url];
    home.run(&publish).fine().prints("signature.signer").prints(&"a".repeat(64));
    let shown = home.run(&[&publish[..], &["--format", "json"]].concat()).fine().json();
    assert_eq!((&shown["schema"], &shown["decision"]), (&json!("sealyard.decision/1"), &json!("allow")));
    let asked: Value = serde_json::from_str(&fake.asked()[0].body).unwrap();
    assert_eq!(asked, json!({"name": "diabetes", "version": 3, "environment": "production"}));
}

#[test]
fn a_denial_is_a_no_with_its_reasons() {
    let home = Home::new();
    let deny = |stage| denied(&decision(stage, &[("scan.verdict", true), ("signature.signer", false)]));
    let check = decision("load", &[("scan.verdict", true), ("signature.signer", false)]);
    let fake = Fake::start(vec![
        ("POST /api/sealyard/v1/publish", 403, deny("publish")),
        ("POST /api/sealyard/v1/deployments", 403, deny("deploy")),
        ("POST /api/sealyard/v1/decisions", 200, check.to_string()),
        (ALIAS, 200, json!({"model_version": {"version": "3"}}).to_string()),
    ]);
    let commands: [&[&str]; 3] = [
        &["publish", "models:/diabetes/3"],
        &["deploy", "models:/diabetes@champion"],
        &["gate", "check", "models:/diabetes/3", "--stage", "load"],
    ];
    for command in commands {
        let ended = home.run(&[command, &["--server", &fake.url]].concat()).ends(1);
        ended.prints("FAILED  signature.signer").prints("ok      scan.verdict").prints("DENIED by signature.signer");
        let json = home.run(&[command, &["--server", &fake.url, "--format", "json"]].concat()).ends(1).json();
        assert_eq!(json["decision"], "deny");
        assert_eq!(
            json["reasons"][1],
            json!({"rule": "signature.signer", "ok": false, "detail": "detail of signature.signer"})
        );
    }
}

#[test]
fn an_answer_that_is_no_decision_is_never_an_allow() {
    let home = Home::new();
    let other = |change: fn(&mut Value)| {
        let mut value = decision("publish", &[("scan.verdict", true)]);
        value["attestation"] = "sha256:0".into();
        change(&mut value);
        value.to_string()
    };
    let answers = [
        (200, "{}".to_owned(), 2),
        (200, "<html>".to_owned(), 2),
        (200, String::new(), 2),
        (204, String::new(), 2),
        (302, other(|_| ()), 2),
        (500, other(|_| ()), 2),
        (503, String::new(), 2),
        (200, other(|value| value["schema"] = "sealyard.decision/9".into()), 2),
        (200, other(|value| value["stage"] = "load".into()), 2),
        (200, other(|value| value["subject"]["name"] = "models:/diabetes/4".into()), 2),
        (200, other(|value| value["attestation"] = Value::Null), 2),
        (200, other(|value| value["decision"] = "deny".into()), 1),
        (200, other(|value| value["reasons"] = json!([])), 1),
        (200, other(|value| value["reasons"][0]["ok"] = false.into()), 1),
        (
            403,
            json!({"error_code": "PERMISSION_DENIED", "message": "permission denied", "rules": ["authorization"]})
                .to_string(),
            1,
        ),
        (
            400,
            json!({"error_code": "INVALID_PARAMETER_VALUE", "message": "no policy", "rules": ["policy.absent"]})
                .to_string(),
            1,
        ),
        (401, json!({"error_code": "UNAUTHENTICATED", "message": "who?"}).to_string(), 2),
        (404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}).to_string(), 2),
        (429, json!({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "wait"}).to_string(), 2),
    ];
    for (status, body, code) in answers {
        let fake = Fake::start(vec![("POST /api/sealyard/v1/publish", status, body.clone())]);
        let ended = home.run(&["publish", "models:/diabetes/3", "--server", &fake.url]);
        assert_eq!(ended.code, code, "{status} {body}: {ended:?}");
        assert!(!ended.stdout.contains("allowed"), "{status} {body}: {ended:?}");
    }
}

#[test]
fn rules_of_a_refusal_are_named_and_hostile_text_is_not_obeyed() {
    let home = Home::new();
    let message = "permission denied \u{1b}[2J\u{202e}";
    let body = json!({"error_code": "PERMISSION_DENIED", "message": message, "rules": ["authorization"]}).to_string();
    let fake = Fake::start(vec![("POST /api", 403, body)]);
    let ended = home.run(&["promote", "models:/diabetes/3", "--alias", "champion", "--server", &fake.url]).ends(1);
    assert!(!ended.stderr.contains(['\u{1b}', '\u{202e}']), "{ended:?}");
    ended.says("authorization").says("refused:");
}

#[test]
fn promote_points_the_alias() {
    let home = Home::new();
    let fake = Fake::start(vec![("POST /api/2.0/mlflow/registered-models/alias", 200, "{}".into())]);
    home.run(&["promote", "models:/diabetes/3", "--alias", "champion", "--server", &fake.url]).fine();
    let asked: Value = serde_json::from_str(&fake.asked()[0].body).unwrap();
    assert_eq!(asked, json!({"name": "diabetes", "alias": "champion", "version": "3"}));
}
