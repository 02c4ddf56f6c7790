//! A model with all the evidence it needs, of which tests spoil one thing at a time.

use std::collections::BTreeMap;

use sealyard_core::{Digest, FileEntry, FileTree, FixedRng, Subject, Timestamp, TreePath, Verdict};
use sealyard_evidence::predicate::{
    BuildDefinition, BuildMetadata, Builder, Deployment, Package, Provenance, Publish, ResourceDescriptor, Ruleset,
    RunDetails, ScanCounts, ScanReport,
};
use sealyard_evidence::{Bundle, Curve, PredicateType, SigningKey, Statement, VerifiedEvidence, oms, verify};
use sealyard_gate::{Context, Decision, Policy, Rejected, Request, Stage, decide};

pub(crate) const POLICY: &str = r#"
version = 1
[keys]
release = "release.pub"
runner = "runner.pub"
scanner = "scanner.pub"
gate = "gate.pub"
intern = "intern.pub"
[publish]
signed_by = ["release"]
scan = { signed_by = ["scanner"], verdict = "safe" }
provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }
environments = ["production"]
[deploy]
published_by = ["gate"]
signed_by = ["release"]
scan = { signed_by = ["scanner"], verdict = "safe" }
provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }
environments = ["production", "staging"]
[load]
deployed_by = ["gate"]
max_attestation_age_days = 90
signed_by = ["release"]
scan = { signed_by = ["scanner"], verdict = "safe", max_age_days = 30 }
provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }
[aliases]
protected = ["champion", "production"]
"#;

pub(crate) const BUILDER: &str = "https://sealyard.dev/runner/local/v1";

/// The key called `name`, always the same.
pub(crate) fn key(name: &str) -> SigningKey {
    let seed = name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    SigningKey::generate(Curve::P256, &FixedRng::seeded(seed)).unwrap()
}

pub(crate) fn read_key(path: &TreePath) -> std::io::Result<String> {
    Ok(key(path.as_str().trim_end_matches(".pub")).public_key().to_pem())
}

pub(crate) fn policy(text: &str) -> Policy {
    Policy::parse(text, &read_key).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-11-22T12:00:00Z").unwrap()
}

pub(crate) fn tree(files: &[(&str, &str)]) -> FileTree {
    let entry = |&(path, content): &(&str, &str)| FileEntry {
        path: TreePath::new(path).unwrap(),
        size: content.len() as u64,
        digest: Digest::of(content.as_bytes()),
        executable: false,
    };
    FileTree::new(files.iter().map(entry)).unwrap()
}

/// A statement to be signed: by whom, about what, saying what.
#[derive(Clone)]
pub(crate) struct Said<P> {
    pub(crate) by: &'static str,
    pub(crate) about: Digest,
    pub(crate) what: P,
}

impl<P: PredicateType> Said<P> {
    pub(crate) fn bundle(&self) -> Bundle {
        let subject = Subject { name: "m".into(), digest: self.about };
        Bundle::sign(&Statement::new(&[subject], &self.what).unwrap(), &key(self.by)).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) policy: String,
    pub(crate) tree: FileTree,
    pub(crate) subject: Subject,
    pub(crate) stage: Stage,
    pub(crate) context: Context,
    pub(crate) signatures: Vec<(&'static str, FileTree)>,
    pub(crate) provenance: Vec<Said<Provenance>>,
    pub(crate) scans: Vec<Said<ScanReport>>,
    pub(crate) publications: Vec<Said<Publish>>,
    pub(crate) deployments: Vec<Said<Deployment>>,
    pub(crate) rejected: Vec<Rejected>,
}

impl Scenario {
    /// One that `stage` allows.
    pub(crate) fn good(stage: Stage) -> Self {
        let tree = tree(&[("MLmodel", "flavors"), ("model.skops", "weights")]);
        let about = tree.digest();
        let environment = Some("production".to_owned());
        let said_scan = Said { by: "scanner", about, what: scan() };
        let publish = Publish {
            creation_time: now(),
            package: Package { name: "m".into(), registry: None, environment: environment.clone() },
            properties: serde_json::Map::new(),
            decision_details: None,
        };
        let scopes = BTreeMap::from([(Deployment::ENVIRONMENT_SCOPE.to_owned(), "production".to_owned())]);
        let deployment = Deployment { creation_time: now(), scopes, decision_details: None, break_glass: None };
        Self {
            policy: POLICY.to_owned(),
            subject: Subject { name: "models:/m/1".into(), digest: about },
            stage,
            context: Context { environment, principal: Some("ada".into()), ..Context::at(now()) },
            signatures: vec![("release", tree.clone())],
            provenance: vec![Said { by: "runner", about, what: provenance() }],
            scans: vec![said_scan],
            publications: vec![Said { by: "gate", about, what: publish }],
            deployments: vec![Said { by: "gate", about, what: deployment }],
            rejected: vec![],
            tree,
        }
    }

    pub(crate) fn bundles(&self) -> Vec<Bundle> {
        let signatures = self.signatures.iter().map(|(by, tree)| oms::sign(tree, "m", &key(by)).unwrap());
        signatures
            .chain(self.provenance.iter().map(Said::bundle))
            .chain(self.scans.iter().map(Said::bundle))
            .chain(self.publications.iter().map(Said::bundle))
            .chain(self.deployments.iter().map(Said::bundle))
            .collect()
    }

    pub(crate) fn evidence(&self) -> Vec<VerifiedEvidence> {
        let policy = policy(&self.policy);
        self.bundles().iter().map(|bundle| verify(bundle, policy.trusted_keys()).unwrap()).collect()
    }

    pub(crate) fn decide_on(&self, evidence: &[VerifiedEvidence]) -> Decision {
        let request = Request {
            subject: self.subject.clone(),
            tree: &self.tree,
            stage: self.stage,
            context: self.context.clone(),
        };
        decide(&request, evidence, &self.rejected, &policy(&self.policy))
    }

    pub(crate) fn decide(&self) -> Decision {
        self.decide_on(&self.evidence())
    }

    /// The names of the rules that are not content.
    pub(crate) fn failures(&self) -> Vec<&'static str> {
        let decision = self.decide();
        assert_eq!(decision.allowed(), decision.failures().count() == 0);
        decision.failures().map(sealyard_gate::Reason::rule).collect()
    }
}

pub(crate) fn scan() -> ScanReport {
    ScanReport {
        verdict: Verdict::Safe,
        ruleset: Ruleset { name: "sealyard".into(), version: "0.1.0".into(), rules: 12 },
        counts: ScanCounts { safe: 2, ..ScanCounts::default() },
        findings: [].into(),
        scanned_at: now(),
    }
}

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
