use std::io;

use sealyard_evidence::TrustError;
use sealyard_gate::{Policy, PolicyError, Stage};

use crate::scenario::{POLICY, key, policy, read_key};

fn refuse(text: &str) -> PolicyError {
    Policy::parse(text, &read_key).unwrap_err()
}

#[test]
fn a_policy_is_read() {
    let policy = policy(POLICY);
    assert!(policy.section(Stage::Publish).is_some() && policy.section(Stage::Admit).is_none());
    assert!(policy.is_protected_alias("champion") && !policy.is_protected_alias("challenger"));
    assert_eq!(policy.trusted_keys().get("gate"), Some(&key("gate").public_key()));
}

#[test]
fn the_example_in_the_documentation_is_read() {
    let docs = include_str!("../../src/lib.rs");
    let example = docs.split("//! ```toml\n").nth(1).unwrap().split("//! ```\n").next().unwrap();
    let text: String = example.lines().map(|line| format!("{}\n", line.trim_start_matches("//!"))).collect();
    assert!(policy(&text).section(Stage::Load).is_some());
}

#[test]
fn unknown_missing_and_wrong_fields_are_refused() {
    let edits = [
        ("version = 1", "version = 1\nextra = 1"),
        ("version = 1", "version = \"1\""),
        ("version = 1\n", ""),
        ("[publish]", "[publish]\nsigned_bye = []"),
        ("[publish]", "[publish]\npublished_by = [\"gate\"]"),
        ("[load]", "[laod]"),
        ("[publish]", "[publish]\nmax_attestation_age_days = 3"),
        ("[aliases]", "[aliases]\nopen = []"),
        ("deployed_by = [\"gate\"]\n", ""),
        ("published_by = [\"gate\"]\n", ""),
        ("signed_by = [\"release\"]\nscan", "scan"),
        ("scan = { signed_by = [\"scanner\"], verdict = \"safe\" }\n", ""),
        ("verdict = \"safe\"", "verdict = \"clean\""),
        ("verdict = \"safe\"", "verdict = \"safe\", strict = true"),
        ("scan = { signed_by = [\"scanner\"], verdict = \"safe\" }", "scan = \"no\""),
        ("scan = { signed_by = [\"scanner\"], verdict = \"safe\" }", "scan = false"),
        ("builders = [", "builder = ["),
    ];
    for (from, to) in edits {
        assert!(POLICY.contains(from), "{from}");
        assert!(matches!(refuse(&POLICY.replacen(from, to, 1)), PolicyError::Toml(_)), "{from} → {to}");
    }
}

#[test]
fn policies_that_mean_nothing_are_refused() {
    let edit = |from: &str, to: &str| refuse(&POLICY.replace(from, to));
    assert!(matches!(edit("version = 1", "version = 2"), PolicyError::Version(2)));
    assert!(matches!(
        edit("signed_by = [\"release\"]", "signed_by = []"),
        PolicyError::Empty { list: "signed_by", .. }
    ));
    assert!(matches!(edit("deployed_by = [\"gate\"]", "deployed_by = []"), PolicyError::Empty { .. }));
    assert!(matches!(edit("published_by = [\"gate\"]", "published_by = []"), PolicyError::Empty { .. }));
    assert!(matches!(edit("[\"https://sealyard.dev/runner/local/v1\"]", "[]"), PolicyError::Empty { .. }));
    assert!(matches!(edit("environments = [\"production\"]", "environments = []"), PolicyError::Empty { .. }));
    assert!(matches!(edit("[\"scanner\"]", "[\"scaner\"]"), PolicyError::UnknownKey { .. }));
    for verdict in ["unsafe", "not_assessed"] {
        let refused = edit("verdict = \"safe\"", &format!("verdict = \"{verdict}\""));
        assert!(matches!(refused, PolicyError::Verdict { .. }));
    }
    assert!(matches!(refuse(&" ".repeat(2 << 20)), PolicyError::TooLarge(_)));
}

#[test]
fn keys_must_be_there_and_be_keys() {
    for path in ["../release.pub", "/etc/release.pub", ""] {
        let text = POLICY.replace("\"release.pub\"", &format!("{path:?}"));
        assert!(matches!(refuse(&text), PolicyError::KeyPath { .. }), "{path}");
    }
    let missing = Policy::parse(POLICY, &|_| Err(io::ErrorKind::NotFound.into()));
    assert!(matches!(missing, Err(PolicyError::KeyFile { .. })));
    let noise = Policy::parse(POLICY, &|_| Ok("noise".into()));
    assert!(matches!(noise, Err(PolicyError::Key { .. })));
    let one = Policy::parse(POLICY, &|_| Ok(key("one").public_key().to_pem()));
    assert!(matches!(one, Err(PolicyError::Trust(TrustError::KeyTwice { .. }))));
}

#[test]
fn the_digest_binds_text_and_keys() {
    let digest = policy(POLICY).digest();
    assert_eq!(policy(POLICY).digest(), digest);
    assert_ne!(policy(&format!("{POLICY}\n# note")).digest(), digest);
    let exchanged = Policy::parse(POLICY, &|path| {
        let name = path.as_str().trim_end_matches(".pub");
        Ok(key(if name == "gate" { "stranger" } else { name }).public_key().to_pem())
    });
    assert_ne!(exchanged.unwrap().digest(), digest);
}
