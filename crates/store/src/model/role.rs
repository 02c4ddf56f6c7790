use sealyard_identity::{
    Grant, Grantee, Membership, Permission, Resource, ResourceKind, ResourcePattern, Right, RoleName, WorkspaceName,
};

/// A name for a set of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRecord {
    /// Its number, never reused.
    pub id: i64,
    /// The workspace it belongs to.
    pub workspace: String,
    /// Its name, unique in the workspace.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// What it gives.
    pub permissions: Vec<RolePermissionRecord>,
}

impl RoleRecord {
    /// What grants and memberships call the role: it outlives a rename and is never reused.
    #[must_use]
    pub fn grantee_name(id: i64) -> String {
        format!("r{id}")
    }
}

/// One right of a role, in MLflow's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePermissionRecord {
    /// Its number, never reused.
    pub id: i64,
    /// The role's.
    pub role: i64,
    /// `experiment`, `registered_model`, `workspace`, …
    pub resource_type: String,
    /// An id, a name, or `*`.
    pub resource_pattern: String,
    /// `READ`, `USE`, `EDIT`, `MANAGE` or `NO_PERMISSIONS`.
    pub permission: String,
}

impl RolePermissionRecord {
    /// The grants it amounts to, for a role of `workspace`: on things of that workspace and no other. `None` when it can't be
    /// read. `NO_PERMISSIONS` denies. What this server has no such thing of, such as a gateway's endpoints, gives nothing.
    #[must_use]
    pub fn grants(&self, workspace: &str) -> Option<Vec<Grant>> {
        let grantee = Grantee::Role(RoleName::new(RoleRecord::grantee_name(self.role)).ok()?);
        let right = right(&self.permission)?;
        let workspace = WorkspaceName::new(workspace).ok()?;
        let pattern = |kind: ResourceKind| {
            let named: ResourcePattern = format!("{kind}:{}", self.resource_pattern).parse().ok()?;
            Some(named.in_workspace(workspace.clone()))
        };
        let patterns: Vec<ResourcePattern> = match self.resource_type.as_str() {
            "experiment" => vec![pattern(ResourceKind::Experiment)?],
            "registered_model" => vec![pattern(ResourceKind::RegisteredModel)?],
            "gateway_secret" => vec![pattern(ResourceKind::GatewaySecret)?],
            "gateway_model_definition" => vec![pattern(ResourceKind::GatewayModelDefinition)?],
            "gateway_endpoint" => vec![pattern(ResourceKind::GatewayEndpoint)?],
            "workspace" => {
                let mut all = vec![ResourcePattern::exact(&workspace, &Resource::Workspace(workspace.clone()))];
                let kinds = [
                    ResourceKind::Experiment,
                    ResourceKind::RegisteredModel,
                    ResourceKind::GatewaySecret,
                    ResourceKind::GatewayModelDefinition,
                    ResourceKind::GatewayEndpoint,
                ];
                all.extend(kinds.map(|kind| ResourcePattern::any(&workspace, kind)));
                all
            }
            _ => Vec::new(),
        };
        Some(patterns.into_iter().map(|pattern| Grant { grantee: grantee.clone(), pattern, right }).collect())
    }
}

/// MLflow's permission as a right: `NO_PERMISSIONS` is not merely nothing, it takes away what others give.
fn right(permission: &str) -> Option<Right> {
    match permission.parse().ok()? {
        Permission::No => Some(Right::Deny),
        level => Some(Right::Level(level)),
    }
}

/// A user has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleMember {
    /// Its number, never reused.
    pub id: i64,
    /// The user's number.
    pub user: i64,
    /// The role's.
    pub role: i64,
}

/// Everything that the authorizer decides by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRules {
    /// Grants to users, and those that roles' permissions amount to.
    pub grants: Vec<Grant>,
    /// Who has which role.
    pub memberships: Vec<Membership>,
}
