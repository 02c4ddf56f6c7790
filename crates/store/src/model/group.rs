use sealyard_core::Timestamp;
use sealyard_identity::{Grantee, GroupId, IdentifierError};

/// Some accounts under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// Its number, never reused.
    pub id: i64,
    /// Who says who is in it: a provider of identities by its name in the settings; empty for this server.
    pub source: String,
    /// What its source calls it, unique there.
    pub name: String,
}

impl GroupRecord {
    /// The source of groups that are made on this server.
    pub const LOCAL: &'static str = "";

    /// What grants call it: it outlives a rename and is never reused.
    ///
    /// # Errors
    /// None for a number.
    pub fn grantee(&self) -> Result<Grantee, IdentifierError> {
        Self::grantee_of(self.id)
    }

    /// What grants call the group of this number.
    ///
    /// # Errors
    /// None for a number.
    pub fn grantee_of(id: i64) -> Result<Grantee, IdentifierError> {
        GroupId::new(format!("g{id}")).map(Grantee::Group)
    }

    /// As people write it: `trainers`, or `corp/trainers` for one that the provider `corp` tells of.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.source == Self::LOCAL { self.name.clone() } else { format!("{}/{}", self.source, self.name) }
    }
}

/// A role that all of a group have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupRole {
    /// The group's number.
    pub group: i64,
    /// The role's.
    pub role: i64,
    /// Whether the settings say so, and not somebody.
    pub declared: bool,
}

/// Whom a provider of identities means by its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentityRecord {
    /// The provider, by its name in the settings.
    pub provider: String,
    /// What it calls them, for ever.
    pub subject: String,
    /// Who they are here, by number.
    pub user: i64,
    /// When they came first.
    pub created: Timestamp,
    /// When they came last.
    pub seen: Timestamp,
}
