use std::collections::BTreeMap;

use sealyard_app::{AppError, Caller, DeployRequest, GateOutcome, PublishRequest, load_gate};
use sealyard_core::{Digest, Subject, Verdict};
use sealyard_evidence::predicate::{
    BuildDefinition, BuildMetadata, Builder, Provenance, ResourceDescriptor, Ruleset, RunDetails, ScanCounts,
    ScanReport,
};
use sealyard_evidence::{Bundle, PredicateType, Signer, Statement, oms, verify};
use sealyard_gate::{Context, Stage};
use sealyard_identity::{Authorized, Deploy, Publish, Read, RegistryEntry};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::EvidenceRecord;

use crate::harness::{BUILDER, POLICY, TestApp, is_conflict, key, model, refused_by, start};

pub(crate) fn provenance() -> Provenance {
    Provenance {
        build_definition: BuildDefinition {
            build_type: "https://sealyard.dev/mlproject/v1".into(),
            external_parameters: serde_json::Map::new(),
            internal_parameters: serde_json::Map::new(),
            resolved_dependencies: vec![
                ResourceDescriptor::git_commit("git+https://example.com/p", &"a".repeat(40)),
                ResourceDescriptor::sha256("data:diabetes", Digest::of(b"data")),
            ],
        },
        run_details: RunDetails {
            builder: Builder { id: BUILDER.into(), version: BTreeMap::new(), builder_dependencies: vec![] },
            metadata: BuildMetadata::default(),
            byproducts: vec![],
        },
    }
}

pub(crate) fn sign<P: PredicateType>(predicate: &P, about: Digest, by: &str) -> Bundle {
    let subject = Subject { name: "m".into(), digest: about };
    Bundle::sign(&Statement::new(&[subject], predicate).unwrap(), &key(by)).unwrap()
}

impl TestApp {
    /// Puts a bundle beside a version, whatever it says.
    pub(crate) async fn attach(&self, subject: Digest, bundle: &Bundle) {
        let record = EvidenceRecord {
            digest: bundle.digest(),
            subject,
            predicate_type: bundle.claimed_statement().unwrap().predicate_type().to_owned(),
            bundle: bundle.text().to_owned(),
            added: start(),
            added_by: "ada".into(),
        };
        self.write(move |tx| tx.add_evidence(&record)).await;
    }

    /// A version with all that the policy asks for before it is published, but for what `without` names.
    pub(crate) async fn version_without(&self, without: &str) -> Digest {
        let (_, _, version) = self.good_version().await;
        let (tree, _) = self.write(|tx| tx.model_version_files("m", 1)).await;
        if without != "signature" {
            self.attach(version.tree, &oms::sign(&tree, "m", &key("release")).unwrap()).await;
        }
        if without != "provenance" {
            self.attach(version.tree, &sign(&provenance(), version.tree, "runner")).await;
        }
        version.tree
    }

    pub(crate) async fn publish(&self) -> Result<GateOutcome, AppError> {
        let may = self.app.authorize(&self.admin, Publish, crate::harness::entry("m")).await.unwrap();
        let request = PublishRequest { name: "m".into(), version: 1, environment: None };
        self.app.publish(&self.admin, &may, request).await
    }

    async fn deploy_as(
        &self,
        caller: &Caller,
        may: &Authorized<Deploy, RegistryEntry>,
        break_glass: Option<&str>,
    ) -> Result<GateOutcome, AppError> {
        let break_glass = break_glass.map(str::to_owned);
        let request = DeployRequest { name: "m".into(), version: 1, environment: None, break_glass };
        self.app.deploy(caller, may, request).await
    }

    pub(crate) async fn deploy(&self) -> Result<GateOutcome, AppError> {
        let may = self.app.authorize(&self.admin, Deploy, crate::harness::entry("m")).await.unwrap();
        self.deploy_as(&self.admin, &may, None).await
    }
}

#[track_caller]
pub(crate) fn denied_by<T: std::fmt::Debug>(result: Result<T, AppError>, rules: &[&str]) {
    let Err(error @ AppError::GateDenied(_)) = &result else { panic!("{result:?}") };
    assert_eq!(error.rules(), rules, "{error}");
}

fn decided(allowed: bool, at: &'static str) -> impl Fn(&Act) -> bool {
    move |act| matches!(act, Act::GateDecided { stage, allowed: found, .. } if *found == allowed && stage == at)
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_deploy_and_load_follow_each_other() {
    let test = TestApp::new().await;
    let subject = test.version_without("").await;
    denied_by(test.deploy().await, &["publish.attestation"]);
    let published = test.publish().await.unwrap();
    assert!(published.decision.allowed() && published.published == published.attestation);
    let version = test.write(|tx| tx.model_version("m", 1)).await.unwrap();
    assert_eq!(version.published, published.attestation);
    let deployed = test.deploy().await.unwrap();
    assert!(deployed.decision.allowed() && deployed.attestation.is_some());
    assert_eq!(deployed.published, published.attestation);

    let policy = test.policy.as_ref().unwrap().policy.clone();
    let records = test.write(move |tx| tx.evidence_for(&subject)).await;
    for (made, kind) in [(published.attestation, "publish"), (deployed.attestation, "deploy")] {
        let record = records.iter().find(|record| Some(record.digest) == made).unwrap();
        assert!(record.predicate_type.contains(kind), "{}", record.predicate_type);
        let bundle = Bundle::parse(record.bundle.as_bytes()).unwrap();
        let evidence = verify(&bundle, policy.trusted_keys()).unwrap();
        assert_eq!((evidence.signer_name(), evidence.is_about(&subject)), (Some("gate"), true));
        let Signer::Key { id, .. } = evidence.signer() else { panic!("signed by a certificate") };
        let signed_by = id.to_string();
        let told = move |act: &Act| matches!(act, Act::KeyUsed { key, of, evidence, subject: about, .. } if *key == signed_by && of == "gate" && Some(*evidence) == made && *about == subject);
        assert_eq!(test.count(Outcome::Done, told).await, 1, "which key signed what");
    }
    for (stage, told) in [("publish", decided(true, "publish")), ("deploy", decided(true, "deploy"))] {
        assert_eq!(test.count(Outcome::Done, told).await, 1, "{stage}");
    }
    assert_eq!(test.count(Outcome::Refused, decided(false, "deploy")).await, 1);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::Published { .. })).await, 1);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::Deployed { .. })).await, 1);

    let (tree, _) = test.write(|tx| tx.model_version_files("m", 1)).await;
    let load = |without: Option<Digest>| {
        let bundles = records.iter().filter(|record| Some(record.digest) != without);
        load_gate("m", tree.clone(), bundles.map(|record| record.bundle.as_str()), &policy, Context::at(start()))
    };
    assert_eq!(load(None).unwrap().tree().digest(), subject);
    let refused = load(deployed.attestation).unwrap_err();
    assert_eq!(refused.failures().map(sealyard_gate::Reason::rule).collect::<Vec<_>>(), ["deployment.attestation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_version_is_denied() {
    let test = TestApp::new().await;
    test.version_without("signature").await;
    denied_by(test.publish().await, &["signature.signer", "signature.covers-tree"]);
    assert_eq!(test.count(Outcome::Refused, decided(false, "publish")).await, 1);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::Published { .. })).await, 0);
    assert_eq!(test.write(|tx| tx.model_version("m", 1)).await.unwrap().published, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_provenance_or_from_another_builder_is_denied() {
    let test = TestApp::new().await;
    let subject = test.version_without("provenance").await;
    let error = test.publish().await.unwrap_err();
    assert!(error.rules().iter().all(|rule| rule.starts_with("provenance.")) && !error.rules().is_empty());
    let mut other = provenance();
    other.run_details.builder.id = "https://elsewhere.example/builder".into();
    test.attach(subject, &sign(&other, subject, "runner")).await;
    denied_by(test.publish().await, &["provenance.builder"]);
    test.attach(subject, &sign(&provenance(), subject, "stranger")).await;
    denied_by(test.publish().await, &["provenance.builder"]);
    test.attach(subject, &sign(&provenance(), subject, "runner")).await;
    test.publish().await.unwrap();
    assert_eq!(test.count(Outcome::Refused, decided(false, "publish")).await, 3);
}

/// Only the server's own scanner signs; a scan that anybody else brings counts for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_scan_is_no_scan() {
    let test = TestApp::new().await;
    let subject = test.version_without("").await;
    let scanner = std::fs::read_to_string(test.root().join("scanner.pub")).unwrap();
    test.sql("DELETE FROM evidence WHERE predicate_type LIKE '%scan%'");
    assert!(!scanner.is_empty());
    let report = ScanReport {
        verdict: Verdict::Safe,
        ruleset: Ruleset { name: "sealyard".into(), version: "0.1.0".into(), rules: 12 },
        counts: ScanCounts { safe: 2, ..ScanCounts::default() },
        findings: [].into(),
        scanned_at: start(),
    };
    test.attach(subject, &sign(&report, subject, "stranger")).await;
    let error = test.publish().await.unwrap_err();
    assert!(error.rules().iter().all(|rule| rule.starts_with("scan.")) && !error.rules().is_empty(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_policy_lets_nothing_through() {
    let test = TestApp::with_policy(None).await;
    test.version_without("").await;
    refused_by(test.publish().await, "policy.absent");
    refused_by(test.deploy().await, "policy.absent");
    let told = |act: &Act| matches!(act, Act::AccessDenied { rule, .. } if rule == "policy.absent");
    assert_eq!(test.count(Outcome::Refused, told).await, 2);
    let may = test.app.authorize(&test.admin, Read, crate::harness::entry("m")).await.unwrap();
    refused_by(test.app.gate_check(&test.admin, &may, 1, Stage::Publish, None).await, "policy.absent");
    assert_eq!(test.count(Outcome::Refused, told).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_be_and_writes_nothing() {
    let test = TestApp::new().await;
    let subject = test.version_without("").await;
    let may = test.app.authorize(&test.admin, Read, crate::harness::entry("m")).await.unwrap();
    let check = |stage| test.app.gate_check(&test.admin, &may, 1, stage, None);
    let before = (test.events().await.len(), test.write(move |tx| tx.evidence_for(&subject)).await.len());
    let publish = check(Stage::Publish).await.unwrap();
    assert!(publish.decision.allowed() && publish.attestation.is_none() && publish.published.is_none());
    assert!(!check(Stage::Deploy).await.unwrap().decision.allowed());
    let after = (test.events().await.len(), test.write(move |tx| tx.evidence_for(&subject)).await.len());
    assert_eq!(before, after);
    assert!(matches!(
        test.app.gate_check(&test.admin, &may, 9, Stage::Publish, None).await,
        Err(AppError::NotFound { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_the_policy_does_not_know_is_denied() {
    let test = TestApp::new().await;
    test.version_without("").await;
    let may = test.app.authorize(&test.admin, Publish, crate::harness::entry("m")).await.unwrap();
    let request = PublishRequest { name: "m".into(), version: 1, environment: Some("production".into()) };
    denied_by(test.app.publish(&test.admin, &may, request).await, &["policy.environment"]);
}

/// Between the decision and what comes of it, the name and the number can come to mean other files.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_exchanged_while_the_gate_decided_is_not_published() {
    let test = TestApp::new().await;
    let subject = test.version_without("").await;
    test.store.before_next_write(|tx| {
        let (tree, files) = tx.model_version_files("m", 1).unwrap();
        let entry = tree.entries()[0].clone();
        let tree = sealyard_core::FileTree::new([entry]).unwrap();
        let files = files.into_iter().filter(|file| tree.get(&file.path).is_some()).collect();
        tx.delete_registered_model("m").unwrap();
        tx.create_registered_model("m", "", &[], "eve", start()).unwrap();
        let new = sealyard_store::model::NewModelVersion {
            name: "m".into(),
            description: String::new(),
            source: "models:/m-1".into(),
            run_id: None,
            model_id: None,
            experiment_id: "0".into(),
            created: start(),
            created_by: "eve".into(),
            tags: vec![],
            tree,
            files,
            verdict: Verdict::Safe,
            location: None,
        };
        tx.create_model_version(&new).unwrap();
    });
    is_conflict(test.publish().await);
    assert!(test.store.has_meddled());
    let version = test.write(|tx| tx.model_version("m", 1)).await.unwrap();
    assert!(version.tree != subject && version.published.is_none());
}

/// Ada made the run's model; the version is the administrator's.
#[tokio::test(flavor = "multi_thread")]
async fn who_trained_may_not_do_what_the_policy_keeps_apart() {
    let policy = format!("{POLICY}[separation_of_duties]\ntrained_may_not = [\"publish\", \"promote\", \"deploy\"]\n");
    let test = TestApp::with_policy(Some(&policy)).await;
    test.version_without("").await;
    let all = [("registered-model:m", "MANAGE")];
    let (ada, bob) = (test.user("ada", &all).await, test.user("bob", &all).await);
    let publish = async |caller: &Caller| {
        let may = test.app.authorize(caller, Publish, crate::harness::entry("m")).await.unwrap();
        let request = PublishRequest { name: "m".into(), version: 1, environment: None };
        test.app.publish(caller, &may, request).await
    };
    denied_by(publish(&ada).await, &["separation.trained"]);
    denied_by(publish(&test.admin).await, &["separation.trained"]);
    publish(&bob).await.unwrap();
    let set = async |caller: &Caller| test.app.set_alias(caller, model("m"), "champion".into(), 1).await;
    denied_by(set(&ada).await, &["separation.trained"]);
    set(&bob).await.unwrap();
    for (caller, denied) in [(&ada, true), (&bob, false)] {
        let may = test.app.authorize(caller, Deploy, crate::harness::entry("m")).await.unwrap();
        let outcome = test.deploy_as(caller, &may, None).await;
        if denied { denied_by(outcome, &["separation.trained"]) } else { drop(outcome.unwrap()) }
    }
}

const WHY: &str = "the scanner is down and production burns";

#[tokio::test(flavor = "multi_thread")]
async fn glass_is_broken_with_the_right_a_policy_and_a_reason_and_stands_in_the_ledger() {
    let policy = format!("{POLICY}[break_glass]\nmay = [\"promote\", \"deploy\"]\n");
    let test = TestApp::with_policy(Some(&policy)).await;
    test.version_without("provenance").await;
    let grants = [("registered-model:m", "MANAGE")];
    let eve = test.user("eve", &grants).await;
    let ada = test.user("bob", &[grants[0], ("registered-model:m", "act:break-glass")]).await;
    let broken = |act: &Act| matches!(act, Act::GlassBroken { severity, .. } if severity == "high");
    // MANAGE is not enough, and with the right it still takes a reason.
    let may = test.app.authorize(&eve, Deploy, crate::harness::entry("m")).await.unwrap();
    refused_by(test.deploy_as(&eve, &may, Some(WHY)).await, "authorization");
    refused_by(test.app.point_alias(&eve, model("m"), "champion".into(), 1, Some(WHY.into())).await, "authorization");
    let may = test.app.authorize(&ada, Deploy, crate::harness::entry("m")).await.unwrap();
    let Err(AppError::GateDenied(denied)) = test.deploy_as(&ada, &may, Some("please")).await else { panic!() };
    assert!(denied.failures().any(|reason| reason.rule() == "policy.break-glass"));
    assert!(matches!(test.deploy_as(&ada, &may, None).await, Err(AppError::GateDenied(_))));
    assert_eq!(test.count(Outcome::Done, broken).await, 0);

    let deployed = test.deploy_as(&ada, &may, Some(WHY)).await.unwrap();
    assert!(deployed.attestation.is_some() && deployed.decision.broke_glass());
    test.app.point_alias(&ada, model("m"), "champion".into(), 1, Some(WHY.into())).await.unwrap();
    assert_eq!(test.write(|tx| tx.version_by_alias("m", "champion")).await, Some(1));
    let deploy = |act: &Act| {
        matches!(act, Act::GlassBroken { reason, overruled, what, .. }
            if reason == WHY && what == "deploy it" && overruled.iter().any(|rule| rule == "publish.attestation"))
    };
    assert_eq!(test.count(Outcome::Done, deploy).await, 1);
    assert_eq!(test.count(Outcome::Done, broken).await, 2);
    // Nobody publishes so: every later gate trusts what was published.
    assert!(test.publish().await.is_err());
    // What was found to be unsafe goes nowhere.
    test.sql_as_the_server("UPDATE model_versions SET verdict = 'unsafe'").await;
    refused_by(test.deploy_as(&ada, &may, Some(WHY)).await, "artifact.verdict");
    refused_by(
        test.app.point_alias(&ada, model("m"), "champion".into(), 1, Some(WHY.into())).await,
        "artifact.verdict",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_does_not_say_so_lets_nobody_break_glass() {
    let test = TestApp::new().await;
    test.version_without("provenance").await;
    let may = test.app.authorize(&test.admin, Deploy, crate::harness::entry("m")).await.unwrap();
    let Err(AppError::GateDenied(denied)) = test.deploy_as(&test.admin, &may, Some(WHY)).await else { panic!() };
    assert!(denied.failures().any(|reason| reason.rule() == "policy.break-glass"));
}
