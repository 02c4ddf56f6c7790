//! The types of evidence. Each is one file here and one line in the registry below.

use serde::Serialize;
use serde::de::DeserializeOwned;

mod approval;
mod deployment;
mod oms;
mod provenance;
mod publish;
mod resource;
mod scan;

pub use approval::Approval;
pub use deployment::{BrokenGlass, Deployment};
pub use oms::{HashType, Method, ModelSignature, Resource, Serialization};
pub use provenance::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
pub use publish::{Package, Publish};
pub use resource::{DecisionDetails, ResourceDescriptor};
pub use scan::{Ruleset, ScanCounts, ScanReport};

/// A predicate of one type.
pub trait PredicateType: Serialize + DeserializeOwned {
    /// The URI that names the type in statements.
    const TYPE: &'static str;
}

macro_rules! predicates {
    ($($(#[$docs:meta])* $name:ident = $uri:literal),+ $(,)?) => {
        $(impl PredicateType for $name { const TYPE: &'static str = $uri; })+

        /// What a verified statement says.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Predicate {
            $($(#[$docs])* $name($name),)+
        }

        impl Predicate {
            /// Every type that is read.
            pub const TYPES: &'static [&'static str] = &[$($uri),+];

            /// Reads a predicate of `predicate_type`.
            ///
            /// # Errors
            /// [`PredicateError`] when the type is not in the registry or the predicate is not of its type.
            pub fn parse(predicate_type: &str, value: &serde_json::Value) -> Result<Self, PredicateError> {
                match predicate_type {
                    $($uri => <$name as serde::Deserialize>::deserialize(value)
                        .map(Self::$name)
                        .map_err(|source| PredicateError::Malformed { predicate_type: $uri, source }),)+
                    other => Err(PredicateError::Unknown(other.chars().take(200).collect())),
                }
            }

            /// The URI of its type.
            #[must_use]
            pub const fn predicate_type(&self) -> &'static str {
                match self { $(Self::$name(_) => $uri,)+ }
            }
        }
    };
}

predicates! {
    /// Somebody signed the files of a model.
    ModelSignature = "https://model_signing/signature/v1.0",
    /// How something was built or trained.
    Provenance = "https://slsa.dev/provenance/v1",
    /// What a scan found.
    ScanReport = "https://sealyard.dev/scan/v1",
    /// A gate let a model be published.
    Publish = "https://slsa.dev/publish/v0.1",
    /// A gate let a model be deployed.
    Deployment = "https://slsa.dev/deployment/v0.1",
    /// A person approved a model.
    Approval = "https://sealyard.dev/approval/v1",
}

/// The predicate can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateError {
    /// Nobody here knows the type.
    #[error("evidence of type {0:?} is not known here")]
    Unknown(String),
    /// The predicate is not what its type promises.
    #[error("the predicate is not a well-formed {predicate_type}")]
    Malformed {
        /// What it claims to be.
        predicate_type: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
}
