use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::permission::Permission;
use crate::resource::{
    DatasetId, ExperimentId, GatewayEndpointId, GatewayModelDefinitionId, GatewaySecretId, LedgerLog, PolicySet,
    ProtectedResource, RegistryEntry, ServerWide, UserDirectory, WorkspaceName,
};

/// What can be done to a registered model beyond editing it. Each is granted by MANAGE or by name; breaking glass by name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Set an alias that the policy protects.
    Promote,
    /// Sign an approval.
    Approve,
    /// Ask the deployment gate.
    Deploy,
    /// Ask the publish gate.
    Publish,
    /// Set a protected alias or deploy although the gate's rules are not content.
    BreakGlass,
}

impl Act {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Promote, Self::Approve, Self::Deploy, Self::Publish, Self::BreakGlass];

    /// Whether MANAGE on a model gives it too. What is meant for emergencies is given to people by name.
    #[must_use]
    pub const fn is_managed(self) -> bool {
        !matches!(self, Self::BreakGlass)
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Approve => "approve",
            Self::Deploy => "deploy",
            Self::Publish => "publish",
            Self::BreakGlass => "break-glass",
        }
    }

    /// From what [`Self::as_str`] gives.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == text)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An action as a value, for explanations and refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// Takes at least this permission.
    Level(Permission),
    /// Takes MANAGE or the act's own grant.
    Act(Act),
    /// Takes an administrator, or MANAGE on the directory of users.
    Provision,
    /// Takes an administrator.
    Administer,
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Level(Permission::No) => "no",
            Self::Level(Permission::Read) => "read",
            Self::Level(Permission::Use) => "use",
            Self::Level(Permission::Edit) => "edit",
            Self::Level(Permission::Manage) => "manage",
            Self::Act(act) => act.as_str(),
            Self::Provision => "provision",
            Self::Administer => "administer",
        })
    }
}

/// The text is not an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an action: expected read, use, edit, manage, promote, approve, deploy, publish, break-glass, provision or administer"
)]
pub struct ActionError(String);

impl FromStr for ActionKind {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = match text {
            "read" => Some(Self::Level(Permission::Read)),
            "use" => Some(Self::Level(Permission::Use)),
            "edit" => Some(Self::Level(Permission::Edit)),
            "manage" => Some(Self::Level(Permission::Manage)),
            "provision" => Some(Self::Provision),
            "administer" => Some(Self::Administer),
            _ => Act::from_text(text).map(Self::Act),
        };
        known.ok_or_else(|| ActionError(text.chars().take(80).collect()))
    }
}

mod sealed {
    /// Only this crate says what an action takes.
    pub trait Sealed {}
}

/// Something that can be done, as a type, so that the compiler tells an editor's proof from a reader's.
pub trait Action: sealed::Sealed + Copy + fmt::Debug + Send + Sync {
    /// The action as a value.
    const KIND: ActionKind;
}

/// Says that the action makes sense on `R`.
pub trait ActsOn<R: ProtectedResource>: Action {}

/// Says that whoever may do this may also do `Weaker`.
pub trait Implies<Weaker: Action>: Action {}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $kind:expr, on [$($resource:ty),*], implies [$($weaker:ty),*];)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl sealed::Sealed for $name {}

        impl Action for $name {
            const KIND: ActionKind = $kind;
        }

        $(impl ActsOn<$resource> for $name {})*
        $(impl Implies<$weaker> for $name {})*
    )*};
}

actions! {
    /// See and download.
    Read = ActionKind::Level(Permission::Read),
        on [ExperimentId, RegistryEntry, DatasetId, WorkspaceName, GatewaySecretId, GatewayModelDefinitionId, GatewayEndpointId, ServerWide, LedgerLog, PolicySet, UserDirectory], implies [];
    /// Load, serve, query.
    Use = ActionKind::Level(Permission::Use),
        on [ExperimentId, RegistryEntry, DatasetId, WorkspaceName, GatewaySecretId, GatewayModelDefinitionId, GatewayEndpointId, ServerWide, LedgerLog, PolicySet, UserDirectory], implies [Read];
    /// Change and add.
    Edit = ActionKind::Level(Permission::Edit),
        on [ExperimentId, RegistryEntry, DatasetId, WorkspaceName, GatewaySecretId, GatewayModelDefinitionId, GatewayEndpointId, ServerWide, LedgerLog, PolicySet, UserDirectory], implies [Read, Use];
    /// Delete and grant to others.
    Manage = ActionKind::Level(Permission::Manage),
        on [ExperimentId, RegistryEntry, DatasetId, WorkspaceName, GatewaySecretId, GatewayModelDefinitionId, GatewayEndpointId, ServerWide, LedgerLog, PolicySet, UserDirectory], implies [Read, Use, Edit];
    /// Set a protected alias.
    Promote = ActionKind::Act(Act::Promote), on [RegistryEntry], implies [];
    /// Sign an approval.
    Approve = ActionKind::Act(Act::Approve), on [RegistryEntry], implies [];
    /// Ask the deployment gate.
    Deploy = ActionKind::Act(Act::Deploy), on [RegistryEntry], implies [];
    /// Ask the publish gate.
    Publish = ActionKind::Act(Act::Publish), on [RegistryEntry], implies [];
    /// Set a protected alias or deploy although the gate's rules are not content.
    BreakGlass = ActionKind::Act(Act::BreakGlass), on [RegistryEntry], implies [];
    /// Make, change and disable users and groups that are no administrators, as a directory does.
    Provision = ActionKind::Provision, on [UserDirectory], implies [];
    /// What no grant gives: only administrators, and only with an unlimited credential.
    Administer = ActionKind::Administer, on [ServerWide, LedgerLog, PolicySet, UserDirectory], implies [];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_round_trip() {
        for text in [
            "read",
            "use",
            "edit",
            "manage",
            "promote",
            "approve",
            "deploy",
            "publish",
            "break-glass",
            "provision",
            "administer",
        ] {
            assert_eq!(text.parse::<ActionKind>().unwrap().to_string(), text);
        }
        assert!("no".parse::<ActionKind>().is_err());
    }
}
