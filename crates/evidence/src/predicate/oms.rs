use serde::{Deserialize, Serialize};

/// OpenSSF Model Signing, v1.0: the files of a model and how they were hashed. [`crate::oms`] makes and checks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSignature {
    /// Every signed file, or every shard of one.
    pub resources: Vec<Resource>,
    /// How names and contents became resources.
    pub serialization: Serialization,
}

/// One signed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Path below the model's folder; `path:start:end` for a shard.
    pub name: String,
    /// The hash algorithm of `digest`.
    pub algorithm: String,
    /// Lower-case hex.
    pub digest: String,
}

/// How a model was serialised for signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serialization {
    /// Whole files or shards of them.
    pub method: Method,
    /// The hash of each resource.
    pub hash_type: HashType,
    /// Whether symbolic links were followed.
    #[serde(default)]
    pub allow_symlinks: bool,
    /// Paths below the model's folder that were left out.
    #[serde(default)]
    pub ignore_paths: Vec<String>,
    /// Bytes of a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_size: Option<u64>,
}

/// What one resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A file.
    Files,
    /// A part of a file.
    Shards,
}

/// How a resource is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum HashType {
    Sha256,
    Blake2b,
    Blake3,
}
