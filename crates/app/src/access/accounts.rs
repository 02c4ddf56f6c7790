//! Accounts as administrators see them.

use sealyard_core::Timestamp;
use sealyard_identity::{Administer, Authorized, UserDirectory};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::model::{GroupRecord, UserRecord};
use serde::Serialize;

use super::KeepsAccounts;
use super::grants::{GrantFilter, GrantSummary, full_name, listed};
use super::second_factor::has_second_factor;
use super::users::{find, is_itself, keep_an_administrator};
use crate::{App, AppError, Caller};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountSummary {
    /// Its name.
    pub name: String,
    /// Whether it may do everything.
    pub admin: bool,
    /// `person`, or `service` for a machine.
    pub kind: &'static str,
    /// Whether nobody can be it any more.
    pub disabled: bool,
    /// Whether it has a password.
    pub password: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// An account with what it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountDetails {
    /// The account.
    #[serde(flatten)]
    pub account: AccountSummary,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// Its roles, those of its groups not among them.
    pub roles: Vec<String>,
    /// What was given to it by name.
    pub grants: Vec<GrantSummary>,
    /// Whether it has a second factor.
    pub second_factor: bool,
    /// Until when it is only let in from where it was before, after too many wrong passwords.
    pub locked_until: Option<Timestamp>,
    /// Tokens of it that work.
    pub tokens: usize,
    /// Browsers that are logged in.
    pub sessions: usize,
}

impl App {
    /// All accounts.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn accounts(
        &self,
        _may: &Authorized<Administer, UserDirectory>,
    ) -> Result<Vec<AccountSummary>, AppError> {
        let users = self.store().read(|tx| Ok::<_, AppError>(tx.users()?)).await?;
        Ok(users.iter().map(summary).collect())
    }

    /// An account: the caller's own, or anybody's for an administrator.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn account(&self, caller: &Caller, name: &str) -> Result<AccountDetails, AppError> {
        if !is_itself(caller, name) {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
        }
        let (name, now, app) = (name.to_owned(), self.now(), self.clone());
        self.store()
            .read(move |tx| {
                let user = find(tx, &name)?;
                let live = |expires: Option<Timestamp>| expires.is_none_or(|expires| expires > now);
                let tokens = tx.tokens_of(&name)?;
                let sessions = tx.sessions_of(&name)?;
                Ok(AccountDetails {
                    account: summary(&user),
                    groups: tx.groups_of(user.id)?.iter().map(GroupRecord::shown).collect(),
                    roles: tx.roles_of(user.id)?.iter().map(full_name).collect(),
                    grants: listed(tx, &GrantFilter { user: Some(name), ..GrantFilter::default() })?,
                    second_factor: has_second_factor(tx, &user)?,
                    locked_until: app.locked_until(tx, user.id)?,
                    tokens: tokens.iter().filter(|token| !token.revoked && live(token.expires)).count(),
                    sessions: sessions.iter().filter(|session| live(Some(session.expires))).count(),
                })
            })
            .await
    }

    /// Disables an account: nobody can be it from then on, its sessions and tokens end at once. Its rows and what it did stay.
    /// Enabled again, it makes new tokens. The last administrator stays.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Conflict`].
    pub async fn set_disabled<A>(
        &self,
        caller: &Caller,
        _may: &Authorized<A, UserDirectory>,
        name: &str,
        disabled: bool,
    ) -> Result<(), AppError>
    where
        A: KeepsAccounts,
    {
        let change = if disabled { "disabled" } else { "enabled" };
        let act = Act::UserUpdated { name: name.chars().take(128).collect(), change: change.to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let name = name.to_owned();
        self.store()
            .write(move |tx| {
                let user = find(tx, &name)?;
                if user.disabled == disabled {
                    return Ok(());
                }
                if disabled {
                    keep_an_administrator(tx, &user)?;
                    for token in tx.tokens_of(&user.name)?.into_iter().filter(|token| !token.revoked) {
                        tx.revoke_token(&token.id)?;
                        tx.record(&Event { act: Act::TokenRevoked { id: token.id }, ..event.clone() })?;
                    }
                }
                tx.set_user_disabled(&user.name, disabled)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }
}

fn summary(user: &UserRecord) -> AccountSummary {
    AccountSummary {
        name: user.name.clone(),
        admin: user.admin,
        kind: user.kind.as_str(),
        disabled: user.disabled,
        password: user.password.is_some(),
        created: user.created,
    }
}
