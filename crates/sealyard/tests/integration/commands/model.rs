//! Signing and verifying a folder.

use std::path::Path;

use serde_json::Value;

use super::Home;

fn verify(home: &Home, code: i32) -> Value {
    home.run(&["verify", "model", "model", "--key", "release", "--format", "json"]).ends(code).json()
}

/// Names of the checks that failed.
fn failed(result: &Value) -> Vec<&str> {
    let checks = result["evidence"][0]["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["ok"] == false).map(|check| check["name"].as_str().unwrap()).collect()
}

#[test]
fn what_was_signed_verifies() {
    let home = Home::new();
    home.signed_model();
    let result = verify(&home, 0);
    assert_eq!(result["schema"], "sealyard.verify/1");
    assert_eq!(result["verified"], true);
    assert_eq!(result["evidence"][0]["signer"], "release");
    assert_eq!(result["evidence"][0]["type"], "https://model_signing/signature/v1.0");
    assert!(result["subject"]["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(failed(&result).is_empty());
    home.run(&["verify", "model", "model", "--key", "release"]).fine().prints("verified\n");
}

#[test]
fn signing_again_replaces_the_signature_only() {
    let home = Home::new();
    let model = home.signed_model();
    let signed = home.run(&["sign", &model, "--key", "release", "--format", "json"]).fine().json();
    assert_eq!(signed["subject"]["digest"], verify(&home, 0)["subject"]["digest"]);
}

#[test]
fn every_way_to_change_the_files_is_seen() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 5] = [
        ("files.changed", |model| std::fs::write(model.join("MLmodel"), "flavors: {a: b}\n").unwrap()),
        ("files.missing", |model| std::fs::remove_file(model.join("data/weights.txt")).unwrap()),
        ("files.unlisted", |model| std::fs::write(model.join("data/new.pkl"), "x").unwrap()),
        ("model.files", |model| std::os::unix::fs::symlink("/etc/passwd", model.join("link")).unwrap()),
        ("signature", |model| {
            let path = model.join("model.sig");
            let mut bundle: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap().replacen('e', "f", 1);
            bundle["dsseEnvelope"]["payload"] = payload.into();
            std::fs::write(&path, bundle.to_string()).unwrap();
        }),
    ];
    for (check, change) in changes {
        let home = Home::new();
        let model = home.signed_model();
        change(Path::new(&model));
        let result = verify(&home, 1);
        assert_eq!(result["verified"], false, "{check}");
        assert_eq!(failed(&result), [check], "{result}");
        assert!(result["reasons"][0].as_str().unwrap().starts_with(check), "{result}");
    }
}

#[test]
fn a_renamed_file_is_seen() {
    let home = Home::new();
    home.signed_model();
    std::fs::rename(home.join("model/MLmodel"), home.join("model/MLmodel2")).unwrap();
    assert_eq!(failed(&verify(&home, 1)), ["files.missing", "files.unlisted"]);
}

#[test]
fn another_key_does_not_verify() {
    let home = Home::new();
    home.signed_model();
    home.run(&["keys", "create", "other"]).fine();
    let result = home.run(&["verify", "model", "model", "--key", "other", "--format", "json"]).ends(1).json();
    assert_eq!(failed(&result), ["signature"]);
    assert_eq!(result["evidence"][0]["signer"], Value::Null);
}

#[test]
fn a_signature_may_lie_outside() {
    let home = Home::new();
    let model = home.model();
    home.run(&["keys", "create", "release"]).fine();
    home.run(&["sign", &model, "--key", "release", "--signature", "out.sig"]).fine().prints("out.sig");
    home.run(&["verify", "model", &model, "--signature", "out.sig", "--key", "release"]).fine();
    assert!(!home.join("model/model.sig").exists());
    // Then nothing called model.sig is excused.
    home.file("model/model.sig", "x");
    home.run(&["verify", "model", &model, "--signature", "out.sig", "--key", "release"]).ends(1).prints("model.sig");
}

#[test]
fn a_certificate_signs_and_an_authority_verifies() {
    let home = Home::new();
    let model = home.model();
    let key = home.secret("signer.key", include_str!("data/signer.key"));
    let certificate = home.file("signer.pem", include_str!("data/signer.pem"));
    let root = home.file("root.pem", include_str!("data/root.pem"));
    home.run(&["sign", &model, "--key", &key, "--certificate", &certificate]).fine();
    let verify = ["verify", "model", &model, "--certificate-chain", &root, "--format", "json"];
    let result = home.run(&verify).fine().json();
    assert_eq!(result["evidence"][0]["signer"], "certificate:CN=Test signer");
    // By key it is not asked: only keys are trusted then.
    home.run(&["keys", "create", "release"]).fine();
    home.run(&["verify", "model", &model, "--key", "release"]).ends(1);
    // A certificate of another key makes nothing.
    std::fs::remove_file(home.join("model/model.sig")).unwrap();
    home.run(&["sign", &model, "--key", "release", "--certificate", &certificate]).ends(2).says("not of this key");
    home.run(&["sign", &model, "--key", &key, "--certificate", &key]).ends(2);
    assert!(!home.join("model/model.sig").exists());
}
