use sealyard_store::model::{RoleMember, RolePermissionRecord, RoleRecord};
use serde::Serialize;

/// A role of an answer.
#[derive(Debug, Serialize)]
pub(super) struct RoleView {
    id: i64,
    name: String,
    workspace: String,
    description: Option<String>,
    permissions: Vec<PermissionView>,
}

impl From<RoleRecord> for RoleView {
    fn from(role: RoleRecord) -> Self {
        let RoleRecord { id, workspace, name, description, permissions } = role;
        Self { id, name, workspace, description, permissions: permissions.into_iter().map(Into::into).collect() }
    }
}

/// A right of a role.
#[derive(Debug, Serialize)]
pub(super) struct PermissionView {
    id: i64,
    role_id: i64,
    resource_type: String,
    resource_pattern: String,
    permission: String,
}

impl From<RolePermissionRecord> for PermissionView {
    fn from(permission: RolePermissionRecord) -> Self {
        let RolePermissionRecord { id, role, resource_type, resource_pattern, permission } = permission;
        Self { id, role_id: role, resource_type, resource_pattern, permission }
    }
}

/// Who has a role.
#[derive(Debug, Serialize)]
pub(super) struct MemberView {
    id: i64,
    user_id: i64,
    role_id: i64,
}

impl From<RoleMember> for MemberView {
    fn from(member: RoleMember) -> Self {
        Self { id: member.id, user_id: member.user, role_id: member.role }
    }
}

/// `{"role": …}`.
#[derive(Debug, Serialize)]
pub(super) struct RoleResponse {
    role: RoleView,
}

impl From<RoleRecord> for RoleResponse {
    fn from(role: RoleRecord) -> Self {
        Self { role: role.into() }
    }
}

/// `{"roles": […]}`.
#[derive(Debug, Serialize)]
pub(super) struct RolesResponse {
    roles: Vec<RoleView>,
}

impl From<Vec<RoleRecord>> for RolesResponse {
    fn from(roles: Vec<RoleRecord>) -> Self {
        Self { roles: roles.into_iter().map(RoleView::from).collect() }
    }
}
