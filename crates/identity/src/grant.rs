use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::Act;
use crate::permission::Permission;
use crate::principal::{GroupId, IdentifierError, PrincipalId, RoleName};
use crate::resource::{
    DatasetId, ExperimentId, GatewayEndpointId, GatewayModelDefinitionId, GatewaySecretId, ModelName, Resource,
    ResourceKind, WorkspaceName,
};

/// Somebody may, or explicitly may not, do something to some resources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Who.
    pub grantee: Grantee,
    /// To what.
    pub pattern: ResourcePattern,
    /// What.
    pub right: Right,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} to {}", self.right, self.pattern, self.grantee)
    }
}

/// Who a grant is for. Written `principal:<id>`, `group:<id>` or `role:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantee {
    /// One principal.
    Principal(PrincipalId),
    /// Everybody who is in the group.
    Group(GroupId),
    /// Everybody who has the role.
    Role(RoleName),
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(id) => write!(f, "principal:{id}"),
            Self::Group(id) => write!(f, "group:{id}"),
            Self::Role(name) => write!(f, "role:{name}"),
        }
    }
}

impl FromStr for Grantee {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("principal", id)) => PrincipalId::new(id).map(Self::Principal),
            Some(("group", id)) => GroupId::new(id).map(Self::Group),
            Some(("role", name)) => RoleName::new(name).map(Self::Role),
            // The colon makes this one fail, with a message that shows the text.
            _ => RoleName::new(format!(":{text}")).map(Self::Role),
        }
    }
}

/// A principal has a role, or is in a group: what is granted to that one is granted to them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// Who.
    pub principal: PrincipalId,
    /// In which.
    pub of: Grantee,
}

/// What a grant gives. Written `EDIT`, `act:promote`, `DENY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Right {
    /// This permission; on models, MANAGE holds every act.
    Level(Permission),
    /// This act alone.
    Act(Act),
    /// Nothing, whatever other grants say.
    Deny,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(permission) => f.write_str(permission.as_str()),
            Self::Act(act) => write!(f, "act:{act}"),
            Self::Deny => f.write_str("DENY"),
        }
    }
}

/// The text is not a right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a right: expected NO, READ, USE, EDIT, MANAGE, DENY or act:promote|approve|deploy|publish|break-glass"
)]
pub struct RightError(String);

impl FromStr for Right {
    type Err = RightError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = match text.strip_prefix("act:") {
            Some(act) => Act::from_text(act).map(Self::Act),
            None if text.eq_ignore_ascii_case("deny") => Some(Self::Deny),
            None => text.parse().ok().map(Self::Level),
        };
        known.ok_or_else(|| RightError(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for Right {
    type Error = RightError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Right> for String {
    fn from(right: Right) -> Self {
        right.to_string()
    }
}

/// Which resources a grant or scope speaks of. Written `experiment:7`, `registered-model:fraud-*`,
/// `registered-model:*`, `ledger`; with a workspace other than the default one in front, as in `team-a/experiment:*`. It
/// never speaks of more than one workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourcePattern {
    /// The default one where the kind is in none.
    workspace: WorkspaceName,
    kind: ResourceKind,
    id: IdPattern,
}

/// Which ids of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdPattern {
    /// This one.
    Exact(String),
    /// All that begin so; the empty beginning is all.
    Prefix(String),
}

impl ResourcePattern {
    /// Exactly `resource` of `workspace`.
    #[must_use]
    pub fn exact(workspace: &WorkspaceName, resource: &Resource) -> Self {
        Self::new(workspace.clone(), resource.kind(), IdPattern::Exact(resource.id().to_owned()))
    }

    /// Everything of `kind` in `workspace`.
    #[must_use]
    pub fn any(workspace: &WorkspaceName, kind: ResourceKind) -> Self {
        let id = if kind.is_single() { IdPattern::Exact(String::new()) } else { IdPattern::Prefix(String::new()) };
        Self::new(workspace.clone(), kind, id)
    }

    fn new(workspace: WorkspaceName, kind: ResourceKind, id: IdPattern) -> Self {
        Self { workspace: if kind.is_in_workspace() { workspace } else { WorkspaceName::default() }, kind, id }
    }

    /// The same of `workspace`, where the kind is in one.
    #[must_use]
    pub fn in_workspace(self, workspace: WorkspaceName) -> Self {
        Self::new(workspace, self.kind, self.id)
    }

    /// The workspace it speaks of; the default one where the kind is in none.
    #[must_use]
    pub const fn workspace(&self) -> &WorkspaceName {
        &self.workspace
    }

    /// The kind it speaks of.
    #[must_use]
    pub const fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// The ids it speaks of.
    #[must_use]
    pub const fn id(&self) -> &IdPattern {
        &self.id
    }

    /// Whether it speaks of `resource` of `workspace`.
    #[must_use]
    pub fn matches(&self, workspace: &WorkspaceName, resource: &Resource) -> bool {
        resource.kind().spoken_of_by().contains(&self.kind)
            && (!self.kind.is_in_workspace() || self.workspace == *workspace)
            && match &self.id {
                IdPattern::Exact(id) => id == resource.id(),
                IdPattern::Prefix(prefix) => resource.id().starts_with(prefix),
            }
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.workspace.is_default() {
            write!(f, "{}/", self.workspace)?;
        }
        match &self.id {
            _ if self.kind.is_single() => f.write_str(self.kind.as_str()),
            IdPattern::Exact(id) => write!(f, "{}:{id}", self.kind),
            IdPattern::Prefix(prefix) => write!(f, "{}:{prefix}*", self.kind),
        }
    }
}

/// The text is not a resource pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a resource pattern: expected experiment:<id>, registered-model:<name>, prompt:<name>, dataset:<id>, \
     workspace:<name>, gateway-secret:<id>, gateway-model-definition:<id>, gateway-endpoint:<id>, each ending in * for all that begin so, and in another workspace than \
     the default one with its name and / in front, or server, ledger, policies, users"
)]
pub struct ResourcePatternError(String);

/// Whether a workspace's name can begin so, although it is none: `team-`.
fn begins_a_workspace(kind: ResourceKind, prefix: &str) -> bool {
    kind == ResourceKind::Workspace && WorkspaceName::new(format!("{prefix}aa")).is_ok()
}

impl FromStr for ResourcePattern {
    type Err = ResourcePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ResourcePatternError(text.chars().take(80).collect());
        let (kind, id) = text.split_once(':').map_or((text, None), |(kind, id)| (kind, Some(id)));
        // No kind, and no id, has a '/'.
        let (workspace, kind) = match kind.split_once('/') {
            Some((workspace, kind)) => (WorkspaceName::new(workspace).map_err(|_| malformed())?, kind),
            None => (WorkspaceName::default(), kind),
        };
        let kind = ResourceKind::from_text(kind).ok_or_else(malformed)?;
        if !kind.is_in_workspace() && !workspace.is_default() {
            return Err(malformed());
        }
        // What stands before the star must itself be able to begin an id; so a pattern can't be mistyped into silence.
        let valid = |id: &str| match kind {
            ResourceKind::Experiment => ExperimentId::new(id).is_ok(),
            ResourceKind::Dataset => DatasetId::new(id).is_ok(),
            ResourceKind::Workspace => WorkspaceName::new(id).is_ok(),
            ResourceKind::GatewaySecret => GatewaySecretId::new(id).is_ok(),
            ResourceKind::GatewayModelDefinition => GatewayModelDefinitionId::new(id).is_ok(),
            ResourceKind::GatewayEndpoint => GatewayEndpointId::new(id).is_ok(),
            _ => ModelName::new(id).is_ok() || id == ".",
        };
        match id {
            None | Some("*") if kind.is_single() => Ok(Self::any(&workspace, kind)),
            Some("*") => Ok(Self::any(&workspace, kind)),
            Some(id) if !kind.is_single() => match id.strip_suffix('*') {
                Some(prefix) if valid(prefix) || begins_a_workspace(kind, prefix) => {
                    Ok(Self::new(workspace, kind, IdPattern::Prefix(prefix.to_owned())))
                }
                None if valid(id) => Ok(Self::new(workspace, kind, IdPattern::Exact(id.to_owned()))),
                _ => Err(malformed()),
            },
            _ => Err(malformed()),
        }
    }
}

impl TryFrom<String> for ResourcePattern {
    type Error = ResourcePatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ResourcePattern> for String {
    fn from(pattern: ResourcePattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_round_trip_and_match() {
        for text in [
            "experiment:7",
            "experiment:*",
            "registered-model:fraud-*",
            "gateway-secret:*",
            "gateway-endpoint:e-1",
            "server",
            "ledger",
            "policies",
            "users",
            "prompt:support-*",
            "team-a/prompt:*",
            "dataset:d-1f",
            "workspace:team-*",
            "workspace:t*",
            "team-a/experiment:*",
            "team-a/registered-model:fraud-*",
        ] {
            assert_eq!(text.parse::<ResourcePattern>().unwrap().to_string(), text);
        }
        assert_eq!("default/experiment:7".parse::<ResourcePattern>().unwrap().to_string(), "experiment:7");
        let prefix: ResourcePattern = "registered-model:fraud-*".parse().unwrap();
        let (here, there) = (WorkspaceName::default(), WorkspaceName::new("team-a").unwrap());
        assert!(prefix.matches(&here, &"registered-model:fraud-eu".parse().unwrap()));
        assert!(!prefix.matches(&there, &"registered-model:fraud-eu".parse().unwrap()));
        assert!(!prefix.matches(&here, &"registered-model:fraud".parse().unwrap()));
        assert!(!prefix.matches(&here, &"experiment:fraud-eu".parse().unwrap()));
        for text in [
            "",
            "*",
            "*:*",
            "experiment",
            "experiment:",
            "experiment:a*b",
            "experiment:**",
            "server:x",
            "x:*",
            "team-a/server",
            "team-a/workspace:team-a",
            "workspace:-a*",
            "workspace:A*",
            "prompt:a/b",
            "dataset:a b",
            "*/experiment:*",
            "/experiment:7",
            "a/b/experiment:7",
        ] {
            assert!(text.parse::<ResourcePattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn rights_and_grantees_round_trip() {
        for text in ["NO", "READ", "USE", "EDIT", "MANAGE", "DENY", "act:promote", "act:publish", "act:break-glass"] {
            assert_eq!(text.parse::<Right>().unwrap().to_string(), text);
        }
        assert!("act:MANAGE".parse::<Right>().is_err());
        for text in ["principal:u1", "group:g12", "role:release-managers"] {
            assert_eq!(text.parse::<Grantee>().unwrap().to_string(), text);
        }
        for text in ["u1", "", "role:", "groups:x", "group:"] {
            assert!(text.parse::<Grantee>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_grant_is_plain_json() {
        let text = r#"{"grantee":{"role":"ops"},"pattern":"registered-model:*","right":"act:deploy"}"#;
        let grant: Grant = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&grant).unwrap(), text);
    }
}
