use sealyard_core::Digest;
use sealyard_evidence::predicate::Deployment;
use sealyard_evidence::{Bundle, Predicate, verify};
use sealyard_gate::{AttestationError, Stage, deployment_statement, publish_statement};
use serde_json::json;

use crate::scenario::{Scenario, key, policy, tree};

#[test]
fn a_decision_is_written_as_promised() {
    let mut scenario = Scenario::good(Stage::Load);
    scenario.deployments.clear();
    let decision = scenario.decide();
    let written = serde_json::to_value(&decision).unwrap();
    assert_eq!(written["schema"], "sealyard.decision/1");
    assert_eq!(written["stage"], "load");
    assert_eq!(written["decision"], "deny");
    assert_eq!(written["subject"], json!({ "name": "models:/m/1", "digest": scenario.tree.digest().to_string() }));
    assert_eq!(written["policy"], json!({ "digest": policy(&scenario.policy).digest().to_string() }));
    assert_eq!(written["time"], "2026-11-22T12:00:00.000Z");
    assert_eq!(written["environment"], "production");
    let evidence: Vec<_> = scenario.bundles().iter().take(3).map(|bundle| bundle.digest().to_string()).collect();
    for digest in written["evidence"].as_array().unwrap() {
        assert!(digest.as_str().unwrap().starts_with("sha256:"));
    }
    assert_eq!(written["evidence"].as_array().unwrap().len(), evidence.len());
    let reasons = written["reasons"].as_array().unwrap();
    let last = reasons.last().unwrap();
    let expected =
        json!({ "rule": "deployment.attestation", "ok": false, "detail": "there is no deployment attestation" });
    assert_eq!(*last, expected);
    let allowed = serde_json::to_value(Scenario::good(Stage::Load).decide()).unwrap();
    assert_eq!(allowed["decision"], "allow");
}

#[test]
fn a_verified_model_needs_the_load_gate_and_the_same_files() {
    let scenario = Scenario::good(Stage::Load);
    let model = scenario.decide().into_verified_model(scenario.tree.clone()).unwrap();
    assert_eq!(*model.tree(), scenario.tree);
    assert!(model.decision().allowed());
    assert_eq!(model.subject().digest, scenario.tree.digest());

    let denied = scenario.decide().into_verified_model(tree(&[("MLmodel", "swapped")])).unwrap_err();
    assert!(!denied.allowed());
    assert_eq!(denied.failures().next().unwrap().rule(), "subject.tree-digest");

    for stage in [Stage::Publish, Stage::Deploy] {
        let other = Scenario::good(stage);
        assert!(other.decide().allowed());
        let denied = other.decide().into_verified_model(other.tree.clone()).unwrap_err();
        assert!(!denied.allowed());
        assert_eq!(denied.failures().next().unwrap().rule(), "policy.stage");
    }

    let mut unsafe_model = Scenario::good(Stage::Load);
    unsafe_model.scans.clear();
    assert!(unsafe_model.decide().into_verified_model(unsafe_model.tree.clone()).is_err());
}

#[test]
fn attestations_come_from_decisions_that_allow() {
    let publish = Scenario::good(Stage::Publish);
    let statement = publish_statement(&publish.decide()).unwrap();
    let bundle = Bundle::sign(&statement, &key("gate")).unwrap();
    let evidence = verify(&bundle, policy(&publish.policy).trusted_keys()).unwrap();
    assert!(evidence.is_about(&publish.tree.digest()));
    let Predicate::Publish(predicate) = evidence.predicate() else { panic!("{evidence:?}") };
    assert_eq!(predicate.package.environment.as_deref(), Some("production"));
    let details = predicate.decision_details.clone().unwrap();
    assert_eq!(details.policy[0].digest["sha256"], policy(&publish.policy).digest().to_hex());
    assert_eq!(details.evidence.len(), 3);

    // What the publish gate attests lets the deploy gate allow, and so on to the end of the line.
    let mut deploy = Scenario::good(Stage::Deploy);
    deploy.publications.clear();
    let mut given = deploy.evidence();
    given.push(evidence);
    let decision = deploy.decide_on(&given);
    assert!(decision.allowed());
    let bundle = Bundle::sign(&deployment_statement(&decision).unwrap(), &key("gate")).unwrap();
    let evidence = verify(&bundle, policy(&deploy.policy).trusted_keys()).unwrap();
    let Predicate::Deployment(predicate) = evidence.predicate() else { panic!("{evidence:?}") };
    assert_eq!(predicate.scopes[Deployment::ENVIRONMENT_SCOPE], "production");
    assert_eq!(predicate.decision_details.clone().unwrap().evidence.len(), 4);
    let mut load = Scenario::good(Stage::Load);
    load.deployments.clear();
    let mut given = load.evidence();
    given.push(evidence);
    assert!(load.decide_on(&given).into_verified_model(load.tree).is_ok());
}

#[test]
fn denied_decisions_and_other_gates_attest_nothing() {
    let mut denied = Scenario::good(Stage::Publish);
    denied.subject.digest = Digest::of(b"another model");
    assert!(matches!(publish_statement(&denied.decide()), Err(AttestationError::Denied)));
    denied = Scenario::good(Stage::Deploy);
    denied.publications.clear();
    assert!(matches!(deployment_statement(&denied.decide()), Err(AttestationError::Denied)));
    let deploy = Scenario::good(Stage::Deploy).decide();
    assert!(matches!(publish_statement(&deploy), Err(AttestationError::Stage { .. })));
    let load = Scenario::good(Stage::Load).decide();
    assert!(matches!(deployment_statement(&load), Err(AttestationError::Stage { .. })));
}
