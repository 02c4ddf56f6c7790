use std::collections::BTreeSet;

use sealyard_core::{Digest, Verdict};
use sealyard_evidence::predicate::{Deployment, ResourceDescriptor};
use sealyard_gate::{RULES, Stage};

use crate::scenario::{Scenario, now, tree};

type Spoil = fn(&mut Scenario);

fn other() -> Digest {
    Digest::of(b"another model")
}

/// The policy keeps `duty` apart from training, which these did.
fn trained(all: &mut Scenario, duty: &str, by: &[&str]) {
    all.policy.push_str(&format!("[separation_of_duties]\ntrained_may_not = [{duty:?}]\n"));
    all.context.trained_by = Some(by.iter().map(|&name| name.to_owned()).collect());
}

/// A rule, the stage, and what spoils this rule and no other.
const CASES: &[(&str, Stage, Spoil)] = &[
    ("subject.tree-digest", Stage::Load, |all| {
        // Everything is said of the digest the subject claims; only the files are others.
        all.subject.digest = other();
        all.provenance[0].about = other();
        all.scans[0].about = other();
        all.deployments[0].about = other();
    }),
    ("policy.stage", Stage::Admit, |_| {}),
    ("policy.environment", Stage::Publish, |all| all.context.environment = Some("staging".into())),
    ("policy.environment", Stage::Publish, |all| all.context.environment = None),
    ("policy.environment", Stage::Publish, |all| {
        all.policy = all.policy.replace("environments = [\"production\"]\n", "");
    }),
    ("policy.environment", Stage::Deploy, |all| {
        all.context.environment = Some("test".into());
        all.publications[0].what.package.environment = Some("test".into());
    }),
    ("separation.trained", Stage::Publish, |all| trained(all, "publish", &["ada", "bob"])),
    ("separation.trained", Stage::Publish, |all| {
        trained(all, "promote", &["ada"]);
        all.context.promoting = true;
    }),
    ("separation.trained", Stage::Deploy, |all| trained(all, "deploy", &["ada"])),
    ("separation.trained", Stage::Deploy, |all| {
        trained(all, "deploy", &[]);
        all.context.trained_by = None;
    }),
    ("separation.trained", Stage::Deploy, |all| {
        trained(all, "deploy", &["bob"]);
        all.context.principal = None;
    }),
    ("policy.break-glass", Stage::Deploy, |all| all.context.break_glass = Some("the whole shop is down".into())),
    ("signature.signer", Stage::Load, |all| all.signatures[0].0 = "intern"),
    ("signature.covers-tree", Stage::Load, |all| all.signatures[0].1 = tree(&[("MLmodel", "flavors")])),
    ("signature.covers-tree", Stage::Load, |all| {
        all.signatures[0].1 = tree(&[("MLmodel", "flavors"), ("model.skops", "changed")]);
    }),
    ("signature.covers-tree", Stage::Load, |all| {
        all.signatures[0].1 = tree(&[("MLmodel", "flavors"), ("model.skops", "weights"), ("more", "")]);
    }),
    ("signature.covers-tree", Stage::Load, |all| {
        // Signed as far as signatures go, but nobody vouches for what lies in .git.
        all.tree = tree(&[("MLmodel", "flavors"), ("model.skops", "weights"), (".git/hook", "curl | sh")]);
        let digest = all.tree.digest();
        all.signatures[0].1 = all.tree.clone();
        all.subject.digest = digest;
        all.provenance[0].about = digest;
        all.scans[0].about = digest;
        all.deployments[0].about = digest;
    }),
    ("provenance.signer", Stage::Load, |all| all.provenance[0].by = "release"),
    ("provenance.subject", Stage::Load, |all| all.provenance[0].about = other()),
    ("provenance.builder", Stage::Load, |all| {
        all.provenance[0].what.run_details.builder.id = "https://sealyard.dev/runner/local/v1/evil".into();
    }),
    ("provenance.dependencies", Stage::Load, |all| {
        all.provenance[0].what.build_definition.resolved_dependencies.clear();
    }),
    ("provenance.dependencies", Stage::Load, |all| {
        let loose = ResourceDescriptor { name: "numpy".into(), ..ResourceDescriptor::default() };
        all.provenance[0].what.build_definition.resolved_dependencies.push(loose);
    }),
    ("scan.signer", Stage::Load, |all| all.scans[0].by = "intern"),
    ("scan.subject", Stage::Load, |all| all.scans[0].about = other()),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.verdict = Verdict::Unsafe),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.verdict = Verdict::Suspicious),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.verdict = Verdict::NotAssessed),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.counts.not_assessed = 1),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.counts.r#unsafe = 1),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.counts.safe = 0),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.scanned_at = now().plus_seconds(3600)),
    ("scan.verdict", Stage::Load, |all| all.scans[0].what.scanned_at = now().plus_seconds(-31 * 86_400)),
    ("scan.verdict", Stage::Load, |all| {
        // A policy that lets suspicious files through still wants everything to be assessed.
        all.policy = all.policy.replace("verdict = \"safe\"", "verdict = \"suspicious\"");
        all.scans[0].what.verdict = Verdict::Suspicious;
        all.scans[0].what.counts.not_assessed = 1;
    }),
    ("publish.attestation", Stage::Deploy, |all| all.publications[0].by = "release"),
    ("publish.attestation", Stage::Deploy, |all| all.publications[0].about = other()),
    ("publish.attestation", Stage::Deploy, |all| all.publications.clear()),
    ("publish.attestation", Stage::Deploy, |all| {
        all.publications[0].what.package.environment = Some("staging".into());
    }),
    ("publish.attestation", Stage::Deploy, |all| all.publications[0].what.package.environment = None),
    ("publish.attestation", Stage::Deploy, |all| {
        all.publications[0].what.creation_time = now().plus_seconds(3600);
    }),
    ("deployment.attestation", Stage::Load, |all| all.deployments[0].by = "release"),
    ("deployment.attestation", Stage::Load, |all| all.deployments[0].about = other()),
    ("deployment.attestation", Stage::Load, |all| all.deployments.clear()),
    ("deployment.attestation", Stage::Load, |all| all.context.environment = Some("staging".into())),
    ("deployment.attestation", Stage::Load, |all| all.context.environment = None),
    ("deployment.attestation", Stage::Load, |all| {
        all.deployments[0].what.creation_time = now().plus_seconds(-91 * 86_400);
    }),
    ("deployment.attestation", Stage::Load, |all| {
        let scope = "kubernetes.io/pod/service_account/v1".to_owned();
        all.deployments[0].what.scopes.insert(scope, "prod".into());
    }),
    ("deployment.attestation", Stage::Load, |all| {
        let scope = "kubernetes.io/pod/service_account/v1".to_owned();
        all.deployments[0].what.scopes.insert(scope.clone(), "prod".into());
        all.context.scopes.insert(scope, "dev".into());
    }),
    ("deployment.attestation", Stage::Load, |all| {
        // A caller's scope can't stand in for the environment.
        all.context.environment = None;
        all.context.scopes.insert(Deployment::ENVIRONMENT_SCOPE.into(), "production".into());
    }),
    ("deployment.attestation", Stage::Load, |all| {
        all.deployments[0].what.creation_time = now().plus_seconds(3600);
    }),
];

#[test]
fn with_all_evidence_each_stage_allows() {
    for stage in [Stage::Publish, Stage::Deploy, Stage::Load] {
        assert_eq!(Scenario::good(stage).failures(), [""; 0], "{stage}");
    }
}

#[test]
fn admission_asks_what_loading_asks() {
    let mut scenario = Scenario::good(Stage::Admit);
    scenario.policy = scenario.policy.replace("[load]", "[admit]");
    assert!(scenario.decide().allowed());
    // A decision to admit lets nothing be loaded.
    assert!(scenario.decide().into_verified_model(scenario.tree.clone()).is_err());
    scenario.deployments.clear();
    assert_eq!(scenario.failures(), ["deployment.attestation"]);
}

#[test]
fn each_spoiled_thing_fails_its_rule_and_no_other() {
    for (position, (rule, stage, spoil)) in CASES.iter().enumerate() {
        let mut scenario = Scenario::good(*stage);
        spoil(&mut scenario);
        assert_eq!(scenario.failures(), [*rule], "case {position}");
    }
}

#[test]
fn every_rule_has_a_case() {
    let tested: BTreeSet<_> = CASES.iter().map(|(rule, ..)| *rule).collect();
    assert_eq!(tested, BTreeSet::from(RULES));
}

#[test]
fn missing_evidence_fails_every_rule_about_it() {
    let kinds: [(&str, Spoil); 3] = [
        ("signature.", |all| all.signatures.clear()),
        ("provenance.", |all| all.provenance.clear()),
        ("scan.", |all| all.scans.clear()),
    ];
    for (prefix, spoil) in kinds {
        let mut scenario = Scenario::good(Stage::Load);
        spoil(&mut scenario);
        let expected: BTreeSet<_> = RULES.into_iter().filter(|rule| rule.starts_with(prefix)).collect();
        assert_eq!(BTreeSet::from_iter(scenario.failures()), expected);
    }
}

#[test]
fn a_decision_without_evidence_names_every_rule_of_its_stage() {
    let decision = Scenario::good(Stage::Load).decide_on(&[]);
    let failed: Vec<_> = decision.failures().map(sealyard_gate::Reason::rule).collect();
    assert_eq!(failed.len(), 10, "{failed:?}");
    assert!(!decision.allowed());
}

#[test]
fn scopes_that_hold_are_let_through() {
    let mut scenario = Scenario::good(Stage::Load);
    let scope = "kubernetes.io/pod/service_account/v1".to_owned();
    scenario.deployments[0].what.scopes.insert(scope.clone(), "prod".into());
    scenario.context.scopes.insert(scope, "prod".into());
    assert!(scenario.decide().allowed());
    // None at all means anywhere.
    scenario.deployments[0].what.scopes.clear();
    assert!(scenario.decide().allowed());
}

#[test]
fn what_a_policy_does_not_require_is_said() {
    let mut scenario = Scenario::good(Stage::Load);
    let provenance = "provenance = { signed_by = [\"runner\"], builders = [\"https://sealyard.dev/runner/local/v1\"] }";
    scenario.policy = scenario.policy.replace(provenance, "provenance = \"not required\"");
    scenario.provenance.clear();
    let decision = scenario.decide();
    assert!(decision.allowed());
    let said: Vec<_> =
        decision.reasons().iter().filter(|reason| reason.detail().contains("none is required")).collect();
    assert_eq!(said.len(), 4);
}

#[test]
fn who_did_not_train_may_and_what_the_policy_does_not_name_may_be_done_by_all() {
    let mut scenario = Scenario::good(Stage::Deploy);
    trained(&mut scenario, "deploy", &["bob"]);
    assert!(scenario.decide().allowed());
    let mut scenario = Scenario::good(Stage::Publish);
    trained(&mut scenario, "promote", &["ada"]);
    assert!(scenario.decide().allowed(), "publishing is not promoting");
    // No person's act leads to loading.
    let mut scenario = Scenario::good(Stage::Load);
    trained(&mut scenario, "deploy", &["ada"]);
    assert!(scenario.decide().allowed());
}

fn glass(stage: Stage, may: &str) -> Scenario {
    let mut scenario = Scenario::good(stage);
    scenario.policy.push_str(&format!("[break_glass]\nmay = [{may:?}]\n"));
    scenario.context.break_glass = Some("the whole shop is down".into());
    scenario
}

#[test]
fn broken_glass_overrules_evidence_and_says_so() {
    let mut scenario = glass(Stage::Deploy, "deploy");
    assert!(scenario.decide().allowed() && !scenario.decide().broke_glass(), "there was nothing to overrule");
    scenario.scans.clear();
    scenario.publications.clear();
    let decision = scenario.decide();
    assert!(decision.allowed() && decision.broke_glass());
    let failed: Vec<_> = decision.failures().map(sealyard_gate::Reason::rule).collect();
    assert_eq!(failed, ["scan.subject", "scan.signer", "scan.verdict", "publish.attestation"]);
    let written = serde_json::to_value(&decision).unwrap();
    assert_eq!((&written["decision"], &written["broke_glass"]), (&"allow".into(), &true.into()));
    let reason = decision.reasons().iter().find(|reason| reason.rule() == "policy.break-glass").unwrap();
    assert_eq!(reason.detail(), "the whole shop is down");
    // Whoever has the attestation alone sees it too; one of a deployment by the rules says nothing of glass.
    let statement = serde_json::to_value(sealyard_gate::deployment_statement(&decision).unwrap()).unwrap();
    assert_eq!(statement["predicate"]["breakGlass"]["overruled"], serde_json::json!(failed));
    assert!(!statement.to_string().contains("the whole shop is down"));
    let content = glass(Stage::Deploy, "deploy").decide();
    let statement = serde_json::to_value(sealyard_gate::deployment_statement(&content).unwrap()).unwrap();
    assert_eq!(statement["predicate"]["breakGlass"], serde_json::Value::Null);
    let mut promotion = glass(Stage::Publish, "promote");
    promotion.context.promoting = true;
    promotion.scans.clear();
    assert!(promotion.decide().allowed());
}

#[test]
fn broken_glass_does_not_overrule_everything() {
    let denied = |scenario: &Scenario, rule: &str| {
        let decision = scenario.decide();
        assert!(!decision.allowed() && !decision.broke_glass(), "{rule}");
        assert!(decision.failures().any(|reason| reason.rule() == rule), "{rule}");
    };
    let mut other_files = glass(Stage::Deploy, "deploy");
    other_files.subject.digest = other();
    denied(&other_files, "subject.tree-digest");
    let mut elsewhere = glass(Stage::Deploy, "deploy");
    elsewhere.context.environment = Some("test".into());
    denied(&elsewhere, "policy.environment");
    let mut own = glass(Stage::Deploy, "deploy");
    own.scans.clear();
    trained(&mut own, "deploy", &["ada"]);
    denied(&own, "separation.trained");
    // Not where the policy does not say so, not for publishing, not for loading, and not without a reason.
    let spoilt = |stage, may: &str, reason: &str| {
        let mut scenario = glass(stage, may);
        scenario.context.break_glass = Some(reason.into());
        scenario.scans.clear();
        denied(&scenario, "policy.break-glass");
    };
    spoilt(Stage::Deploy, "promote", "the whole shop is down");
    spoilt(Stage::Publish, "promote", "the whole shop is down");
    spoilt(Stage::Load, "deploy", "the whole shop is down");
    for reason in ["", "  \t        ", "too short", &"x".repeat(1001), "with a\ncontrol character"] {
        spoilt(Stage::Deploy, "deploy", reason);
    }
    let mut nobody = glass(Stage::Deploy, "deploy");
    nobody.context.principal = None;
    nobody.scans.clear();
    denied(&nobody, "policy.break-glass");
}
