//! Browsers' sessions: log in with a password once, then show a cookie.
//!
//! They live in the catalog and not in memory, so that every replica knows them and a log-out holds everywhere.

use std::net::IpAddr;

use sealyard_core::{Redacted, Timestamp};
use sealyard_identity::{Principal, SessionSecret, Via};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{SessionRecord, UserRecord};

use crate::access::has_second_factor;
use crate::authentication::{Purpose, principal, principal_id};
use crate::{App, AppError, Caller};

/// A use is noted when the noted one is older than this: not every request shall write.
const NOTED_SECONDS: i64 = 60;
/// Sessions that one user can have at once; the oldest makes room.
const MOST_SESSIONS: usize = 50;

/// A session that was begun.
#[derive(Debug)]
pub struct NewSession {
    /// What the browser's cookie holds.
    pub secret: Redacted<String>,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// Where a session comes from.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// The provider that vouched for the user, if one did.
    pub(crate) provider: Option<String>,
    /// What the provider calls its own session.
    pub(crate) external: Option<String>,
    /// When it ends at the latest, if sooner than others.
    pub(crate) until: Option<Timestamp>,
}

impl App {
    /// Begins a session for the right name and password; the one before, if the browser shows its cookie, ends: a
    /// session that somebody else knows of is never the one that is logged in.
    ///
    /// # Errors
    /// As [`App::authenticate`]; [`AppError::TooOften`].
    pub async fn log_in(
        &self,
        name: String,
        password: Redacted<String>,
        previous: Option<&Redacted<String>>,
        source: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<NewSession, AppError> {
        self.log_in_with_code(name, password, None, previous, source, request_id).await
    }

    /// Likewise, with a code of the second factor, where the account has one.
    ///
    /// # Errors
    /// As [`Self::log_in`]; [`AppError::Denied`] by [`SECOND_FACTOR`](crate::SECOND_FACTOR) where a code is asked for and none was
    /// given.
    pub async fn log_in_with_code(
        &self,
        name: String,
        password: Redacted<String>,
        code: Option<Redacted<String>>,
        previous: Option<&Redacted<String>>,
        source: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<NewSession, AppError> {
        let wanted = name.clone();
        let before = self.store().read_short(move |tx| Ok::<_, AppError>(tx.user(&wanted)?)).await?;
        let who = self.check_password(name, password, Purpose::Page(code), source, request_id.as_deref()).await?;
        let caller = Caller::new(who, source, request_id);
        if caller.principal().is_some_and(|who| matches!(who.via, Via::External { .. })) {
            return self.open_session(&caller, previous, None, None).await;
        }
        let origin = Origin::default();
        // A password that was changed while it was checked lets nobody in any more.
        let same = move |user: &UserRecord| {
            before.is_some_and(|before| before.id == user.id && before.password == user.password)
        };
        self.begin_session(&caller, previous, origin, same).await
    }

    /// Begins a session for a caller who has just proved who they are; `holds` is asked, as the session is written, whether that
    /// proof still holds for the account.
    pub(crate) async fn begin_session(
        &self,
        caller: &Caller,
        previous: Option<&Redacted<String>>,
        origin: Origin,
        holds: impl FnOnce(&UserRecord) -> bool + Send + 'static,
    ) -> Result<NewSession, AppError> {
        let Some(who) = caller.principal().cloned() else { return Err(AppError::Unauthenticated) };
        self.spend_own_act(&who)?;
        let (secret, now) = (SessionSecret::generate(self.rng()), self.now());
        let longest = now.plus_seconds(self.rules.longest_seconds);
        let record = SessionRecord {
            id: format!("s{}", self.rng().hex_id()),
            owner: who.name.as_str().to_owned(),
            hash: secret.hash(),
            created: now,
            seen: now,
            expires: origin.until.map_or(longest, |until| until.min(longest)),
            provider: origin.provider,
            external: origin.external,
        };
        let expires = record.expires;
        let act = Act::SessionStarted { session: record.id.clone(), expires };
        let started = self.event(caller, Outcome::Done, act);
        let ended = |session: &SessionRecord, reason: &str| {
            let act = Act::SessionEnded { session: session.id.clone(), reason: reason.to_owned() };
            self.event(caller, Outcome::Done, act)
        };
        let previous = match previous.and_then(|text| SessionSecret::parse(text.expose()).ok()) {
            Some(secret) => {
                let hash = secret.hash();
                self.store().read_short(move |tx| Ok::<_, AppError>(tx.session_by_hash(&hash)?)).await?
            }
            None => None,
        };
        let previous = previous.map(|session| (ended(&session, "a new log in replaced it"), session.hash));
        let owner = record.owner.clone();
        let others = self.store().read_short(move |tx| Ok::<_, AppError>(tx.sessions_of(&owner)?)).await?;
        let too_many = others.len().saturating_sub(MOST_SESSIONS - 1);
        let crowded: Vec<_> = others
            .iter()
            .take(too_many)
            .map(|session| (ended(session, "the user has too many"), session.hash.clone()))
            .collect();
        let idle = self.rules.idle_seconds;
        self.store()
            .write(move |tx| {
                let user = tx.user(&record.owner)?.ok_or(AppError::Unauthenticated)?;
                if user.disabled || !holds(&user) || principal_id(user.id)? != who.id {
                    return Err(AppError::Unauthenticated);
                }
                tx.remove_old_sessions(now, now.plus_seconds(-idle))?;
                for (event, hash) in previous.into_iter().chain(crowded) {
                    if tx.end_session(&hash)? {
                        tx.record(&event)?;
                    }
                }
                tx.create_session(&record)?;
                Ok(tx.record(&started)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(NewSession { secret: secret.value().clone(), expires })
    }

    /// Ends the session of this cookie; a cookie of none is fine.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn log_out(
        &self,
        secret: &Redacted<String>,
        source: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<(), AppError> {
        let Ok(parsed) = SessionSecret::parse(secret.expose()) else { return Ok(()) };
        let hash = parsed.hash();
        let wanted = hash.clone();
        let found = self
            .store()
            .read_short(move |tx| {
                let Some(session) = tx.session_by_hash(&wanted)? else { return Ok(None) };
                let owner = tx.user(&session.owner)?;
                Ok::<_, AppError>(owner.map(|owner| (session, owner)))
            })
            .await?;
        let Some((session, owner)) = found else { return Ok(()) };
        let caller = Caller::new(principal(&owner, Via::Session)?, source, request_id);
        let act = Act::SessionEnded { session: session.id, reason: "logged out".to_owned() };
        let event = self.event(&caller, Outcome::Done, act);
        self.store()
            .write(move |tx| {
                if tx.end_session(&hash)? {
                    tx.record(&event)?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Whose session the cookie is of.
    pub(crate) async fn check_session(&self, secret: &Redacted<String>) -> Result<Principal, AppError> {
        let hash = SessionSecret::parse(secret.expose()).map_err(|_| AppError::Unauthenticated)?.hash();
        let wanted = hash.clone();
        let directories = self.directory_names();
        let found = self
            .store()
            .read_short(move |tx| {
                let Some(session) = tx.session_by_hash(&wanted)? else { return Ok(None) };
                let Some(owner) = tx.user(&session.owner)? else { return Ok(None) };
                // A provider has seen to that; a directory was only asked for a password.
                let vouched = session.provider.as_ref().is_some_and(|provider| !directories.contains(provider));
                let factor = vouched || has_second_factor(tx, &owner)?;
                Ok::<_, AppError>(Some((session, owner, factor)))
            })
            .await?;
        let Some((session, owner, factor)) = found else { return Err(AppError::Unauthenticated) };
        let now = self.now();
        if session.expires <= now || session.seen.plus_seconds(self.rules.idle_seconds) <= now {
            return Err(AppError::Unauthenticated);
        }
        if session.seen.plus_seconds(NOTED_SECONDS) <= now {
            let noted = self.store().write(move |tx| Ok::<_, AppError>(tx.session_seen(&hash, now)?)).await;
            if let Err(error) = noted {
                // The session only ends sooner for it.
                tracing::warn!(%error, "the use of a session could not be noted");
            }
        }
        self.person(&owner, factor, Via::Session)
    }
}
