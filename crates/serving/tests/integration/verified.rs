//! Models that a real load gate let through, from files in memory.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use sealyard_core::{Digest, FileEntry, FileTree, FixedRng, Subject, Timestamp, TreePath};
use sealyard_evidence::predicate::Deployment;
use sealyard_evidence::{Bundle, Curve, SigningKey, Statement, oms, verify};
use sealyard_gate::{Context, Policy, Request, Stage, VerifiedModel, decide};
use sealyard_serving::{FileSource, LoadError, Model};

const POLICY: &str = r#"
version = 1
[keys]
release = "release.pub"
gate = "gate.pub"
[load]
deployed_by = ["gate"]
signed_by = ["release"]
scan = "not required"
provenance = "not required"
"#;

pub(crate) fn fixture(path: &str) -> Vec<u8> {
    let kept = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    // Another folder, made with another scikit-learn by `dev/fixtures/serving.py`.
    let root = std::env::var_os("SEALYARD_SERVING_FIXTURES").map_or_else(kept, PathBuf::from);
    std::fs::read(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The `MLmodel` of a model file, with the signature's JSON or none.
pub(crate) fn description(file: &str, signature: Option<&str>) -> Vec<u8> {
    let signature = signature.map_or(String::new(), |text| format!("signature:\n  inputs: '{text}'\n"));
    format!(
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: {file}\n    predict_fn: predict\n  \
         sklearn:\n    pickled_model: {file}\n    serialization_format: pickle\n{signature}"
    )
    .into_bytes()
}

#[derive(Clone, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    pub(crate) fn model(file: &[u8], signature: Option<&str>) -> Self {
        let files = [("MLmodel", description("model.bin", signature)), ("model.bin", file.to_vec())];
        Self(files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect())
    }

    fn tree(&self) -> FileTree {
        let entry = |(path, bytes): (&String, &Vec<u8>)| FileEntry {
            path: TreePath::new(path).unwrap(),
            size: bytes.len() as u64,
            digest: Digest::of(bytes),
            executable: false,
        };
        FileTree::new(self.0.iter().map(entry)).unwrap()
    }

    /// The verified model of these files.
    pub(crate) fn verified(&self) -> VerifiedModel {
        let key = |name: &str| SigningKey::generate(Curve::P256, &FixedRng::seeded(name.len() as u64)).unwrap();
        let read = |path: &TreePath| Ok(key(path.as_str().trim_end_matches(".pub")).public_key().to_pem());
        let policy = Policy::parse(POLICY, &read).unwrap();
        let now = Timestamp::from_rfc3339("2026-11-22T12:00:00Z").unwrap();
        let tree = self.tree();
        let subject = Subject { name: "models:/m/1".into(), digest: tree.digest() };
        let scopes = BTreeMap::from([(Deployment::ENVIRONMENT_SCOPE.to_owned(), "production".to_owned())]);
        let deployment = Deployment { creation_time: now, scopes, decision_details: None, break_glass: None };
        let statement = Statement::new(std::slice::from_ref(&subject), &deployment).unwrap();
        let bundles =
            [oms::sign(&tree, "m", &key("release")).unwrap(), Bundle::sign(&statement, &key("gate")).unwrap()];
        let evidence: Vec<_> = bundles.iter().map(|bundle| verify(bundle, policy.trusted_keys()).unwrap()).collect();
        let context = Context { environment: Some("production".to_owned()), ..Context::at(now) };
        let request = Request { subject, tree: &tree, stage: Stage::Load, context };
        let decision = decide(&request, &evidence, &[], &policy);
        decision.into_verified_model(tree).unwrap_or_else(|denied| panic!("{:?}", denied.reasons()))
    }

    pub(crate) fn load(&self) -> Result<Model, LoadError> {
        Model::load(&self.verified(), self)
    }
}

impl FileSource for Files {
    fn open(&self, path: &TreePath) -> io::Result<Box<dyn Read + '_>> {
        let bytes = self.0.get(path.as_str()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(bytes.as_slice()))
    }
}
