//! The account of a first start: whoever starts the server must get a way in, whenever a start is broken off.

use sealyard_core::Redacted;
use sealyard_identity::{Principal, PrincipalName, generate_password};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::UserRecord;

use crate::{App, AppError, Caller, Credentials, NewToken, NewUser};

/// The setting that says whether anybody was given a way in.
const STATE: &str = "first-start";
const PENDING: &str = "pending";
/// The setting with the file that a first start writes its token to.
const TOKEN_FILE: &str = "first-start-token-file";
const DONE: &str = "done";

/// The account of a first start.
#[derive(Debug)]
pub struct FirstAdministrator {
    /// Its name.
    pub name: PrincipalName,
    /// The password, if this made it: shown once.
    pub password: Redacted<String>,
}

impl App {
    /// Makes the first administrator if there is no user who can log in, or none but one whose password nobody was told: a start
    /// that was killed or failed before [`App::first_start_done`] is made up for by the next, which makes the account anew.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a password that is too weak.
    pub async fn first_administrator(
        &self,
        name: PrincipalName,
        password: Option<Redacted<String>>,
    ) -> Result<Option<FirstAdministrator>, AppError> {
        let Some(Unclaimed(before)) = self.store().read(unclaimed).await? else { return Ok(None) };
        let password = password.unwrap_or_else(|| generate_password(self.rng()));
        let new = NewUser { name: name.clone(), password: password.clone(), admin: true };
        let (record, event) = self.new_user(&Caller::system(), new).await?;
        let taken_over = ["password", "administrator"].map(|change| {
            let act = Act::UserUpdated { name: record.name.clone(), change: change.to_owned() };
            self.event(&Caller::system(), Outcome::Done, act)
        });
        let made = self
            .store()
            .write(move |tx| {
                if unclaimed(tx)? != Some(Unclaimed(before.clone())) {
                    return Ok(false);
                }
                if let Some(user) = before {
                    // With its tokens: whoever was to get one may never have.
                    tx.delete_user(&user.name)?;
                }
                // A user of that name that was imported is whoever starts the server.
                if tx.user(&record.name)?.is_some_and(|user| user.password.is_none()) {
                    tx.set_user_password(&record.name, record.password.as_deref())?;
                    tx.set_user_admin(&record.name, true)?;
                    for event in &taken_over {
                        tx.record(event)?;
                    }
                } else {
                    tx.create_user(&record)?;
                    tx.record(&event)?;
                }
                tx.put_setting(STATE, PENDING)?;
                Ok::<_, AppError>(true)
            })
            .await?;
        self.sequencer.notify();
        Ok(made.then_some(FirstAdministrator { name, password }))
    }

    /// Notes that somebody can log in as the first administrator now: its password was shown or chosen by them, or its
    /// token was written.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn first_start_done(&self) -> Result<(), AppError> {
        self.store().write(|tx| Ok(tx.put_setting(STATE, DONE)?)).await
    }

    /// Whether a first start may write its token to `path`: to a file that is there already only if an earlier try meant to
    /// write that one. It may hold the token of another server. Nothing is asked of a server that has its administrator.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn claim_token_file(&self, path: String, exists: bool) -> Result<bool, AppError> {
        if self.store().read(unclaimed).await?.is_none() {
            return Ok(true);
        }
        self.store()
            .write(move |tx| {
                let free = !exists || tx.setting(TOKEN_FILE)?.as_deref() == Some(path.as_str());
                if free {
                    tx.put_setting(TOKEN_FILE, &path)?;
                }
                Ok::<_, AppError>(free)
            })
            .await
    }

    /// A token for the administrator that this start has made; nobody else could prove to be them yet.
    ///
    /// # Errors
    /// As [`Self::create_token`].
    pub async fn bootstrap_token(
        &self,
        first: &FirstAdministrator,
        new: NewToken,
    ) -> Result<Redacted<String>, AppError> {
        let credentials =
            Credentials::Password { name: first.name.as_str().to_owned(), password: first.password.clone() };
        let caller = self.authenticate(credentials, None, None).await?;
        // Where the settings ask administrators for a second factor, nobody can have one yet; and where tokens must end, this one
        // ends as late as it may.
        let mut caller = caller;
        if let Some(who) = caller.principal().cloned() {
            caller = Caller::new(Principal { admin: true, ..who }, None, None);
        }
        let latest = self.rules.longest_token_seconds.map(|seconds| self.now().plus_seconds(seconds));
        let new = NewToken { expires: new.expires.or(latest), ..new };
        Ok(self.create_token(&caller, new).await?.0)
    }
}

/// A catalog without users, or with one that nobody can have logged in as.
#[derive(Debug, PartialEq)]
struct Unclaimed(Option<UserRecord>);

fn unclaimed(tx: &mut dyn Transaction) -> Result<Option<Unclaimed>, AppError> {
    let mut users = tx.users()?;
    // Those that were imported can't log in before an administrator gives them a password.
    users.retain(|user| user.password.is_some());
    Ok(match (users.pop(), users.is_empty()) {
        // Once somebody was given a way in, a start gives none to anybody else.
        (None, _) if tx.setting(STATE)?.as_deref() != Some(DONE) => Some(Unclaimed(None)),
        (Some(user), true) if tx.setting(STATE)?.as_deref() == Some(PENDING) => Some(Unclaimed(Some(user))),
        _ => None,
    })
}
