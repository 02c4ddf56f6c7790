use std::collections::BTreeMap;

use sealyard_core::Digest;
use serde::{Deserialize, Serialize};

/// in-toto's resource descriptor: something a statement mentions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor {
    /// What people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it is from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Digests in hex by algorithm: `sha256`, `gitCommit`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// Where it can be had, when that is not `uri`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub download_location: String,
    /// What its bytes are.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Short content itself, base64 in JSON.
    #[serde(default, with = "crate::encoding", skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<u8>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub annotations: serde_json::Map<String, serde_json::Value>,
}

impl ResourceDescriptor {
    /// A resource known by its SHA-256.
    #[must_use]
    pub fn sha256(name: impl Into<String>, digest: Digest) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), digest.to_hex())]);
        Self { name: name.into(), digest, ..Self::default() }
    }

    /// A commit of a git repository, by its full hex name (40 or 64 digits).
    #[must_use]
    pub fn git_commit(uri: impl Into<String>, commit: &str) -> Self {
        let digest = BTreeMap::from([("gitCommit".to_owned(), commit.to_owned())]);
        Self { uri: uri.into(), digest, ..Self::default() }
    }

    /// Whether it is pinned: it has digests, each is lower-case hex, and one is strong enough to pin by (32 bytes or
    /// more, or a git commit).
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let strong = |(algorithm, digest): (&String, &String)| match algorithm.as_str() {
            "gitCommit" | "sha1" if digest.len() == 40 => algorithm == "gitCommit",
            "gitCommit" | "sha256" | "sha3_256" | "blake3" => digest.len() == 64,
            "sha384" | "sha3_384" => digest.len() == 96,
            "sha512" | "sha3_512" | "blake2b" => digest.len() == 128,
            _ => false,
        };
        self.digest.values().all(|digest| !digest.is_empty() && hex(digest)) && self.digest.iter().any(strong)
    }

    /// The name, or the URI when there is no name.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.uri } else { &self.name }
    }
}

/// What a gate's attestation rests on: the policy and the evidence, by digest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionDetails {
    /// The bundles that counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<ResourceDescriptor>,
    /// The policy that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<ResourceDescriptor>,
}
