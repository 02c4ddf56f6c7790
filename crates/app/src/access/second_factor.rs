//! The second factor of an account: codes of an authenticator app, and codes to recover with.

use std::net::{IpAddr, Ipv4Addr};

use sealyard_core::Redacted;
use sealyard_identity::{Administer, Attempt, Authorized, RecoveryCodes, TotpSecret, UserDirectory, Via};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{SecondFactorRecord, UserKind, UserRecord};
use serde::Serialize;

use super::users::find;
use crate::{App, AppError, Caller};

/// The rule that refuses whoever shows one factor where two are asked for.
pub const SECOND_FACTOR: &str = "identity.second-factor";
/// What an authenticator app shows beside the account.
const ISSUER: &str = "Sealyard";
/// The purpose that secrets are sealed for.
const PURPOSE: &str = "second-factor";

/// A second factor to be set up: shown once, and of no effect before a code of it was shown.
#[derive(Debug)]
pub struct SecondFactorSetup {
    /// What is typed into an app that can't read the URI.
    pub secret: Redacted<String>,
    /// What an app reads.
    pub uri: Redacted<String>,
}

/// Whether an account has a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SecondFactorStatus {
    /// Whether it is asked for.
    pub enabled: bool,
    /// Codes to recover with that were not used yet.
    pub recovery_codes: u64,
}

impl App {
    /// Begins to set up a second factor of the caller's own account, who says the password once more: a stolen session or token is
    /// not enough.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a wrong password or an account without one; [`AppError::Conflict`] where there is one already.
    pub async fn begin_second_factor(
        &self,
        caller: &Caller,
        password: Redacted<String>,
    ) -> Result<SecondFactorSetup, AppError> {
        own_name(caller)?;
        let name = self.prove_again(caller, password).await?;
        let secret = TotpSecret::generate(self.rng());
        let now = self.now();
        let sealer = self.sealer(PURPOSE);
        let shown = SecondFactorSetup { secret: secret.to_base32(), uri: secret.to_uri(ISSUER, &name) };
        self.store()
            .write(move |tx| {
                let user = find(tx, &name)?;
                if user.kind == UserKind::Service || user.password.is_none() {
                    let text = "only an account with a password of this server has a second factor here";
                    return Err(AppError::Invalid(text.to_owned()));
                }
                if tx.second_factor(user.id)?.is_some_and(|factor| factor.confirmed) {
                    return Err(AppError::Conflict(
                        "the account has a second factor; disable that one first".to_owned(),
                    ));
                }
                let sealed = sealer.seal(&SecondFactorRecord::row(user.id), secret.as_bytes())?;
                tx.put_second_factor(&SecondFactorRecord {
                    user: user.id,
                    secret: sealed,
                    confirmed: false,
                    used_step: 0,
                    created: now,
                })?;
                Ok(())
            })
            .await?;
        Ok(shown)
    }

    /// From here on the second factor is asked for: the caller shows a code of it. Gives codes to recover with, shown once. Other
    /// sessions of the account end; tokens go on working.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a wrong code, or when none was begun.
    pub async fn confirm_second_factor(
        &self,
        caller: &Caller,
        code: &Redacted<String>,
    ) -> Result<Vec<String>, AppError> {
        let name = own_name(caller)?;
        check_shape(code)?;
        let attempt = self.code_attempt(&name, caller)?;
        let codes = RecoveryCodes::generate(self.rng());
        let (shown, hashes) = (codes.shown(), codes.hashes());
        let act = Act::UserUpdated { name: name.clone(), change: "second factor enabled".to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let (now, sealer, code) = (self.now(), self.sealer(PURPOSE), code.clone());
        let done = self
            .store()
            .write(move |tx| {
                let user = find(tx, &name)?;
                let wrong = || AppError::Invalid("the code is not the one of this moment".to_owned());
                let factor = tx
                    .second_factor(user.id)?
                    .filter(|factor| !factor.confirmed)
                    .ok_or_else(|| AppError::Invalid("no second factor is being set up".to_owned()))?;
                let secret = sealer.open(&SecondFactorRecord::row(user.id), &factor.secret)?;
                let secret = TotpSecret::from_bytes(secret.expose()).ok_or_else(wrong)?;
                let step = secret.verify(code.expose().trim(), now, factor.used_step).ok_or_else(wrong)?;
                tx.confirm_second_factor(user.id, step, &hashes)?;
                for session in tx.sessions_of(&user.name)? {
                    tx.end_session(&session.hash)?;
                }
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await;
        judge(attempt, &done);
        done?;
        self.sequencer.notify();
        Ok(shown)
    }

    /// Ends the second factor of the caller's own account, by a code of it or one to recover with.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a wrong code, or where there is none.
    pub async fn disable_second_factor(&self, caller: &Caller, code: &Redacted<String>) -> Result<(), AppError> {
        let name = own_name(caller)?;
        check_shape(code)?;
        let attempt = self.code_attempt(&name, caller)?;
        let who = name.clone();
        let act = Act::UserUpdated { name: name.clone(), change: "second factor disabled".to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let (app, code) = (self.clone(), code.clone());
        let done = self
            .store()
            .write(move |tx| {
                let user = find(tx, &name)?;
                if !app.use_code(tx, &user, &code)? {
                    return Err(AppError::Invalid("the code is wrong, or there is no second factor".to_owned()));
                }
                tx.remove_second_factor(user.id)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await;
        judge(attempt, &done);
        if matches!(done, Err(AppError::Invalid(_))) {
            self.count_wrong_code(caller, &who).await?;
        }
        done?;
        self.sequencer.notify();
        Ok(())
    }

    /// Takes the second factor from an account whose owner has lost it.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn reset_second_factor(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, UserDirectory>,
        name: &str,
    ) -> Result<(), AppError> {
        let act = Act::UserUpdated { name: name.chars().take(128).collect(), change: "second factor reset".to_owned() };
        let event = self.event(caller, Outcome::Done, act);
        let name = name.to_owned();
        self.store()
            .write(move |tx| {
                let user = find(tx, &name)?;
                if tx.remove_second_factor(user.id)? {
                    tx.record(&event)?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Whether the caller's own account has one.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`].
    pub async fn second_factor_status(&self, caller: &Caller) -> Result<SecondFactorStatus, AppError> {
        let name = own_name(caller)?;
        self.store()
            .read(move |tx| {
                let user = find(tx, &name)?;
                let enabled = has_second_factor(tx, &user)?;
                Ok(SecondFactorStatus { enabled, recovery_codes: tx.recovery_codes_left(user.id)? })
            })
            .await
    }

    /// Codes are six digits: whoever guesses them has to wait, as with passwords.
    fn code_attempt(&self, name: &str, caller: &Caller) -> Result<Attempt, AppError> {
        let address = caller.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let attempt = self.throttle.attempt(&format!("code of {name}"), address);
        attempt.map_err(|throttled| AppError::Throttled(u64::try_from(throttled.retry_after_seconds).unwrap_or(1)))
    }

    /// Whether `code` is one of the account's now; it is used up with that.
    pub(crate) fn use_code(
        &self,
        tx: &mut dyn Transaction,
        user: &UserRecord,
        code: &Redacted<String>,
    ) -> Result<bool, AppError> {
        let Some(factor) = tx.second_factor(user.id)?.filter(|factor| factor.confirmed) else { return Ok(false) };
        let code = code.expose().trim();
        if let Some(hash) = RecoveryCodes::hash(code) {
            return Ok(tx.use_recovery_code(user.id, &hash)?);
        }
        let secret = self.sealer(PURPOSE).open(&SecondFactorRecord::row(user.id), &factor.secret)?;
        let Some(secret) = TotpSecret::from_bytes(secret.expose()) else { return Ok(false) };
        match secret.verify(code, self.now(), factor.used_step) {
            Some(step) => Ok(tx.use_second_factor_step(user.id, step)?),
            None => Ok(false),
        }
    }
}

/// What can be no code is not one that was guessed.
fn check_shape(code: &Redacted<String>) -> Result<(), AppError> {
    let code = code.expose().trim();
    let six = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    if six || RecoveryCodes::hash(code).is_some() {
        return Ok(());
    }
    Err(AppError::Invalid("a code has six digits, or is one of those to recover with".to_owned()))
}

fn judge<T>(attempt: Attempt, done: &Result<T, AppError>) {
    match done {
        Ok(_) => attempt.succeeded(),
        Err(AppError::Invalid(_)) => drop(attempt),
        Err(_) => attempt.not_judged(),
    }
}

/// Whether the account's second factor counts.
pub(crate) fn has_second_factor(tx: &mut dyn Transaction, user: &UserRecord) -> Result<bool, AppError> {
    Ok(tx.second_factor(user.id)?.is_some_and(|factor| factor.confirmed))
}

/// The name of the caller's own account, which a token that is limited may not touch.
pub(super) fn own_name(caller: &Caller) -> Result<String, AppError> {
    let principal = caller.principal().ok_or(AppError::Unauthenticated)?;
    let limited = principal.scopes().is_some_and(|scopes| !scopes.contains(&sealyard_identity::Scope::All));
    if limited || matches!(principal.via, Via::Open) {
        return Err(AppError::Denied {
            rule: "authorization",
            action: "change what proves who an account's owner is".to_owned(),
            resource: "the owner of a limited token".to_owned(),
        });
    }
    Ok(principal.name.to_string())
}
