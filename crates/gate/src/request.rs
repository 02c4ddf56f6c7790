use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use sealyard_core::{Digest, FileTree, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use crate::policy::Duty;

/// Where in its life a subject asks to move on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Into the set of models that may be deployed.
    Publish,
    /// To an environment.
    Deploy,
    /// Into a cluster.
    Admit,
    /// Into a model server's memory.
    Load,
}

impl Stage {
    /// The name used in policies, decisions and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Deploy => "deploy",
            Self::Admit => "admit",
            Self::Load => "load",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Publish, Self::Deploy, Self::Admit, Self::Load]
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no stage: expected publish, deploy, admit or load"))
    }
}

/// What is asked of a gate.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What asks to move on. Its digest must be the tree's.
    pub subject: Subject,
    /// The files as the caller knows them, hashed by ourselves.
    pub tree: &'a FileTree,
    /// Where it wants to go.
    pub stage: Stage,
    /// Who asks, when, and for where.
    pub context: Context,
}

impl Request<'_> {
    /// The act that somebody wants to do; `None` where no person's act asks.
    pub(crate) const fn duty(&self) -> Option<Duty> {
        match (self.stage, self.context.promoting) {
            (Stage::Publish, false) => Some(Duty::Publish),
            (Stage::Publish, true) => Some(Duty::Promote),
            (Stage::Deploy, _) => Some(Duty::Deploy),
            (Stage::Admit | Stage::Load, _) => None,
        }
    }
}

/// Circumstances of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The present moment.
    pub now: Timestamp,
    /// The environment it is for, such as `production`.
    pub environment: Option<String>,
    /// Who asks.
    pub principal: Option<String>,
    /// Facts about where it will run, by scope type (`kubernetes.io/pod/service_account/v1`, …). They must come from
    /// what is really there, never from what a workload says of itself.
    pub scopes: BTreeMap<String, String>,
    /// At the publish stage: that an alias is to point at what was published before, and not to publish.
    pub promoting: bool,
    /// Who made the run, the logged model and the version, by name; `None` when that is not known.
    pub trained_by: Option<BTreeSet<String>>,
    /// The reason for which whoever asks would go on although rules are not content. Whether they may at all is for the caller
    /// to have authorized.
    pub break_glass: Option<String>,
}

impl Context {
    /// Only a time: no environment, nobody, no scopes.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self {
            now,
            environment: None,
            principal: None,
            scopes: BTreeMap::new(),
            promoting: false,
            trained_by: None,
            break_glass: None,
        }
    }
}

/// A piece of evidence that did not verify. It counts for nothing, but decisions name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The digest of the bundle, or of the bytes that are no bundle.
    pub digest: Digest,
    /// Why it was rejected.
    pub reason: String,
}
