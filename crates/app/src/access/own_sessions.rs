//! The sessions of browsers that somebody is logged in with: looked at and ended by themselves, or by an administrator.

use sealyard_core::Timestamp;
use sealyard_identity::{Administer, PrincipalName, Scope, UserDirectory};
use sealyard_ledger::{Act, Event, Outcome};
use serde::Serialize;

use super::users::find;
use crate::{App, AppError, Caller};

/// A session without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionSummary {
    /// What it is ended by.
    pub id: String,
    /// When the user logged in.
    pub created: Timestamp,
    /// When it was last used, to the minute or so.
    pub seen: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// The provider of identities that said who it is, where that was not this server.
    pub provider: Option<String>,
}

impl App {
    /// Somebody's sessions, oldest first: the caller's own, or anybody's for an administrator.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn sessions_of(
        &self,
        caller: &Caller,
        owner: Option<PrincipalName>,
    ) -> Result<Vec<SessionSummary>, AppError> {
        let owner = self.whose_sessions(caller, owner).await?;
        let (now, idle) = (self.now(), self.rules.idle_seconds);
        let found = self
            .store()
            .read(move |tx| {
                find(tx, &owner)?;
                Ok::<_, AppError>(tx.sessions_of(&owner)?)
            })
            .await?;
        let live = found.into_iter().filter(|one| one.expires > now && one.seen.plus_seconds(idle) > now);
        let summary = live.map(|one| SessionSummary {
            id: one.id,
            created: one.created,
            seen: one.seen,
            expires: one.expires,
            provider: one.provider,
        });
        Ok(summary.collect())
    }

    /// Ends one of somebody's sessions, or all of them. Gives how many.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::NotFound`] for one that is not theirs.
    pub async fn end_sessions(
        &self,
        caller: &Caller,
        owner: Option<PrincipalName>,
        only: Option<&str>,
    ) -> Result<usize, AppError> {
        let owner = self.whose_sessions(caller, owner).await?;
        let reason = if only.is_some() { "ended by hand" } else { "logged out everywhere" };
        let like =
            self.event(caller, Outcome::Done, Act::SessionEnded { session: String::new(), reason: reason.to_owned() });
        let only = only.map(str::to_owned);
        let ended = self
            .store()
            .write(move |tx| {
                find(tx, &owner)?;
                let mut ended = 0;
                for session in tx.sessions_of(&owner)? {
                    if only.as_ref().is_none_or(|only| *only == session.id) && tx.end_session(&session.hash)? {
                        let act = Act::SessionEnded { session: session.id, reason: reason.to_owned() };
                        tx.record(&Event { act, ..like.clone() })?;
                        ended += 1;
                    }
                }
                match only {
                    Some(id) if ended == 0 => {
                        Err(AppError::NotFound { kind: "session", id: id.chars().take(80).collect() })
                    }
                    _ => Ok(ended),
                }
            })
            .await?;
        self.sequencer.notify();
        Ok(ended)
    }

    async fn whose_sessions(&self, caller: &Caller, owner: Option<PrincipalName>) -> Result<String, AppError> {
        let principal = caller.principal().ok_or(AppError::Unauthenticated)?;
        match owner.filter(|owner| *owner != principal.name) {
            Some(owner) => {
                let _may = self.authorize(caller, Administer, UserDirectory).await?;
                Ok(owner.to_string())
            }
            None if principal.scopes().is_some_and(|scopes| !scopes.contains(&Scope::All)) => Err(AppError::Denied {
                rule: "authorization",
                action: "look at sessions".to_owned(),
                resource: "the owner of a limited token".to_owned(),
            }),
            None => Ok(principal.name.to_string()),
        }
    }
}
