//! Grants: rights on patterns of resources, to users, groups and roles.

use sealyard_identity::{
    Administer, Authorized, Grant, Grantee, IdPattern, ModelName, ResourceKind, ResourcePattern, Right, RoleName,
    UserDirectory,
};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{DEFAULT_WORKSPACE, GroupRecord, RolePermissionRecord, RoleRecord, UserRecord};
use serde::Serialize;

use super::groups::find_group;
use super::permissions::PermissionLevel;
use super::roles::{MOST_PERMISSIONS, find_role};
use super::users::find;
use crate::authentication::principal_id;
use crate::tracking::entry_of;
use crate::{App, AppError, Caller};

/// Who is given a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantTo {
    /// A user, by name.
    User(String),
    /// Everybody who has the role of this number.
    Role(i64),
    /// Everybody in the group, by name: `trainers`, or `corp/trainers` for one that the provider `corp` tells of.
    Group(String),
}

/// A right to be given or taken.
#[derive(Debug, Clone)]
pub struct GrantChange {
    /// Whose it is.
    pub to: GrantTo,
    /// On what.
    pub pattern: ResourcePattern,
    /// What.
    pub right: Right,
}

/// A grant as people see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GrantSummary {
    /// `user`, `group` or `role`.
    pub kind: &'static str,
    /// The name; of a role with its workspace in front, where that is not the default one.
    pub to: String,
    /// Such as `experiment:7`.
    pub resource: String,
    /// Such as `EDIT`.
    pub right: String,
}

/// Which grants are asked for.
#[derive(Debug, Default)]
pub struct GrantFilter {
    /// Those to this user, not those of its roles.
    pub user: Option<String>,
    /// Those to the role of this number.
    pub role: Option<i64>,
    /// Those to this group.
    pub group: Option<String>,
    /// Those on exactly this.
    pub resource: Option<ResourcePattern>,
}

impl App {
    /// Gives a right, in place of a level or denial that the same user or role had on the same pattern. What the pattern names
    /// must be there, unless `absent` says that it may come later.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::NotFound`] for an unknown user or role, or a thing that is not there;
    /// [`AppError::Invalid`] for what a role can't have.
    pub async fn give(&self, caller: &Caller, change: GrantChange, absent: bool) -> Result<(), AppError> {
        let GrantChange { to, pattern, right } = change;
        let role = self.may_give(caller, &to, &pattern, right).await?;
        let who = shown(&to, role.as_ref());
        let act = Act::GrantSet { principal: who, resource: pattern.to_string(), permission: right.to_string() };
        let event = self.event(caller, Outcome::Done, act);
        self.change_grants(move |tx| {
            let grantee = to.find(tx)?;
            if !absent {
                must_be_there(tx, &pattern)?;
            }
            match (&to, in_mlflows_words(&to, &pattern, right)) {
                (GrantTo::Role(id), Some(wanted)) => put_permission(tx, *id, &wanted)?,
                _ => tx.set_grant(&Grant { grantee, pattern, right })?,
            }
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// Takes a right away.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn take(&self, caller: &Caller, change: GrantChange) -> Result<(), AppError> {
        let GrantChange { to, pattern, right } = change;
        let role = self.may_give(caller, &to, &pattern, right).await?;
        let act = Act::GrantRemoved { principal: shown(&to, role.as_ref()), resource: pattern.to_string() };
        let event = self.event(caller, Outcome::Done, act);
        self.change_grants(move |tx| {
            let grantee = to.find(tx)?;
            match (&to, in_mlflows_words(&to, &pattern, right)) {
                (GrantTo::Role(id), Some(wanted)) => {
                    let found = find_role(tx, *id)?.permissions.into_iter().find(|one| same(one, &wanted, true));
                    let found = found.ok_or_else(|| AppError::NotFound { kind: "grant", id: pattern.to_string() })?;
                    tx.remove_role_permission(found.id)?;
                }
                _ => tx.remove_grant(&Grant { grantee, pattern, right })?,
            }
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// Grants, those of roles with them.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a user or role that is asked for and not there.
    pub async fn grants(
        &self,
        _may: &Authorized<Administer, UserDirectory>,
        filter: GrantFilter,
    ) -> Result<Vec<GrantSummary>, AppError> {
        self.store().read(move |tx| listed(tx, &filter)).await
    }

    /// Users' rights take an administrator. A role's take MANAGE on its workspace, and only speak of what is in there: whoever
    /// manages a workspace hands its roles out. The right to break glass takes an administrator all the same.
    async fn may_give(
        &self,
        caller: &Caller,
        to: &GrantTo,
        pattern: &ResourcePattern,
        right: Right,
    ) -> Result<Option<RoleRecord>, AppError> {
        let GrantTo::Role(id) = to else {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
            return Ok(None);
        };
        let role = self.may_manage_role(caller, *id).await?;
        if matches!(right, Right::Act(act) if !act.is_managed()) {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
        }
        let inside = match pattern.kind() {
            ResourceKind::Workspace => *pattern.id() == IdPattern::Exact(role.workspace.clone()),
            kind => kind.is_in_workspace() && pattern.workspace().as_str() == role.workspace,
        };
        if inside {
            return Ok(Some(role));
        }
        Err(AppError::Invalid(format!(
            "the role {:?} speaks of what is in the workspace {:?} alone, and {pattern} is not; give that to users",
            role.name, role.workspace
        )))
    }
}

impl GrantTo {
    fn find(&self, tx: &mut dyn Transaction) -> Result<Grantee, AppError> {
        match self {
            Self::User(name) => Ok(Grantee::Principal(principal_id(find(tx, name)?.id)?)),
            Self::Role(id) => role_grantee(find_role(tx, *id)?.id),
            Self::Group(name) => find_group(tx, name)?.grantee().map_err(|error| AppError::internal("a group", error)),
        }
    }
}

fn role_grantee(id: i64) -> Result<Grantee, AppError> {
    let name = RoleName::new(RoleRecord::grantee_name(id));
    name.map(Grantee::Role).map_err(|error| AppError::internal("a role has no number", error))
}

fn shown(to: &GrantTo, role: Option<&RoleRecord>) -> String {
    match (to, role) {
        (GrantTo::User(name), _) => name.chars().take(128).collect(),
        (GrantTo::Group(name), _) => format!("group:{}", name.chars().take(300).collect::<String>()),
        (GrantTo::Role(_), Some(role)) => format!("role:{}", full_name(role)),
        (GrantTo::Role(id), None) => format!("role:{id}"),
    }
}

/// The name of a role, with its workspace where that is not the default one.
pub(super) fn full_name(role: &RoleRecord) -> String {
    let RoleRecord { workspace, name, .. } = role;
    if workspace == sealyard_identity::WorkspaceName::DEFAULT { name.clone() } else { format!("{workspace}/{name}") }
}

/// A role's right as MLflow's clients see it, where they have words for it.
fn in_mlflows_words(to: &GrantTo, pattern: &ResourcePattern, right: Right) -> Option<RolePermissionRecord> {
    let GrantTo::Role(role) = to else { return None };
    let resource_type = match pattern.kind() {
        ResourceKind::Experiment => "experiment",
        ResourceKind::RegisteredModel => "registered_model",
        ResourceKind::GatewaySecret => "gateway_secret",
        ResourceKind::GatewayModelDefinition => "gateway_model_definition",
        ResourceKind::GatewayEndpoint => "gateway_endpoint",
        _ => return None,
    };
    let level = match right {
        // Nothing is not a denial, and theirs is one.
        Right::Level(sealyard_identity::Permission::No) => return None,
        right => PermissionLevel::of(right)?,
    };
    let resource_pattern = match pattern.id() {
        IdPattern::Exact(id) => id.clone(),
        IdPattern::Prefix(prefix) => format!("{prefix}*"),
    };
    Some(RolePermissionRecord {
        id: 0,
        role: *role,
        resource_type: resource_type.to_owned(),
        resource_pattern,
        permission: level.as_str().to_owned(),
    })
}

fn same(one: &RolePermissionRecord, other: &RolePermissionRecord, level: bool) -> bool {
    one.resource_type == other.resource_type
        && one.resource_pattern == other.resource_pattern
        && (!level || one.permission == other.permission)
}

fn put_permission(tx: &mut dyn Transaction, role: i64, wanted: &RolePermissionRecord) -> Result<(), AppError> {
    let there = find_role(tx, role)?.permissions;
    match there.iter().find(|one| same(one, wanted, false)) {
        Some(found) => tx.update_role_permission(found.id, &wanted.permission)?,
        None if there.len() >= MOST_PERMISSIONS => {
            return Err(AppError::Invalid(format!("a role has at most {MOST_PERMISSIONS} permissions")));
        }
        None => drop(tx.add_role_permission(wanted)?),
    }
    Ok(())
}

/// A right on a thing that is not there is more often a slip than foresight. A pattern that ends in `*` is foresight.
fn must_be_there(tx: &mut dyn Transaction, pattern: &ResourcePattern) -> Result<(), AppError> {
    let IdPattern::Exact(id) = pattern.id() else { return Ok(()) };
    let workspace = pattern.workspace();
    let number = if workspace.is_default() {
        Some(DEFAULT_WORKSPACE)
    } else {
        tx.workspace_named(workspace.as_str())?.map(|found| found.number)
    };
    let number = number.ok_or_else(|| AppError::NotFound { kind: "workspace", id: workspace.to_string() })?;
    tx.enter(number);
    let (kind, there) = match pattern.kind() {
        ResourceKind::Experiment => ("experiment", tx.experiment(id)?.is_some()),
        ResourceKind::RegisteredModel => ("registered model", tx.registered_model(id)?.is_some()),
        ResourceKind::Prompt => {
            let name = ModelName::new(id.clone()).map_err(|error| AppError::Invalid(error.to_string()))?;
            ("prompt", entry_of(tx, name)?.is_prompt())
        }
        ResourceKind::Dataset => ("data set", tx.evaluation_dataset(id)?.is_some()),
        ResourceKind::Workspace => ("workspace", tx.workspace_named(id)?.is_some()),
        ResourceKind::GatewaySecret => ("GatewaySecret", tx.gateway_secret(id)?.is_some()),
        ResourceKind::GatewayModelDefinition => ("GatewayModelDefinition", tx.gateway_model_definition(id)?.is_some()),
        ResourceKind::GatewayEndpoint => ("GatewayEndpoint", tx.gateway_endpoint(id)?.is_some()),
        ResourceKind::Server | ResourceKind::Ledger | ResourceKind::Policies | ResourceKind::Users => return Ok(()),
    };
    if there { Ok(()) } else { Err(AppError::NotFound { kind, id: id.clone() }) }
}

/// All grants that `filter` asks for, with names in place of numbers.
pub(super) fn listed(tx: &mut dyn Transaction, filter: &GrantFilter) -> Result<Vec<GrantSummary>, AppError> {
    let only = match (&filter.user, filter.role, &filter.group) {
        (Some(name), None, None) => Some(GrantTo::User(name.clone()).find(tx)?),
        (None, Some(id), None) => Some(GrantTo::Role(id).find(tx)?),
        (None, None, Some(name)) => Some(GrantTo::Group(name.clone()).find(tx)?),
        (None, None, None) => None,
        _ => return Err(AppError::Invalid("grants of a user, a role or a group, not of several".into())),
    };
    let names = Names::read(tx)?;
    let asked = |grant: &Grant| {
        only.as_ref().is_none_or(|grantee| *grantee == grant.grantee)
            && filter.resource.as_ref().is_none_or(|pattern| *pattern == grant.pattern)
    };
    let mut found: Vec<_> = tx.access_rules()?.grants.into_iter().filter(asked).map(|one| names.of(&one)).collect();
    found.sort();
    Ok(found)
}

/// What numbers in grants are called.
pub(super) struct Names {
    users: Vec<UserRecord>,
    roles: Vec<RoleRecord>,
    groups: Vec<GroupRecord>,
}

impl Names {
    pub(super) fn read(tx: &mut dyn Transaction) -> Result<Self, AppError> {
        Ok(Self { users: tx.users()?, roles: tx.roles(None)?, groups: tx.groups()? })
    }

    /// What the grantee is, and its name; a number that nobody has any more stays one.
    pub(super) fn grantee(&self, grantee: &Grantee) -> (&'static str, String) {
        match grantee {
            Grantee::Principal(id) => {
                let user = self.users.iter().find(|user| user.principal_id() == id.as_str());
                ("user", user.map_or_else(|| id.to_string(), |user| user.name.clone()))
            }
            Grantee::Role(name) => {
                let role = self.roles.iter().find(|role| RoleRecord::grantee_name(role.id) == name.as_str());
                ("role", role.map_or_else(|| name.to_string(), full_name))
            }
            Grantee::Group(id) => {
                let group = self.groups.iter().find(|group| group.grantee().is_ok_and(|one| one == *grantee));
                ("group", group.map_or_else(|| id.to_string(), GroupRecord::shown))
            }
        }
    }

    fn of(&self, grant: &Grant) -> GrantSummary {
        let (kind, to) = self.grantee(&grant.grantee);
        GrantSummary { kind, to, resource: grant.pattern.to_string(), right: grant.right.to_string() }
    }
}
