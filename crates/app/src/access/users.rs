//! Users: looking at them, passwords, administrators, deletion.

use std::sync::Arc;

use sealyard_core::Redacted;
use sealyard_identity::{Administer, Authorized, Grantee, IdPattern, PasswordHash, ResourceKind, UserDirectory, Via};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{UserKind, UserRecord};

use super::permissions::PermissionLevel;
use super::second_factor::own_name;
use crate::authentication::principal_id;
use crate::tasks::blocking;
use crate::{App, AppError, Caller, NewUser};

/// A user as clients see it.
#[derive(Debug, Clone)]
pub struct UserDetails {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whether it may do everything.
    pub admin: bool,
    /// What it was given on single experiments.
    pub experiments: Vec<HeldPermission>,
    /// What it was given on single registered models.
    pub models: Vec<HeldPermission>,
}

/// What a user was given on one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPermission {
    /// The experiment's id or the model's name.
    pub id: String,
    /// The workspace that it is in.
    pub workspace: String,
    /// How much.
    pub level: PermissionLevel,
}

impl App {
    /// Makes a user, and shows it.
    ///
    /// # Errors
    /// As [`App::create_user`].
    pub async fn create_and_show_user(
        &self,
        caller: &Caller,
        may: &Authorized<Administer, UserDirectory>,
        new: NewUser,
    ) -> Result<UserDetails, AppError> {
        let name = new.name.to_string();
        self.create_user(caller, may, new).await?;
        self.store().read(move |tx| details(tx, &name)).await
    }

    /// A user: the caller itself, or anybody for an administrator.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn user_details(&self, caller: &Caller, name: &str) -> Result<UserDetails, AppError> {
        if !is_itself(caller, name) {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
        }
        let name = name.to_owned();
        self.store().read(move |tx| details(tx, &name)).await
    }

    /// The caller, without what it was given.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`].
    pub async fn current_user(&self, caller: &Caller) -> Result<UserDetails, AppError> {
        let principal = caller.principal().ok_or(AppError::Unauthenticated)?;
        let name = principal.name.to_string();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.user(&name)?)).await?;
        // Whoever needs no account has none.
        let (name, admin) = (principal.name.to_string(), principal.admin);
        let nobody = UserDetails { id: 0, name, admin, experiments: Vec::new(), models: Vec::new() };
        Ok(found.map_or(nobody, plain))
    }

    /// All users, without what they were given.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn users(&self, _may: &Authorized<Administer, UserDirectory>) -> Result<Vec<UserDetails>, AppError> {
        let users = self.store().read(|tx| Ok::<_, AppError>(tx.users()?)).await?;
        Ok(users.into_iter().map(plain).collect())
    }

    /// Changes a password. Whoever changes their own says the present one too, so that a stolen session or token is not
    /// enough; an administrator may change anybody else's. Every token of the user ends, but the one that asks.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::Invalid`] for a password that is too weak or a present
    /// one that is missing or wrong, [`AppError::Throttled`] after too many wrong ones.
    pub async fn set_password(
        &self,
        caller: &Caller,
        name: &str,
        new: Redacted<String>,
        present: Option<Redacted<String>>,
    ) -> Result<(), AppError> {
        if is_itself(caller, name) {
            let Some(present) = present.filter(|present| !present.expose().is_empty()) else {
                let text = "Current password is required when changing your own password.";
                return Err(AppError::Invalid(text.to_owned()));
            };
            own_name(caller)?;
            self.prove_again(caller, present).await?;
            if let Some(principal) = caller.principal() {
                self.spend_own_act(principal)?;
            }
        } else {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
        }
        let (rng, shortest) = (Arc::clone(&self.rng), self.rules.shortest_password);
        let hash = blocking("a password could not be hashed", move || {
            PasswordHash::create_of(&new, shortest, &*rng).map_err(|error| AppError::Invalid(error.to_string()))
        })
        .await?;
        let asking = match caller.principal().map(|principal| &principal.via) {
            Some(Via::Token { token_id, .. }) => Some(token_id.to_string()),
            _ => None,
        };
        let changed = Act::UserUpdated { name: name.to_owned(), change: "password".to_owned() };
        let event = self.event(caller, Outcome::Done, changed);
        let name = name.to_owned();
        self.store()
            .write(move |tx| {
                let user = find(tx, &name)?;
                if user.kind == UserKind::Service {
                    return Err(AppError::Invalid(format!(
                        "{} is a machine's account, which has no password",
                        user.name
                    )));
                }
                tx.set_user_password(&user.name, Some(hash.as_phc()))?;
                tx.record(&event)?;
                for token in tx.tokens_of(&user.name)? {
                    if !token.revoked && asking.as_deref() != Some(token.id.as_str()) {
                        tx.revoke_token(&token.id)?;
                        let mut event = event.clone();
                        event.act = Act::TokenRevoked { id: token.id };
                        tx.record(&event)?;
                    }
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Makes a user an administrator, or ends that. The last one stays.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Conflict`].
    pub async fn set_administrator(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, UserDirectory>,
        name: &str,
        admin: bool,
    ) -> Result<(), AppError> {
        let change = if admin { "administrator" } else { "no longer administrator" };
        let act = Act::UserUpdated { name: name.chars().take(128).collect(), change: change.to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let name = name.to_owned();
        self.change_grants(move |tx| {
            let user = find(tx, &name)?;
            if !admin {
                keep_an_administrator(tx, &user)?;
            }
            tx.set_user_admin(&user.name, admin)?;
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// Deletes a user with its tokens, rights and roles. The last administrator stays.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Conflict`].
    pub async fn delete_user(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, UserDirectory>,
        name: &str,
    ) -> Result<(), AppError> {
        let act = Act::UserDeleted { name: name.chars().take(128).collect() };
        let event = self.event(caller, Outcome::Done, act);
        let name = name.to_owned();
        self.change_grants(move |tx| {
            let user = find(tx, &name)?;
            keep_an_administrator(tx, &user)?;
            tx.delete_user(&user.name)?;
            Ok(tx.record(&event)?)
        })
        .await
    }
}

/// Whether the caller is the user of this name.
pub(super) fn is_itself(caller: &Caller, name: &str) -> bool {
    caller.principal().is_some_and(|principal| principal.name.as_str() == name)
}

pub(crate) fn find(tx: &mut dyn Transaction, name: &str) -> Result<UserRecord, AppError> {
    tx.user(name)?.ok_or_else(|| AppError::NotFound { kind: "user", id: name.chars().take(128).collect() })
}

fn plain(user: UserRecord) -> UserDetails {
    UserDetails { id: user.id, name: user.name, admin: user.admin, experiments: Vec::new(), models: Vec::new() }
}

fn details(tx: &mut dyn Transaction, name: &str) -> Result<UserDetails, AppError> {
    let mut user = plain(find(tx, name)?);
    let grantee = Grantee::Principal(principal_id(user.id)?);
    for grant in tx.grants()?.into_iter().filter(|grant| grant.grantee == grantee) {
        let (Some(level), IdPattern::Exact(id)) = (PermissionLevel::of(grant.right), grant.pattern.id()) else {
            continue;
        };
        let held = HeldPermission { id: id.clone(), workspace: grant.pattern.workspace().to_string(), level };
        match grant.pattern.kind() {
            ResourceKind::Experiment => user.experiments.push(held),
            // To MLflow's clients a prompt is a registered model.
            ResourceKind::RegisteredModel | ResourceKind::Prompt => user.models.push(held),
            _ => {}
        }
    }
    Ok(user)
}

/// Nobody could undo it if there were none.
pub(super) fn keep_an_administrator(tx: &mut dyn Transaction, without: &UserRecord) -> Result<(), AppError> {
    // One without a password came from another server, and can't log in yet.
    let can_undo = |user: &UserRecord| user.admin && !user.disabled && user.password.is_some() && user.id != without.id;
    let others = tx.users()?.into_iter().filter(can_undo).count();
    if without.admin && others == 0 {
        return Err(AppError::Conflict(format!("{} is the last administrator", without.name)));
    }
    Ok(())
}
