//! Roles: sets of rights with a name, managed by administrators and by whoever may MANAGE the workspace.

use sealyard_identity::{
    Action, ActsOn, Administer, Grant, Grantee, Manage, Read, Right, RoleName, UserDirectory, WorkspaceName,
};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{RoleMember, RolePermissionRecord, RoleRecord};

use super::permissions::PermissionLevel;
use super::users::{find, is_itself};
use crate::{App, AppError, Caller};

const NAME_CHARS: usize = 128;
const DESCRIPTION_CHARS: usize = 1000;
const PATTERN_CHARS: usize = 255;
const MOST_ROLES: usize = 1000;
pub(super) const MOST_PERMISSIONS: usize = 1000;
/// MLflow's kinds of resources, in the order it lists them.
const RESOURCE_TYPES: [&str; 7] = [
    "experiment",
    "gateway_endpoint",
    "gateway_model_definition",
    "gateway_secret",
    "registered_model",
    "scorer",
    "workspace",
];

/// A right to be added to a role.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewRolePermission {
    pub resource_type: String,
    pub resource_pattern: String,
    pub permission: String,
}

/// What changes of a role; `None` leaves it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct RoleChange {
    pub name: Option<String>,
    pub description: Option<String>,
}

impl App {
    /// Makes a role.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn create_role(
        &self,
        caller: &Caller,
        workspace: &str,
        name: &str,
        description: Option<String>,
    ) -> Result<RoleRecord, AppError> {
        self.may_manage_roles(caller, workspace).await?;
        check_name(name)?;
        description.as_deref().map_or(Ok(()), check_description)?;
        let (workspace, name, now) = (workspace.to_owned(), name.to_owned(), self.now());
        let act = Act::RoleCreated { id: 0, workspace: workspace.clone(), name: name.clone() };
        let event = self.event(caller, Outcome::Done, act);
        self.change_grants(move |tx| {
            if tx.roles(Some(&workspace))?.len() >= MOST_ROLES {
                return Err(AppError::Invalid(format!("a workspace has at most {MOST_ROLES} roles")));
            }
            let role = tx.create_role(&workspace, &name, description.as_deref(), now)?;
            let act = Act::RoleCreated { id: role.id, workspace, name };
            tx.record(&Event { act, ..event })?;
            Ok(role)
        })
        .await
    }

    /// The role.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn role(&self, caller: &Caller, id: i64) -> Result<RoleRecord, AppError> {
        self.visible_role(caller, Read, id).await
    }

    /// Roles of a workspace; of all of them for administrators.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn roles(&self, caller: &Caller, workspace: Option<String>) -> Result<Vec<RoleRecord>, AppError> {
        match &workspace {
            Some(workspace) => self.may_see_roles(caller, workspace).await?,
            None => {
                let _may = self.authorize(caller, Administer, UserDirectory).await?;
            }
        }
        self.store().read(move |tx| Ok::<_, AppError>(tx.roles(workspace.as_deref())?)).await
    }

    /// Changes a role's name or description.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn update_role(&self, caller: &Caller, id: i64, change: RoleChange) -> Result<RoleRecord, AppError> {
        self.may_manage_role(caller, id).await?;
        if change.name.is_none() && change.description.is_none() {
            let text = "At least one of 'name' or 'description' must be provided to update a role.";
            return Err(AppError::Invalid(text.to_owned()));
        }
        change.name.as_deref().map_or(Ok(()), check_name)?;
        change.description.as_deref().map_or(Ok(()), check_description)?;
        let event = self.role_updated(caller, id, "name or description");
        self.change_grants(move |tx| {
            let role = find_role(tx, id)?;
            let name = change.name.unwrap_or(role.name);
            let description = change.description.or(role.description);
            tx.update_role(id, &name, description.as_deref())?;
            tx.record(&event)?;
            find_role(tx, id)
        })
        .await
    }

    /// Deletes a role; whoever had it has its rights no more.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn delete_role(&self, caller: &Caller, id: i64) -> Result<(), AppError> {
        let role = self.may_manage_role(caller, id).await?;
        let event = self.event(caller, Outcome::Done, Act::RoleDeleted { id, name: role.name });
        self.change_grants(move |tx| {
            tx.delete_role(id)?;
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// Adds a right to a role.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn add_role_permission(
        &self,
        caller: &Caller,
        role: i64,
        new: NewRolePermission,
    ) -> Result<RolePermissionRecord, AppError> {
        let workspace = self.may_manage_role(caller, role).await?.workspace;
        let record = RolePermissionRecord {
            id: 0,
            role,
            resource_type: new.resource_type,
            resource_pattern: new.resource_pattern,
            permission: PermissionLevel::parse(&new.permission)?.as_str().to_owned(),
        };
        check_permission(&record, &workspace)?;
        let change = format!("{} on {}:{}", record.permission, record.resource_type, record.resource_pattern);
        let event = self.role_updated(caller, role, &change);
        self.change_grants(move |tx| {
            if find_role(tx, role)?.permissions.len() >= MOST_PERMISSIONS {
                return Err(AppError::Invalid(format!("a role has at most {MOST_PERMISSIONS} permissions")));
            }
            let made = tx.add_role_permission(&record)?;
            tx.record(&event)?;
            Ok(made)
        })
        .await
    }

    /// Changes how much a right of a role gives.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn update_role_permission(
        &self,
        caller: &Caller,
        id: i64,
        permission: &str,
    ) -> Result<RolePermissionRecord, AppError> {
        let before = self.managed_role_permission(caller, id).await?;
        let permission = PermissionLevel::parse(permission)?.as_str();
        let change = format!("{permission} on {}:{}", before.resource_type, before.resource_pattern);
        let event = self.role_updated(caller, before.role, &change);
        self.change_grants(move |tx| {
            tx.update_role_permission(id, permission)?;
            tx.record(&event)?;
            tx.role_permission(id)?.ok_or_else(|| missing("role permission", id))
        })
        .await
    }

    /// Takes a right from a role.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn remove_role_permission(&self, caller: &Caller, id: i64) -> Result<(), AppError> {
        let before = self.managed_role_permission(caller, id).await?;
        let change = format!("nothing on {}:{}", before.resource_type, before.resource_pattern);
        let event = self.role_updated(caller, before.role, &change);
        self.change_grants(move |tx| {
            tx.remove_role_permission(id)?;
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// Gives a role to a user.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::AlreadyExists`].
    pub async fn assign_role(&self, caller: &Caller, user: &str, role: i64) -> Result<RoleMember, AppError> {
        self.may_manage_role(caller, role).await?;
        let event = self.event(caller, Outcome::Done, Act::RoleAssigned { id: role, user: shown(user) });
        let (user, administers) = (user.to_owned(), self.may(caller, Administer, UserDirectory));
        self.change_grants(move |tx| {
            if !administers && gives_more_than_managing(tx, role)? {
                return Err(AppError::Denied {
                    rule: "authorization",
                    action: "administer".to_owned(),
                    resource: format!("role:{role}, which gives what MANAGE does not"),
                });
            }
            let user = find(tx, &user)?;
            let member = tx.assign_role(user.id, role)?;
            tx.record(&event)?;
            Ok(member)
        })
        .await
    }

    /// Takes a role from a user.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn unassign_role(&self, caller: &Caller, user: &str, role: i64) -> Result<(), AppError> {
        self.may_manage_role(caller, role).await?;
        let event = self.event(caller, Outcome::Done, Act::RoleUnassigned { id: role, user: shown(user) });
        let user = user.to_owned();
        self.change_grants(move |tx| {
            let user = find(tx, &user)?;
            tx.unassign_role(user.id, role)?;
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// Who has the role.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn role_members(&self, caller: &Caller, role: i64) -> Result<Vec<RoleMember>, AppError> {
        self.may_manage_role(caller, role).await?;
        self.store().read(move |tx| Ok::<_, AppError>(tx.role_members(role)?)).await
    }

    /// A user's roles: all of them for the user itself and administrators, and for others those of workspaces that they may
    /// MANAGE. Where that is none of them, it is denied.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn roles_of(&self, caller: &Caller, user: &str) -> Result<Vec<RoleRecord>, AppError> {
        let all = is_itself(caller, user) || self.may(caller, Administer, UserDirectory);
        let user = user.to_owned();
        let found = self
            .store()
            .read(move |tx| {
                let user = find(tx, &user)?;
                Ok::<_, AppError>(tx.roles_of(user.id)?)
            })
            .await;
        let denied = async || self.authorize(caller, Administer, UserDirectory).await.map(|_| Vec::new());
        match found {
            Ok(roles) if all => Ok(roles),
            Ok(roles) => {
                let seen = |role: &RoleRecord| {
                    WorkspaceName::new(role.workspace.as_str()).is_ok_and(|name| self.may(caller, Manage, name))
                };
                let seen: Vec<_> = roles.into_iter().filter(seen).collect();
                if seen.is_empty() { denied().await } else { Ok(seen) }
            }
            // Whether there is such a user is not for everybody to know.
            Err(AppError::NotFound { kind, id }) if all => Err(AppError::NotFound { kind, id }),
            Err(AppError::NotFound { .. }) => denied().await,
            Err(error) => Err(error),
        }
    }

    async fn may_manage_roles(&self, caller: &Caller, workspace: &str) -> Result<(), AppError> {
        let name = workspace_name(workspace)?;
        if !self.may(caller, Administer, UserDirectory) {
            let _may = self.authorize(caller, Manage, name).await?;
        }
        Ok(())
    }

    async fn may_see_roles(&self, caller: &Caller, workspace: &str) -> Result<(), AppError> {
        let name = workspace_name(workspace)?;
        if !self.may(caller, Administer, UserDirectory) {
            let _may = self.authorize(caller, Read, name).await?;
        }
        Ok(())
    }

    pub(super) async fn may_manage_role(&self, caller: &Caller, id: i64) -> Result<RoleRecord, AppError> {
        self.visible_role(caller, Manage, id).await
    }

    /// The role of this id, of whose workspace the caller has a right. A role that they may not touch and one that is not there are
    /// one answer; only administrators learn that there is none.
    async fn visible_role<A>(&self, caller: &Caller, action: A, id: i64) -> Result<RoleRecord, AppError>
    where
        A: ActsOn<WorkspaceName>,
    {
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.role(id)?)).await?;
        let found = found.map(|role| (role.workspace.clone(), role));
        self.visible_of_workspace(caller, action, found, ("role", id)).await
    }

    async fn visible_of_workspace<A, T>(
        &self,
        caller: &Caller,
        action: A,
        found: Option<(String, T)>,
        (kind, id): (&'static str, i64),
    ) -> Result<T, AppError>
    where
        A: ActsOn<WorkspaceName>,
    {
        let may = found.as_ref().is_some_and(|(workspace, _)| {
            let named = WorkspaceName::new(workspace.as_str());
            self.may(caller, Administer, UserDirectory) || named.is_ok_and(|name| self.may(caller, action, name))
        });
        match found {
            Some((_, found)) if may => Ok(found),
            _ => Err(self.deny_unseen(caller, <A as Action>::KIND.to_string(), kind, &id.to_string()).await?),
        }
    }

    /// A right of a role that the caller may MANAGE, and likewise.
    async fn managed_role_permission(&self, caller: &Caller, id: i64) -> Result<RolePermissionRecord, AppError> {
        let found = self
            .store()
            .read(move |tx| {
                let Some(permission) = tx.role_permission(id)? else { return Ok(None) };
                Ok::<_, AppError>(tx.role(permission.role)?.map(|role| (role.workspace, permission)))
            })
            .await?;
        self.visible_of_workspace(caller, Manage, found, ("role permission", id)).await
    }

    fn role_updated(&self, caller: &Caller, id: i64, change: &str) -> Event {
        self.event(caller, Outcome::Done, Act::RoleUpdated { id, change: change.to_owned() })
    }
}

/// Whether a role gives an act that nobody has by managing its workspace, such as breaking glass: only an administrator gives that.
fn gives_more_than_managing(tx: &mut dyn Transaction, role: i64) -> Result<bool, AppError> {
    let grantee = RoleName::new(RoleRecord::grantee_name(role)).map(Grantee::Role);
    let grantee = grantee.map_err(|error| AppError::internal("a role has no name", error))?;
    let more = |grant: &Grant| matches!(grant.right, Right::Act(act) if !act.is_managed());
    Ok(tx.grants()?.iter().any(|grant| grant.grantee == grantee && more(grant)))
}

pub(super) fn find_role(tx: &mut dyn Transaction, id: i64) -> Result<RoleRecord, AppError> {
    tx.role(id)?.ok_or_else(|| missing("role", id))
}

fn missing(kind: &'static str, id: i64) -> AppError {
    AppError::NotFound { kind, id: id.to_string() }
}

fn shown(user: &str) -> String {
    user.chars().take(128).collect()
}

fn workspace_name(text: &str) -> Result<WorkspaceName, AppError> {
    WorkspaceName::new(text).map_err(|error| AppError::Invalid(error.to_string()))
}

pub(crate) fn check_name(name: &str) -> Result<(), AppError> {
    if name.trim().is_empty() {
        return Err(AppError::Invalid("Role name cannot be empty.".to_owned()));
    }
    if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!(
            "a role's name has at most {NAME_CHARS} characters and no control characters"
        )));
    }
    Ok(())
}

fn check_description(text: &str) -> Result<(), AppError> {
    if text.chars().count() > DESCRIPTION_CHARS {
        return Err(AppError::Invalid(format!("a role's description has at most {DESCRIPTION_CHARS} characters")));
    }
    Ok(())
}

fn check_permission(permission: &RolePermissionRecord, workspace: &str) -> Result<(), AppError> {
    let RolePermissionRecord { resource_type, resource_pattern, .. } = permission;
    if !RESOURCE_TYPES.contains(&resource_type.as_str()) {
        return Err(AppError::Invalid(format!(
            "Invalid resource type '{}'. Valid resource types are: ('{}')",
            resource_type.chars().take(80).collect::<String>(),
            RESOURCE_TYPES.join("', '")
        )));
    }
    let invalid = || {
        let pattern: String = resource_pattern.chars().take(80).collect();
        AppError::Invalid(format!("Invalid resource pattern '{pattern}' for resource type '{resource_type}'"))
    };
    let all_or_nothing = resource_type == "workspace" && resource_pattern != "*";
    if resource_pattern.is_empty() || resource_pattern.chars().count() > PATTERN_CHARS || all_or_nothing {
        return Err(invalid());
    }
    // Also for workspaces where it gives nothing yet: what is kept must be readable later.
    permission.grants(WorkspaceName::DEFAULT).and_then(|_| permission.grants(workspace)).map(|_| ()).ok_or_else(invalid)
}
