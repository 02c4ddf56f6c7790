use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much of a resource someone may touch. Each level holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Permission {
    /// Nothing; what everybody has until somebody grants more.
    No,
    /// See and download.
    Read,
    /// Also put to use: load, serve, query.
    Use,
    /// Also change and add.
    Edit,
    /// Also delete, grant to others, and every act on a model.
    Manage,
}

impl Permission {
    /// As it is written: `NO`, `READ`, `USE`, `EDIT`, `MANAGE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "NO",
            Self::Read => "READ",
            Self::Use => "USE",
            Self::Edit => "EDIT",
            Self::Manage => "MANAGE",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a permission: expected NO, READ, USE, EDIT or MANAGE")]
pub struct PermissionError(String);

impl FromStr for Permission {
    type Err = PermissionError;

    /// In capitals or small letters; MLflow's `NO_PERMISSIONS` is `NO`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "NO" | "no" | "NO_PERMISSIONS" => Ok(Self::No),
            "READ" | "read" => Ok(Self::Read),
            "USE" | "use" => Ok(Self::Use),
            "EDIT" | "edit" => Ok(Self::Edit),
            "MANAGE" | "manage" => Ok(Self::Manage),
            _ => Err(PermissionError(text.chars().take(80).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_round_trip() {
        let all = [Permission::No, Permission::Read, Permission::Use, Permission::Edit, Permission::Manage];
        assert!(all.is_sorted());
        for permission in all {
            assert_eq!(permission.to_string().parse(), Ok(permission));
            assert_eq!(serde_json::to_string(&permission).unwrap(), format!("\"{permission}\""));
        }
        assert!("Admin".parse::<Permission>().is_err());
    }
}
