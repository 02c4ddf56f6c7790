//! Wrong passwords for one account from many addresses.
//!
//! The throttle slows down each address. Whoever has many of them is stopped here: after so many wrong passwords for an account,
//! from wherever, it is let in for a while only from networks from which it was let in before, and from this machine. So nobody
//! can lock the owner out: they lock out those who come from where the owner never was.

use std::net::IpAddr;

use sealyard_core::Timestamp;
use sealyard_identity::{Administer, Authorized, UserDirectory, network};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::UserRecord;

use super::users::find;
use crate::{App, AppError, Caller};

/// The rule that refuses an account from where it never was, after too many wrong passwords.
pub const LOCKED: &str = "identity.locked";
/// So long a network is remembered.
const KNOWN_SECONDS: i64 = 90 * 24 * 60 * 60;
/// It is noted anew when the noted use is older than this.
const NOTED_SECONDS: i64 = 24 * 60 * 60;
/// Networks of one account that are remembered.
const MOST_NETWORKS: u32 = 20;

impl App {
    /// Whether the account is let in from `source` now.
    pub(crate) fn is_locked(
        &self,
        tx: &mut dyn Transaction,
        user: &UserRecord,
        source: Option<IpAddr>,
    ) -> Result<bool, AppError> {
        let Some(failures) = tx.login_failures(user.id)? else { return Ok(false) };
        let over = failures.count >= self.rules.lockout_failures
            && failures.last.plus_seconds(self.rules.lockout_seconds) > self.now();
        let local = source.is_none_or(|source| source.to_canonical().is_loopback());
        if !over || local {
            return Ok(false);
        }
        let since = self.now().plus_seconds(-KNOWN_SECONDS);
        Ok(!tx.knows_login_network(user.id, &shown(source), since)?)
    }

    /// Whether it was noted lately that the account was let in from there.
    pub(crate) fn was_here(
        &self,
        tx: &mut dyn Transaction,
        user: &UserRecord,
        source: Option<IpAddr>,
    ) -> Result<bool, AppError> {
        let lately = self.now().plus_seconds(-NOTED_SECONDS);
        Ok(tx.knows_login_network(user.id, &shown(source), lately)?)
    }

    /// Counts a wrong password; says whether that locked the account, which is worth an entry.
    pub(crate) fn count_failure(&self, tx: &mut dyn Transaction, user: &UserRecord) -> Result<bool, AppError> {
        let since = self.now().plus_seconds(-self.rules.lockout_seconds);
        let failures = tx.note_login_failure(user.id, self.now(), since)?;
        Ok(failures.count == self.rules.lockout_failures)
    }

    /// Notes from where an account was let in. Wrong passwords from elsewhere still count: whoever guesses goes on guessing while
    /// the owner works.
    pub(crate) fn note_let_in(
        &self,
        tx: &mut dyn Transaction,
        user: &UserRecord,
        source: Option<IpAddr>,
    ) -> Result<(), AppError> {
        Ok(tx.note_login_network(user.id, &shown(source), self.now(), MOST_NETWORKS)?)
    }

    /// Lets an account in from everywhere again.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn unlock_user(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, UserDirectory>,
        name: &str,
    ) -> Result<(), AppError> {
        let act = Act::UserUpdated { name: name.chars().take(128).collect(), change: "unlocked".to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let name = name.to_owned();
        self.store()
            .write(move |tx| {
                let user = find(tx, &name)?;
                if tx.forget_login_failures(user.id)? {
                    tx.record(&event)?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Until when the account is only let in from where it was before.
    pub(crate) fn locked_until(&self, tx: &mut dyn Transaction, user: i64) -> Result<Option<Timestamp>, AppError> {
        let failures = tx.login_failures(user)?.filter(|failures| failures.count >= self.rules.lockout_failures);
        let until = failures.map(|failures| failures.last.plus_seconds(self.rules.lockout_seconds));
        Ok(until.filter(|until| *until > self.now()))
    }
}

fn shown(source: Option<IpAddr>) -> String {
    source.map_or_else(|| "none".to_owned(), |source| network(source).to_string())
}
