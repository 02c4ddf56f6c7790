use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kinds of things that grants speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// An experiment with its runs, their artifacts and its logged models.
    Experiment,
    /// A name of the registry with its versions and aliases: a registered model, or a prompt.
    RegisteredModel,
    /// A prompt: a name of the registry under which texts are kept, and no models.
    Prompt,
    /// An evaluation data set with its records.
    Dataset,
    /// A workspace: its roles, and who has them.
    Workspace,
    /// A key of a model provider, as the AI gateway keeps it.
    GatewaySecret,
    /// A provider's model with the key it is asked with.
    GatewayModelDefinition,
    /// An endpoint of the AI gateway: models under one name.
    GatewayEndpoint,
    /// The server as a whole; EDIT on it is what creating an experiment takes.
    Server,
    /// The ledger.
    Ledger,
    /// The gates' policies and trust roots.
    Policies,
    /// Users, roles, grants and other people's tokens.
    Users,
}

impl ResourceKind {
    /// As it is written in grants and scopes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::RegisteredModel => "registered-model",
            Self::Prompt => "prompt",
            Self::Dataset => "dataset",
            Self::Workspace => "workspace",
            Self::GatewaySecret => "gateway-secret",
            Self::GatewayModelDefinition => "gateway-model-definition",
            Self::GatewayEndpoint => "gateway-endpoint",
            Self::Server => "server",
            Self::Ledger => "ledger",
            Self::Policies => "policies",
            Self::Users => "users",
        }
    }

    /// From what [`Self::as_str`] gives.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [
            Self::Experiment,
            Self::RegisteredModel,
            Self::Prompt,
            Self::Dataset,
            Self::Workspace,
            Self::GatewaySecret,
            Self::GatewayModelDefinition,
            Self::GatewayEndpoint,
            Self::Server,
            Self::Ledger,
            Self::Policies,
            Self::Users,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }

    /// Whether each of it is in one workspace. Of the others there is one set, for the whole server.
    #[must_use]
    pub const fn is_in_workspace(self) -> bool {
        matches!(
            self,
            Self::Experiment
                | Self::RegisteredModel
                | Self::Prompt
                | Self::Dataset
                | Self::GatewaySecret
                | Self::GatewayModelDefinition
                | Self::GatewayEndpoint
        )
    }

    /// The kinds whose grants speak of it. A prompt is one of the registry's names too, so that what is given or denied on those
    /// holds for it; what is given on prompts never holds for a model.
    #[must_use]
    pub const fn spoken_of_by(self) -> &'static [Self] {
        match self {
            Self::Experiment => &[Self::Experiment],
            Self::RegisteredModel => &[Self::RegisteredModel],
            Self::Prompt => &[Self::Prompt, Self::RegisteredModel],
            Self::Dataset => &[Self::Dataset],
            Self::Workspace => &[Self::Workspace],
            Self::GatewaySecret => &[Self::GatewaySecret],
            Self::GatewayModelDefinition => &[Self::GatewayModelDefinition],
            Self::GatewayEndpoint => &[Self::GatewayEndpoint],
            Self::Server => &[Self::Server],
            Self::Ledger => &[Self::Ledger],
            Self::Policies => &[Self::Policies],
            Self::Users => &[Self::Users],
        }
    }

    /// Whether there is only one of it.
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(self, Self::Server | Self::Ledger | Self::Policies | Self::Users)
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is protected. Written `experiment:7`, `registered-model:diabetes`, `server`, `ledger`, …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "documented at ResourceKind")]
pub enum Resource {
    Experiment(ExperimentId),
    RegisteredModel(ModelName),
    Prompt(ModelName),
    Dataset(DatasetId),
    Workspace(WorkspaceName),
    GatewaySecret(GatewaySecretId),
    GatewayModelDefinition(GatewayModelDefinitionId),
    GatewayEndpoint(GatewayEndpointId),
    Server,
    Ledger,
    Policies,
    Users,
}

impl Resource {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ResourceKind {
        match self {
            Self::Experiment(_) => ResourceKind::Experiment,
            Self::RegisteredModel(_) => ResourceKind::RegisteredModel,
            Self::Prompt(_) => ResourceKind::Prompt,
            Self::Dataset(_) => ResourceKind::Dataset,
            Self::Workspace(_) => ResourceKind::Workspace,
            Self::GatewaySecret(_) => ResourceKind::GatewaySecret,
            Self::GatewayModelDefinition(_) => ResourceKind::GatewayModelDefinition,
            Self::GatewayEndpoint(_) => ResourceKind::GatewayEndpoint,
            Self::Server => ResourceKind::Server,
            Self::Ledger => ResourceKind::Ledger,
            Self::Policies => ResourceKind::Policies,
            Self::Users => ResourceKind::Users,
        }
    }

    /// Its id; empty where there is only one.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Experiment(id) => id.as_str(),
            Self::RegisteredModel(name) | Self::Prompt(name) => name.as_str(),
            Self::Dataset(id) => id.as_str(),
            Self::Workspace(name) => name.as_str(),
            Self::GatewaySecret(id) => id.as_str(),
            Self::GatewayModelDefinition(id) => id.as_str(),
            Self::GatewayEndpoint(id) => id.as_str(),
            Self::Server | Self::Ledger | Self::Policies | Self::Users => "",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().as_str())?;
        if self.kind().is_single() { Ok(()) } else { write!(f, ":{}", self.id()) }
    }
}

/// The text can't name the resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceIdError {
    /// Not an experiment id.
    #[error("{0:?} is not an experiment id: expected 1 to 64 letters, digits, '-' or '_'")]
    Experiment(String),
    /// Not a model name.
    #[error(
        "{0:?} is not a model name: expected 1 to 255 bytes without '/', ':', '*', '\\' or control characters, and not '.' or '..'"
    )]
    Model(String),
    /// Not a workspace's name.
    #[error(
        "{0:?} is not the name of a workspace: expected 2 to 63 lower-case letters, digits and '-', the first and last no '-'"
    )]
    Workspace(String),
    /// Not a data set's id.
    #[error("{0:?} is not the id of a data set: expected 1 to 64 letters, digits, '-' or '_'")]
    Dataset(String),
    /// Not an id of something of the AI gateway.
    #[error("{0:?} is not an id of the gateway: expected 1 to 64 letters, digits, '-' or '_'")]
    Gateway(String),
    /// Not a resource.
    #[error(
        "{0:?} is not a resource: expected experiment:<id>, registered-model:<name>, prompt:<name>, dataset:<id>, workspace:<name>, \
         gateway-secret:<id>, gateway-model-definition:<id>, gateway-endpoint:<id>, server, ledger, policies or users"
    )]
    Resource(String),
}

fn beginning(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for Resource {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || ResourceIdError::Resource(beginning(text));
        let (kind, id) = text.split_once(':').map_or((text, None), |(kind, id)| (kind, Some(id)));
        match (ResourceKind::from_text(kind).ok_or_else(unknown)?, id) {
            (ResourceKind::Experiment, Some(id)) => ExperimentId::new(id).map(Self::Experiment),
            (ResourceKind::RegisteredModel, Some(name)) => ModelName::new(name).map(Self::RegisteredModel),
            (ResourceKind::Prompt, Some(name)) => ModelName::new(name).map(Self::Prompt),
            (ResourceKind::Dataset, Some(id)) => DatasetId::new(id).map(Self::Dataset),
            (ResourceKind::Workspace, Some(name)) => WorkspaceName::new(name).map(Self::Workspace),
            (ResourceKind::GatewaySecret, Some(id)) => GatewaySecretId::new(id).map(Self::GatewaySecret),
            (ResourceKind::GatewayModelDefinition, Some(id)) => {
                GatewayModelDefinitionId::new(id).map(Self::GatewayModelDefinition)
            }
            (ResourceKind::GatewayEndpoint, Some(id)) => GatewayEndpointId::new(id).map(Self::GatewayEndpoint),
            (ResourceKind::Server, None) => Ok(Self::Server),
            (ResourceKind::Ledger, None) => Ok(Self::Ledger),
            (ResourceKind::Policies, None) => Ok(Self::Policies),
            (ResourceKind::Users, None) => Ok(Self::Users),
            _ => Err(unknown()),
        }
    }
}

/// An experiment's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExperimentId(String);

/// A registered model's name.
///
/// `*` is refused because it means "anything" in a grant, `/` and `:` because they end a name in a model's URI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

/// A workspace's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspaceName(String);

impl Default for WorkspaceName {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl WorkspaceName {
    /// Whether it is the one there is from the beginning.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }

    /// The one there is from the beginning.
    pub const DEFAULT: &'static str = "default";

    /// Checks `text` and takes it.
    ///
    /// # Errors
    /// [`ResourceIdError::Workspace`].
    pub fn new(text: impl Into<String>) -> Result<Self, ResourceIdError> {
        let text = text.into();
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let ends = text.starts_with('-') || text.ends_with('-');
        if !(2..=63).contains(&text.len()) || ends || !text.bytes().all(inner) {
            return Err(ResourceIdError::Workspace(beginning(&text)));
        }
        Ok(Self(text))
    }
}

impl ExperimentId {
    /// Checks `text` and takes it.
    ///
    /// # Errors
    /// [`ResourceIdError::Experiment`].
    pub fn new(text: impl Into<String>) -> Result<Self, ResourceIdError> {
        let text = text.into();
        if !is_plain(&text) {
            return Err(ResourceIdError::Experiment(beginning(&text)));
        }
        Ok(Self(text))
    }
}

/// Whether it is an id that can't be taken for anything else.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

macro_rules! plain_ids {
    ($($(#[$doc:meta])* $name:ident, $error:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text` and takes it.
            ///
            /// # Errors
            #[doc = concat!("[`ResourceIdError::", stringify!($error), "`].")]
            pub fn new(text: impl Into<String>) -> Result<Self, ResourceIdError> {
                let text = text.into();
                if is_plain(&text) { Ok(Self(text)) } else { Err(ResourceIdError::$error(beginning(&text))) }
            }
        }
    )*};
}

plain_ids! {
    /// The id of an evaluation data set.
    DatasetId, Dataset;
    /// The id of a key of a model provider.
    GatewaySecretId, Gateway;
    /// The id of a model definition of the AI gateway.
    GatewayModelDefinitionId, Gateway;
    /// The id of an endpoint of the AI gateway.
    GatewayEndpointId, Gateway;
}

impl ModelName {
    /// Checks `text` and takes it.
    ///
    /// # Errors
    /// [`ResourceIdError::Model`].
    pub fn new(text: impl Into<String>) -> Result<Self, ResourceIdError> {
        let text = text.into();
        let bad = |character: char| character.is_control() || "/:*\\".contains(character);
        if text.trim().is_empty() || text.len() > 255 || text == "." || text == ".." || text.contains(bad) {
            return Err(ResourceIdError::Model(beginning(&text)));
        }
        Ok(Self(text))
    }
}

/// Something that takes an [`Authorized`](crate::Authorized) to touch.
pub trait ProtectedResource: sealed::Sealed + Clone + fmt::Debug + Send + Sync {
    /// Which resource it is.
    fn resource(&self) -> Resource;
}

mod sealed {
    /// Only this crate says what is protected and how it is named.
    pub trait Sealed {}
}

/// A name of the registry, and what is kept under it: a model or a prompt.
///
/// They are alike to clients and share their names; which it is was said when the name was made, and stays so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryEntry {
    name: ModelName,
    prompt: bool,
}

impl RegistryEntry {
    /// The name, as that of a prompt or of a model.
    #[must_use]
    pub const fn new(name: ModelName, prompt: bool) -> Self {
        Self { name, prompt }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &ModelName {
        &self.name
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.name.as_str()
    }

    /// Whether it is a prompt's.
    #[must_use]
    pub const fn is_prompt(&self) -> bool {
        self.prompt
    }
}

impl fmt::Display for RegistryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl sealed::Sealed for RegistryEntry {}

impl ProtectedResource for RegistryEntry {
    fn resource(&self) -> Resource {
        let name = self.name.clone();
        if self.prompt { Resource::Prompt(name) } else { Resource::RegisteredModel(name) }
    }
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ResourceIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ResourceIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    )*};
}

macro_rules! named {
    ($($name:ident => $variant:ident),*) => {$(
        text!($name);

        impl sealed::Sealed for $name {}

        impl ProtectedResource for $name {
            fn resource(&self) -> Resource {
                Resource::$variant(self.clone())
            }
        }
    )*};
}

named!(
    ExperimentId => Experiment, DatasetId => Dataset, WorkspaceName => Workspace, GatewaySecretId => GatewaySecret,
    GatewayModelDefinitionId => GatewayModelDefinition, GatewayEndpointId => GatewayEndpoint
);

text!(ModelName);

macro_rules! single {
    ($($(#[$doc:meta])* $name:ident => $variant:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name;

        impl sealed::Sealed for $name {}

        impl ProtectedResource for $name {
            fn resource(&self) -> Resource {
                Resource::$variant
            }
        }
    )*};
}

single! {
    /// The server as a whole.
    ServerWide => Server;
    /// The ledger.
    LedgerLog => Ledger;
    /// Policies and trust roots.
    PolicySet => Policies;
    /// Users, roles and grants.
    UserDirectory => Users;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_round_trip() {
        for text in [
            "experiment:7",
            "registered-model:a b.c",
            "prompt:a b.c",
            "dataset:d-1f",
            "workspace:team-a",
            "gateway-secret:s-1f",
            "gateway-model-definition:d-1f",
            "gateway-endpoint:e-1f",
            "server",
            "ledger",
            "policies",
            "users",
        ] {
            assert_eq!(text.parse::<Resource>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "experiment",
            "experiment:",
            "experiment:*",
            "experiment:../1",
            "server:1",
            "models:a",
            "workspace:A",
            "workspace:-a",
            "gateway-secret",
            "gateway-secret:a/b",
            "gateway-endpoint:",
        ] {
            assert!(text.parse::<Resource>().is_err(), "{text}");
        }
    }

    #[test]
    fn model_names_that_could_be_something_else_are_refused() {
        for name in ["", " ", "a/b", "a:b", "a*", "..", ".", "a\0", "a\\b", "a\u{85}", &"a".repeat(256)] {
            assert!(ModelName::new(name).is_err(), "{name:?}");
        }
        assert!(ModelName::new("modèle 1.5").is_ok());
    }
}
