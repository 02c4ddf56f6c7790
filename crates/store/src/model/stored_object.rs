use sealyard_core::{Digest, Timestamp, TreePath};

use super::ArtifactOwner;

/// What the catalog knows of an object that lies in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectUse {
    /// Nothing: no row was ever written for it.
    Unknown,
    /// Something refers to it, or to another object whose bytes are its.
    InUse,
    /// Nothing refers to it any more.
    Unused,
    /// Its bytes are not needed: it was removed, or another object has them.
    Gone,
}

/// An object that was not compared with others yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObject {
    /// The vault's name of it.
    pub object: String,
    /// An object of the same workspace that is known to have the same content, if there is one.
    pub twin: Option<String>,
    /// SHA-256 of the plain bytes.
    pub digest: Digest,
    /// Size of the plain bytes.
    pub size: u64,
}

/// An upload in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartedUpload {
    /// Its id.
    pub id: String,
    /// What the file will belong to.
    pub owner: ArtifactOwner,
    /// Where it will be.
    pub path: TreePath,
    /// How many parts it has.
    pub parts: u32,
    /// The authenticated principal that began it.
    pub created_by: String,
    /// When it began.
    pub created: Timestamp,
    /// How far it is.
    pub state: UploadState,
}

/// How far an upload in parts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// Parts may come.
    Open,
    /// It is being put together.
    Completing,
    /// The file is there.
    Done,
}

impl UploadState {
    /// As the catalog holds it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completing => "completing",
            Self::Done => "done",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Completing, Self::Done].into_iter().find(|state| state.as_str() == text)
    }
}

/// A part that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPart {
    /// Its number, from 1.
    pub number: u32,
    /// The vault's name of its bytes.
    pub object: String,
    /// SHA-256 of the plain bytes.
    pub digest: Digest,
    /// Size of the plain bytes.
    pub size: u64,
}
