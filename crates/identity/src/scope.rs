use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::{Act, ActionKind};
use crate::grant::ResourcePattern;
use crate::permission::Permission;
use crate::resource::{Resource, ResourceKind, WorkspaceName};

/// What a token may do at most; never more than its owner may.
///
/// Written `all`, `read`, `scim`, or a resource pattern and a level or act: `experiment:7:edit`,
/// `registered-model:fraud-*:promote`, `ledger:read`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// As much as the owner.
    All,
    /// READ wherever the owner has it.
    Read,
    /// Provisioning users and groups, and nothing else.
    Scim,
    /// This level, on these resources.
    Level(ResourcePattern, Permission),
    /// This act, on these resources.
    Act(ResourcePattern, Act),
}

impl Scope {
    /// Whether `action` on `resource` of `workspace` is within it.
    #[must_use]
    pub fn covers(&self, action: ActionKind, workspace: &WorkspaceName, resource: &Resource) -> bool {
        match (self, action) {
            (Self::All, _) => true,
            (Self::Read, ActionKind::Level(needed)) => needed <= Permission::Read,
            (Self::Level(pattern, level), ActionKind::Level(needed)) => {
                needed <= *level && pattern.matches(workspace, resource)
            }
            (Self::Scim, ActionKind::Provision) => true,
            (Self::Level(pattern, Permission::Manage), ActionKind::Act(act)) => {
                act.is_managed() && pattern.matches(workspace, resource)
            }
            (Self::Act(pattern, act), ActionKind::Act(needed)) => {
                needed == *act && pattern.matches(workspace, resource)
            }
            // Administering always takes `all`: it is the one action that could widen the token itself.
            _ => false,
        }
    }
}

impl Scope {
    /// Whether it speaks of prompts alone.
    pub(crate) fn speaks_of_prompts(&self) -> bool {
        matches!(self, Self::Level(pattern, _) | Self::Act(pattern, _) if pattern.kind() == ResourceKind::Prompt)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Read => f.write_str("read"),
            Self::Scim => f.write_str("scim"),
            Self::Level(pattern, level) => write!(f, "{pattern}:{}", level.as_str().to_ascii_lowercase()),
            Self::Act(pattern, act) => write!(f, "{pattern}:{act}"),
        }
    }
}

/// The text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a scope: expected all, read, scim, or <resource>:<level or act> such as experiment:7:edit or \
     registered-model:fraud-*:promote"
)]
pub struct ScopeError(String);

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ScopeError(text.chars().take(80).collect());
        match text {
            "all" => return Ok(Self::All),
            "read" => return Ok(Self::Read),
            "scim" => return Ok(Self::Scim),
            _ => {}
        }
        let (pattern, right) = text.rsplit_once(':').ok_or_else(malformed)?;
        let pattern = pattern.parse::<ResourcePattern>().map_err(|_| malformed())?;
        match right.parse::<ActionKind>().map_err(|_| malformed())? {
            ActionKind::Level(level) => Ok(Self::Level(pattern, level)),
            ActionKind::Act(act) => Ok(Self::Act(pattern, act)),
            ActionKind::Provision | ActionKind::Administer => Err(malformed()),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: ActionKind = ActionKind::Level(Permission::Edit);
    const READ: ActionKind = ActionKind::Level(Permission::Read);

    #[test]
    fn scopes_round_trip() {
        for text in [
            "all",
            "read",
            "scim",
            "experiment:7:edit",
            "registered-model:fraud-*:promote",
            "ledger:read",
            "experiment:*:read",
        ] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in
            ["", "edit", "ALL", "experiment:7", "experiment:7:no", "server:administer", "*:edit", ":edit", "a:b:c:d"]
        {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_scope_covers_no_more_than_it_says() {
        let seven: Resource = "experiment:7".parse().unwrap();
        let model: Resource = "registered-model:m".parse().unwrap();
        let scope: Scope = "experiment:7:edit".parse().unwrap();
        assert!(
            scope.covers(EDIT, &WorkspaceName::default(), &seven)
                && scope.covers(READ, &WorkspaceName::default(), &seven)
        );
        assert!(!scope.covers(ActionKind::Level(Permission::Manage), &WorkspaceName::default(), &seven));
        assert!(!scope.covers(READ, &WorkspaceName::default(), &"experiment:77".parse().unwrap()));
        assert!(!scope.covers(READ, &WorkspaceName::default(), &model));
        assert!(
            Scope::Read.covers(READ, &WorkspaceName::default(), &model)
                && !Scope::Read.covers(EDIT, &WorkspaceName::default(), &model)
        );
        let promote: Scope = "registered-model:m:promote".parse().unwrap();
        assert!(promote.covers(ActionKind::Act(Act::Promote), &WorkspaceName::default(), &model));
        assert!(
            !promote.covers(ActionKind::Act(Act::Deploy), &WorkspaceName::default(), &model)
                && !promote.covers(READ, &WorkspaceName::default(), &model)
        );
        let edit: Scope = "registered-model:m:edit".parse().unwrap();
        assert!(
            edit.covers(EDIT, &WorkspaceName::default(), &model)
                && !edit.covers(ActionKind::Act(Act::Promote), &WorkspaceName::default(), &model)
        );
        let manage: Scope = "registered-model:m:manage".parse().unwrap();
        assert!(manage.covers(ActionKind::Act(Act::Deploy), &WorkspaceName::default(), &model));
        assert!(!manage.covers(ActionKind::Act(Act::BreakGlass), &WorkspaceName::default(), &model));
        let glass: Scope = "registered-model:m:break-glass".parse().unwrap();
        assert!(glass.covers(ActionKind::Act(Act::BreakGlass), &WorkspaceName::default(), &model));
        assert!(Scope::Scim.covers(ActionKind::Provision, &WorkspaceName::default(), &Resource::Users));
        for action in [READ, EDIT, ActionKind::Administer, ActionKind::Act(Act::Deploy)] {
            for resource in [&model, &Resource::Users, &Resource::Server] {
                assert!(!Scope::Scim.covers(action, &WorkspaceName::default(), resource), "{action} {resource}");
            }
        }
        let server: Scope = "server:manage".parse().unwrap();
        assert!(!server.covers(ActionKind::Administer, &WorkspaceName::default(), &Resource::Server));
        assert!(Scope::All.covers(ActionKind::Administer, &WorkspaceName::default(), &Resource::Server));
    }
}
