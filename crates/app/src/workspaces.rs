//! Workspaces: places of their own for experiments, models, data sets and webhooks.
//!
//! A request is about one workspace. [`App::in_workspace`] gives the application as it is in there; nothing that it does can
//! see or touch another one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use sealyard_core::Timestamp;
use sealyard_identity::{Administer, Authorized, Read, ServerWide, WorkspaceName};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::model::{Workspace, WorkspaceDeletion};
use sealyard_store::{InWorkspace, StoreError};
use serde::Serialize;

use crate::{App, AppError, Caller};

/// Workspaces that a server can have.
pub const MOST_WORKSPACES: usize = 10_000;
/// So long what a name means is believed without asking again. Another server may have deleted the workspace meanwhile; its
/// number never comes to mean another, so that nothing is found, and nothing can be made, in what is gone.
const BELIEVED_MILLIS: i64 = 2000;
const DESCRIPTION_CHARS: usize = 5000;
/// Names that are the beginnings of paths.
const RESERVED: [&str; 4] = ["workspaces", "api", "ajax-api", "static-files"];
/// MLflow's rule, as its clients show it.
const PATTERN: &str = "^(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// Whether there are workspaces, and which numbers their names had lately.
#[derive(Debug, Default)]
pub(crate) struct Open {
    enabled: AtomicBool,
    known: RwLock<HashMap<String, (i64, Timestamp)>>,
}

/// A workspace as clients see it.
#[derive(Debug, Clone, Serialize)]
pub struct WorkspaceSummary {
    /// Its name.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl App {
    /// From now on there are workspaces beside the default one.
    pub fn enable_workspaces(&self) {
        self.workspaces.enabled.store(true, Ordering::SeqCst);
    }

    /// Whether there are workspaces beside the default one.
    #[must_use]
    pub fn workspaces_enabled(&self) -> bool {
        self.workspaces.enabled.load(Ordering::SeqCst)
    }

    /// The workspace that it is in.
    #[must_use]
    pub fn workspace(&self) -> &WorkspaceName {
        &self.workspace
    }

    /// The application as it is in the workspace called `name`. One in which the caller has no right at all is as one that is
    /// not there.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for what is no name; [`AppError::Missing`].
    pub async fn in_workspace(&self, caller: &Caller, name: &str) -> Result<Self, AppError> {
        let name = checked_name(name)?;
        if name == *self.workspace {
            return Ok(self.clone());
        }
        if name.is_default() {
            return Ok(self.with_workspace(name, sealyard_store::model::DEFAULT_WORKSPACE, None));
        }
        let number = self.number_of(&name).await?.filter(|_| self.is_known_to(caller, &name));
        let number = number.ok_or_else(|| missing(name.as_str()))?;
        let key = self.key_of_workspace(name.as_str(), number).await?;
        Ok(self.with_workspace(name, number, Some(key)))
    }

    /// The application as it is in the workspace in which the server gave a capability: that proves the right to be there.
    pub(crate) async fn by_capability(&self, name: WorkspaceName) -> Result<Self, AppError> {
        if name == *self.workspace {
            return Ok(self.clone());
        }
        let number = if self.workspaces_enabled() { self.number_of(&name).await? } else { None };
        let number = number.ok_or_else(|| missing(name.as_str()))?;
        let key = self.key_of_workspace(name.as_str(), number).await?;
        Ok(self.with_workspace(name, number, Some(key)))
    }

    fn with_workspace(&self, name: WorkspaceName, number: i64, part: Option<sealyard_vault::KeyId>) -> Self {
        let store = Arc::new(InWorkspace::new(Arc::clone(&self.store), number));
        // What is remembered of where runs are is remembered in one workspace alone.
        Self { store, workspace: Arc::new(name), run_places: Arc::default(), part, ..self.clone() }
    }

    async fn number_of(&self, name: &WorkspaceName) -> Result<Option<i64>, AppError> {
        let now = self.now();
        let known = self.workspaces.known.read().unwrap_or_else(PoisonError::into_inner).get(name.as_str()).copied();
        if let Some((number, until)) = known
            && now <= until
        {
            return Ok(Some(number));
        }
        let wanted = name.to_string();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.workspace_named(&wanted)?)).await?;
        let mut all = self.workspaces.known.write().unwrap_or_else(PoisonError::into_inner);
        match &found {
            Some(workspace) => {
                let until = Timestamp::from_millis(now.as_millis().saturating_add(BELIEVED_MILLIS));
                all.insert(workspace.name.clone(), (workspace.number, until));
            }
            None => drop(all.remove(name.as_str())),
        }
        Ok(found.map(|workspace| workspace.number))
    }

    fn forget_workspace(&self, name: &str) {
        self.workspaces.known.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Whether the workspace is anything to the caller: the default one is to everybody, and all are to administrators.
    fn is_known_to(&self, caller: &Caller, name: &WorkspaceName) -> bool {
        name.is_default()
            || caller.principal().is_some_and(|principal| {
                !principal.is_expired(self.now()) && self.authorizer().speaks_of(principal, name)
            })
    }

    /// Those that are anything to the caller, by name.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn workspaces(&self, caller: &Caller) -> Result<Vec<WorkspaceSummary>, AppError> {
        let all = self.store().read(|tx| Ok::<_, AppError>(tx.workspaces()?)).await?;
        let known = |workspace: &Workspace| {
            WorkspaceName::new(workspace.name.as_str()).is_ok_and(|name| self.is_known_to(caller, &name))
        };
        Ok(all.into_iter().filter(known).map(summary).collect())
    }

    /// One of those that are anything to the caller.
    ///
    /// # Errors
    /// [`AppError::Denied`] for others, there or not; [`AppError::Invalid`]; [`AppError::Missing`].
    pub async fn workspace_summary(&self, caller: &Caller, name: &str) -> Result<WorkspaceSummary, AppError> {
        let name = checked_name(name)?;
        if !self.is_known_to(caller, &name) {
            let _denied = self.authorize(caller, Read, name.clone()).await?;
        }
        let wanted = name.to_string();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.workspace_named(&wanted)?)).await?;
        found.map(summary).ok_or_else(|| missing(name.as_str()))
    }

    /// Makes a workspace. Nobody but administrators has any right in it until they give some.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn create_workspace(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, ServerWide>,
        name: &str,
        description: Option<String>,
    ) -> Result<WorkspaceSummary, AppError> {
        if name == WorkspaceName::DEFAULT {
            return Err(AppError::Invalid(format!("The '{name}' workspace is reserved and cannot be created")));
        }
        let name = checked_name(name)?;
        check_description(description.as_deref())?;
        let event = self.event(caller, Outcome::Done, Act::WorkspaceCreated { name: name.to_string() });
        let now = self.now();
        let made = self
            .store()
            .write(move |tx| {
                if tx.workspaces()?.len() >= MOST_WORKSPACES {
                    return Err(AppError::Invalid(format!("a server has at most {MOST_WORKSPACES} workspaces")));
                }
                let made = tx.create_workspace(name.as_str(), description.as_deref(), now)?;
                tx.record(&event)?;
                Ok(made)
            })
            .await?;
        self.sequencer.notify();
        Ok(summary(made))
    }

    /// Changes what a workspace says of itself.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Missing`].
    pub async fn update_workspace(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, ServerWide>,
        name: &str,
        description: Option<String>,
    ) -> Result<WorkspaceSummary, AppError> {
        let name = checked_name(name)?;
        check_description(description.as_deref())?;
        let event = self.event(caller, Outcome::Done, Act::WorkspaceUpdated { name: name.to_string() });
        let changed = self
            .store()
            .write(move |tx| {
                let changed = tx.describe_workspace(name.as_str(), description.as_deref()).map_err(not_there)?;
                tx.record(&event)?;
                Ok::<_, AppError>(changed)
            })
            .await?;
        self.sequencer.notify();
        Ok(summary(changed))
    }

    /// Deletes a workspace, with its roles and the grants on what is in it.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Missing`]; [`AppError::Conflict`] when it is not as `how` wants it.
    pub async fn delete_workspace(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, ServerWide>,
        name: &str,
        how: WorkspaceDeletion,
    ) -> Result<(), AppError> {
        if name == WorkspaceName::DEFAULT {
            return Err(AppError::Invalid(format!("The '{name}' workspace is reserved and cannot be deleted")));
        }
        let name = checked_name(name)?;
        let mode = match how {
            WorkspaceDeletion::Restrict => "restrict",
            WorkspaceDeletion::Cascade => "cascade",
            WorkspaceDeletion::SetDefault => "set-default",
        };
        let act = Act::WorkspaceDeleted { name: name.to_string(), mode: mode.to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let gone = name.to_string();
        let done = self
            .change_grants(move |tx| {
                let number = tx.workspace_named(name.as_str())?.map(|workspace| workspace.number);
                tx.delete_workspace(name.as_str(), how).map_err(not_there)?;
                let mut destroyed = None;
                // What moved to the default workspace is still under it.
                if let Some(number) = number.filter(|_| how != WorkspaceDeletion::SetDefault) {
                    destroyed = tx.destroy_workspace_key(number)?;
                }
                tx.record(&event)?;
                if let Some(key) = &destroyed {
                    let act = Act::WorkspaceKeyDestroyed { workspace: name.to_string(), key: key.clone() };
                    tx.record(&Event { act, ..event })?;
                }
                Ok(destroyed)
            })
            .await;
        // Also after a failure, which may only have seemed one.
        self.forget_workspace(&gone);
        if let Some(key) = done?.as_deref().and_then(sealyard_vault::KeyId::from_text) {
            self.vault.forget_scoped_key(key);
        }
        // What was in it has bytes that nobody needs now.
        self.tidy.notify_one();
        Ok(())
    }
}

fn not_there(error: StoreError) -> AppError {
    match error {
        StoreError::NotFound { kind: "workspace", id } => missing(&id),
        error => error.into(),
    }
}

/// In the words that MLflow's clients know.
pub(crate) fn missing(name: &str) -> AppError {
    AppError::Missing(format!("Workspace '{}' not found", name.escape_debug()))
}

fn summary(workspace: Workspace) -> WorkspaceSummary {
    WorkspaceSummary { name: workspace.name, description: workspace.description }
}

fn check_description(description: Option<&str>) -> Result<(), AppError> {
    match description {
        Some(text) if text.chars().count() > DESCRIPTION_CHARS => {
            Err(AppError::Invalid(format!("a description has at most {DESCRIPTION_CHARS} characters")))
        }
        _ => Ok(()),
    }
}

/// A name that MLflow's own rule takes too.
fn checked_name(text: &str) -> Result<WorkspaceName, AppError> {
    let shown: String = text.chars().take(80).collect();
    if !(2..=63).contains(&text.chars().count()) {
        return Err(AppError::Invalid(format!("Workspace name '{shown}' must be between 2 and 63 characters.")));
    }
    if RESERVED.contains(&text) {
        return Err(AppError::Invalid(format!("Workspace name '{shown}' is reserved and cannot be used.")));
    }
    let name = WorkspaceName::new(text).ok().filter(|name| !name.as_str().contains("--"));
    name.ok_or_else(|| {
        AppError::Invalid(format!(
            "Workspace name '{shown}' must match the pattern {PATTERN} (lowercase alphanumeric with optional internal hyphens)."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mlflows() {
        for name in ["ab", "team-a", "0-0", "default", &"a".repeat(63)] {
            assert_eq!(checked_name(name).unwrap().as_str(), name);
        }
        for name in ["", "a", "A1", "-a", "a-", "a--b", "a_b", "a b", "a/b", "ä1", "workspaces", "api", &"a".repeat(64)]
        {
            assert!(matches!(checked_name(name), Err(AppError::Invalid(_))), "{name}");
        }
    }
}
