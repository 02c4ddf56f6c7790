//! The crate from outside: keys, bundles, chains and model signatures, each with what must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, as it should"
)]

mod bundles;
mod chains;
mod keys;
mod models;
#[cfg(feature = "oms-samples")]
mod samples;

use sealyard_core::{Digest, FileEntry, FileTree, FixedRng, Subject, Timestamp, TreePath, Verdict};
use sealyard_evidence::predicate::{Ruleset, ScanCounts, ScanReport};
use sealyard_evidence::{Bundle, Curve, SigningKey, Statement, TrustedKeys};

fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-11-22T12:00:00Z").unwrap()
}

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Curve::P256, &FixedRng::seeded(seed)).unwrap()
}

fn trust(names: &[(&str, &SigningKey)]) -> TrustedKeys {
    let mut keys = TrustedKeys::new();
    for (name, key) in names {
        keys.insert(name, key.public_key()).unwrap();
    }
    keys
}

fn tree(files: &[(&str, &str)]) -> FileTree {
    let entry = |&(path, content): &(&str, &str)| FileEntry {
        path: TreePath::new(path).unwrap(),
        size: content.len() as u64,
        digest: Digest::of(content.as_bytes()),
        executable: false,
    };
    FileTree::new(files.iter().map(entry)).unwrap()
}

fn scan_report() -> ScanReport {
    ScanReport {
        verdict: Verdict::Safe,
        ruleset: Ruleset { name: "sealyard".into(), version: "0.1.0".into(), rules: 12 },
        counts: ScanCounts { safe: 2, ..ScanCounts::default() },
        findings: [].into(),
        scanned_at: now(),
    }
}

fn scan_bundle(key: &SigningKey) -> Bundle {
    let subject = Subject { name: "model".into(), digest: Digest::of(b"model") };
    Bundle::sign(&Statement::new(&[subject], &scan_report()).unwrap(), key).unwrap()
}
