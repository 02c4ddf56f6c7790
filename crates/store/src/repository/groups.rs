use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{ExternalIdentityRecord, GroupRecord, GroupRole};

type Result<T> = std::result::Result<T, StoreError>;

/// Groups, who is in them, the roles they have, and whom providers of identities mean.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Groups {
    fn create_group(&mut self, source: &str, name: &str, now: Timestamp) -> Result<GroupRecord>;
    fn group(&mut self, id: i64) -> Result<Option<GroupRecord>>;
    fn group_named(&mut self, source: &str, name: &str) -> Result<Option<GroupRecord>>;
    /// By source and name.
    fn groups(&mut self) -> Result<Vec<GroupRecord>>;
    fn rename_group(&mut self, id: i64, name: &str) -> Result<()>;
    /// With what was granted to it.
    fn delete_group(&mut self, id: i64) -> Result<()>;

    /// Gives whether they were not in it.
    fn add_group_member(&mut self, group: i64, user: i64) -> Result<bool>;
    /// Gives whether they were in it.
    fn remove_group_member(&mut self, group: i64, user: i64) -> Result<bool>;
    /// Numbers of users.
    fn group_members(&mut self, group: i64) -> Result<Vec<i64>>;
    fn groups_of(&mut self, user: i64) -> Result<Vec<GroupRecord>>;

    fn group_roles(&mut self) -> Result<Vec<GroupRole>>;
    /// Gives whether it had it not.
    fn add_group_role(&mut self, role: &GroupRole) -> Result<bool>;
    /// Gives whether it had it.
    fn remove_group_role(&mut self, role: &GroupRole) -> Result<bool>;

    fn external_identity(&mut self, provider: &str, subject: &str) -> Result<Option<ExternalIdentityRecord>>;
    fn external_identities_of(&mut self, user: i64) -> Result<Vec<ExternalIdentityRecord>>;
    /// What is there of the same provider and subject stays as it is, and is an error.
    fn create_external_identity(&mut self, identity: &ExternalIdentityRecord) -> Result<()>;
    fn external_identity_seen(&mut self, provider: &str, subject: &str, at: Timestamp) -> Result<()>;
    /// Gives whether there was one.
    fn remove_external_identity(&mut self, provider: &str, subject: &str) -> Result<bool>;
}
