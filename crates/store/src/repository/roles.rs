use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{AccessRules, RoleMember, RolePermissionRecord, RoleRecord};

type Result<T> = std::result::Result<T, StoreError>;

/// Roles, what they give and who has them.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Roles {
    fn create_role(
        &mut self,
        workspace: &str,
        name: &str,
        description: Option<&str>,
        now: Timestamp,
    ) -> Result<RoleRecord>;
    fn role(&mut self, id: i64) -> Result<Option<RoleRecord>>;
    /// By number; of one workspace, or of all.
    fn roles(&mut self, workspace: Option<&str>) -> Result<Vec<RoleRecord>>;
    fn update_role(&mut self, id: i64, name: &str, description: Option<&str>) -> Result<()>;
    /// With its permissions and members, and the grants to it.
    fn delete_role(&mut self, id: i64) -> Result<()>;

    /// The record's id is ignored; the new one is in the answer.
    fn add_role_permission(&mut self, permission: &RolePermissionRecord) -> Result<RolePermissionRecord>;
    fn role_permission(&mut self, id: i64) -> Result<Option<RolePermissionRecord>>;
    fn update_role_permission(&mut self, id: i64, permission: &str) -> Result<()>;
    fn remove_role_permission(&mut self, id: i64) -> Result<()>;

    fn assign_role(&mut self, user: i64, role: i64) -> Result<RoleMember>;
    fn unassign_role(&mut self, user: i64, role: i64) -> Result<()>;
    fn role_members(&mut self, role: i64) -> Result<Vec<RoleMember>>;
    fn roles_of(&mut self, user: i64) -> Result<Vec<RoleRecord>>;

    /// Grants and memberships, those of roles with them. One that can't be read is an error, so that no denial is lost.
    fn access_rules(&mut self) -> Result<AccessRules>;
}
