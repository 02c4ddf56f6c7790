//! Why somebody may do something, or may not.

use sealyard_identity::{
    ActionKind, Administer, Effect, Grantee, Permission, PrincipalName, ProtectedResource, Resource, ResourceKind,
    RoleName, UserDirectory, Via, WorkspaceName,
};
use sealyard_store::Transaction;
use sealyard_store::model::{RoleRecord, UserRecord};
use serde::Serialize;

use super::grants::Names;
use crate::authentication::principal;
use crate::evaluation_datasets::explain_dataset;
use crate::{App, AppError, Caller};

/// A decision with everything that was considered for it. Serialises as `sealyard.access/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessExplanation {
    /// `sealyard.access/1`.
    pub schema: &'static str,
    /// Who would do it.
    pub user: String,
    /// What.
    pub action: String,
    /// To what.
    pub resource: String,
    /// In which workspace.
    pub workspace: String,
    /// Whether they may.
    pub allowed: bool,
    /// Every rule that spoke of it, in the order in which they are looked at.
    pub considered: Vec<ConsideredRule>,
}

/// A rule that spoke of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsideredRule {
    /// `allows`, `insufficient` or `denies`.
    pub effect: &'static str,
    /// The rule, in words.
    pub rule: String,
}

impl App {
    /// Whether `user` may do `action` to `resource` of `workspace`, and by which rules: of the caller itself, with what limits its
    /// token, or of anybody for an administrator. Nothing is done and nothing is recorded.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`]; [`AppError::Invalid`] for an action that makes no sense on the resource.
    pub async fn explain_access(
        &self,
        caller: &Caller,
        user: Option<PrincipalName>,
        action: ActionKind,
        resource: Resource,
        workspace: &WorkspaceName,
    ) -> Result<AccessExplanation, AppError> {
        let Some(itself) = caller.principal() else { return Err(AppError::Unauthenticated) };
        if itself.is_expired(self.now()) {
            return Err(AppError::Unauthenticated);
        }
        let user = user.filter(|user| *user != itself.name);
        if user.is_some() {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
        }
        check_sense(action, &resource)?;
        let wanted = user.as_ref().unwrap_or(&itself.name).to_string();
        let other = user.is_some();
        let (record, through, names) = self
            .store()
            .read(move |tx| {
                let record = tx.user(&wanted)?;
                if other && record.is_none() {
                    return Err(AppError::NotFound { kind: "user", id: wanted });
                }
                let through = record.as_ref().map(|record| Through::read(tx, record)).transpose()?.unwrap_or_default();
                Ok((record, through, Names::read(tx)?))
            })
            .await?;
        let who = match record.filter(|_| other) {
            Some(record) if record.disabled => return Ok(disabled(&record, action, &resource, workspace)),
            Some(record) => principal(&record, Via::Password)?,
            None => itself.clone(),
        };
        // What is asked about by a name of the registry may be a prompt. Who may not see it is not told.
        let resource = match resource {
            Resource::RegisteredModel(name) => {
                let entry = self.registry_entry(name).await?.resource();
                let seen = itself.admin || self.authorizer().permission(workspace, &who, &entry) > Permission::No;
                match entry {
                    Resource::Prompt(name) if !seen => Resource::RegisteredModel(name),
                    entry => entry,
                }
            }
            other => other,
        };
        let dataset = match &resource {
            Resource::Dataset(id) => {
                let id = id.to_string();
                self.store().read(move |tx| Ok::<_, AppError>(tx.evaluation_dataset(&id)?)).await?
            }
            _ => None,
        };
        let authorizer = self.authorizer();
        let mut explanation = authorizer.explain(workspace, &who, action, resource);
        if let Some(dataset) = dataset {
            let whole = explain_dataset(&authorizer, workspace, &who, &dataset, explanation.clone())?;
            // Whoever may not see it is not told what it belongs to.
            if itself.admin || whole.allowed {
                explanation = whole;
            }
        }
        let considered = explanation.considered.into_iter().map(|one| ConsideredRule {
            effect: match one.effect {
                Effect::Allows => "allows",
                Effect::Insufficient => "insufficient",
                Effect::Denies => "denies",
            },
            rule: match &one.grant {
                Some(grant) => {
                    let (kind, name) = names.grantee(&grant.grantee);
                    let through = through.of(&grant.grantee);
                    format!("{} on {} to the {kind} {name}{through}", grant.right, grant.pattern)
                }
                None => one.rule,
            },
        });
        Ok(AccessExplanation {
            schema: "sealyard.access/1",
            user: explanation.principal.to_string(),
            action: explanation.action.to_string(),
            resource: explanation.resource.to_string(),
            workspace: workspace.to_string(),
            allowed: explanation.allowed,
            considered: considered.collect(),
        })
    }
}

/// The groups through which somebody has roles that were not given to them by name.
#[derive(Debug, Default)]
struct Through(Vec<(Grantee, String)>);

impl Through {
    fn read(tx: &mut dyn Transaction, user: &UserRecord) -> Result<Self, AppError> {
        let own = tx.roles_of(user.id)?;
        let groups = tx.groups_of(user.id)?;
        let mut found = Vec::new();
        for role in tx.group_roles()? {
            let group = groups.iter().find(|group| group.id == role.group);
            if let Some(group) = group.filter(|_| own.iter().all(|own| own.id != role.role))
                && let Ok(name) = RoleName::new(RoleRecord::grantee_name(role.role))
            {
                found.push((Grantee::Role(name), group.shown()));
            }
        }
        Ok(Self(found))
    }

    fn of(&self, grantee: &Grantee) -> String {
        let mut groups: Vec<&str> =
            self.0.iter().filter(|(role, _)| role == grantee).map(|(_, group)| group.as_str()).collect();
        groups.dedup();
        if groups.is_empty() { String::new() } else { format!(", through the group {}", groups.join(" and ")) }
    }
}

/// Nobody can be it, so that it may nothing.
fn disabled(
    record: &UserRecord,
    action: ActionKind,
    resource: &Resource,
    workspace: &WorkspaceName,
) -> AccessExplanation {
    AccessExplanation {
        schema: "sealyard.access/1",
        user: record.name.clone(),
        action: action.to_string(),
        resource: resource.to_string(),
        workspace: workspace.to_string(),
        allowed: false,
        considered: vec![ConsideredRule { effect: "denies", rule: "the account being disabled".to_owned() }],
    }
}

/// Whether the action is one that can be done to such a thing at all: the compiler sees to it everywhere else.
fn check_sense(action: ActionKind, resource: &Resource) -> Result<(), AppError> {
    let sense = match (action, resource.kind()) {
        (ActionKind::Act(_), kind) => matches!(kind, ResourceKind::RegisteredModel | ResourceKind::Prompt),
        (ActionKind::Provision, kind) => kind == ResourceKind::Users,
        (ActionKind::Administer, kind) => kind.is_single(),
        (ActionKind::Level(_), _) => true,
    };
    if sense { Ok(()) } else { Err(AppError::Invalid(format!("nobody can {action} {resource}"))) }
}
