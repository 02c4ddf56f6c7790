//! Who is asking: passwords and tokens.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::{Digest, Hasher, Redacted, Rng, Timestamp};
use sealyard_identity::{PasswordHash, Principal, PrincipalId, PrincipalName, Token, TokenId, Via};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::model::UserRecord;

use crate::directories::Said;
use crate::tasks::blocking;
use crate::{App, AppError, Asked, Caller};

/// What a client shows to prove who it is.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// HTTP Basic.
    Password {
        /// The name as given.
        name: String,
        /// The password.
        password: Redacted<String>,
    },
    /// HTTP Bearer.
    Token(Redacted<String>),
    /// The cookie of a browser's session.
    Session(Redacted<String>),
    /// A client's certificate that was found good with the connection.
    Certificate {
        /// The account that it stands for by the server's rules, if there is a rule for it.
        account: Option<String>,
        /// When it ends.
        expires: Timestamp,
    },
}

/// Who vouches for an account where a client's certificate does.
const CERTIFICATE: &str = "certificate";

/// Passwords that were found right a moment ago. Checking one costs tens of milliseconds on purpose, and clients that
/// use Basic send it with every request.
///
/// What is kept is a hash keyed by a random value of this process, beside the stored hash it was checked against: a
/// changed password is a miss.
#[derive(Default)]
pub(crate) struct CheckedPasswords {
    key: std::sync::OnceLock<[u8; 32]>,
    known: Mutex<HashMap<Digest, String>>,
}

/// Says nothing: with key and hashes in hand, passwords could be guessed fast.
impl fmt::Debug for CheckedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedPasswords").finish_non_exhaustive()
    }
}

/// So many passwords are remembered at once; then all are forgotten.
const REMEMBERED: usize = 1024;

impl CheckedPasswords {
    pub(crate) fn fingerprint(&self, rng: &dyn Rng, name: &str, password: &str) -> Digest {
        let key = self.key.get_or_init(|| rng.bytes());
        let mut hasher = Hasher::default();
        hasher.update(key);
        hasher.update(&(name.len() as u64).to_be_bytes());
        hasher.update(name.as_bytes());
        hasher.update(password.as_bytes());
        hasher.finish()
    }

    fn contains(&self, fingerprint: &Digest, stored: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(fingerprint).is_some_and(|checked| checked == stored)
    }

    fn remember(&self, fingerprint: Digest, stored: String) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(fingerprint, stored);
    }
}

impl App {
    /// Finds out who is asking.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] whatever is wrong with the credentials; [`AppError::Throttled`] after too many
    /// failures for this name from this address.
    pub async fn authenticate(
        &self,
        credentials: Credentials,
        source: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<Caller, AppError> {
        let asked = Asked { source, request_id };
        if let Credentials::Token(token) = &credentials
            && let Some(caller) = self.check_machine(token, &asked).await?
        {
            return Ok(caller);
        }
        let Asked { source, request_id } = asked;
        let principal = match credentials {
            Credentials::Token(token) => self.check_token(&token).await?,
            Credentials::Session(secret) => self.check_session(&secret).await?,
            Credentials::Password { name, password } => {
                self.check_password(name, password, source, request_id.as_deref()).await?
            }
            Credentials::Certificate { account, expires } => {
                self.check_certificate(account, expires, source, request_id.as_deref()).await?
            }
        };
        Ok(Caller::new(principal, source, request_id))
    }

    async fn check_certificate(
        &self,
        account: Option<String>,
        expires: Timestamp,
        source: Option<IpAddr>,
        request_id: Option<&str>,
    ) -> Result<Principal, AppError> {
        let via = Via::External { provider: CERTIFICATE.to_owned(), expires: Some(expires) };
        if expires > self.now()
            && let Some(name) = account.clone()
            && let Some(user) = self.store().read_short(move |tx| Ok::<_, AppError>(tx.user(&name)?)).await?
            && let Ok(principal) = principal(&user, via)
        {
            return Ok(principal);
        }
        let reason = if account.is_some() { "no such account, or a disabled one" } else { "no rule for its names" };
        let name = account.unwrap_or_default().chars().take(128).collect();
        self.record_refusal(Event {
            time: self.now(),
            actor: "anonymous".to_owned(),
            source: source.map(|address| address.to_string()),
            request_id: request_id.map(str::to_owned),
            in_workspace: None,
            outcome: Outcome::Refused,
            act: Act::LoginFailed { name, reason: format!("{CERTIFICATE}: {reason}") },
        })
        .await?;
        Err(AppError::Unauthenticated)
    }

    async fn check_token(&self, text: &Redacted<String>) -> Result<Principal, AppError> {
        let hash = Token::parse(text.expose()).map_err(|_| AppError::Unauthenticated)?.hash().to_hex();
        let found = self
            .store()
            .read_short(move |tx| {
                let Some(token) = tx.token_by_hash(&hash)? else { return Ok(None) };
                let owner = tx.user(&token.owner)?;
                Ok::<_, AppError>(owner.map(|owner| (token, owner)))
            })
            .await?;
        let Some((token, owner)) = found else { return Err(AppError::Unauthenticated) };
        if token.revoked || token.expires.is_some_and(|expires| expires <= self.now()) {
            return Err(AppError::Unauthenticated);
        }
        // A scope that this release can't read gives nothing rather than everything.
        let scopes = token.scopes.iter().map(|scope| scope.parse()).collect::<Result<Vec<_>, _>>();
        let scopes = scopes.map_err(|_| AppError::Unauthenticated)?;
        let token_id = TokenId::new(token.id).map_err(|_| AppError::Unauthenticated)?;
        principal(&owner, Via::Token { token_id, scopes, expires: token.expires })
    }

    async fn check_password(
        &self,
        name: String,
        password: Redacted<String>,
        source: Option<IpAddr>,
        request_id: Option<&str>,
    ) -> Result<Principal, AppError> {
        let shown = name.chars().take(128).collect::<String>();
        // A peer without an address (a unix socket, a test) shares one bucket.
        let address = source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let attempt = self
            .throttle
            .attempt(&shown, address)
            .map_err(|throttled| AppError::Throttled(u64::try_from(throttled.retry_after_seconds).unwrap_or(1)))?;
        let wanted = name.clone();
        let user = match self.store().read_short(move |tx| Ok::<_, AppError>(tx.user(&wanted)?)).await {
            Ok(user) => user,
            Err(error) => {
                attempt.not_judged();
                return Err(error);
            }
        };
        let fingerprint = self.checked.fingerprint(&*self.rng, &name, password.expose());
        let stored = user.as_ref().filter(|user| !user.disabled).and_then(|user| user.password.clone());
        if let (Some(user), Some(stored)) = (&user, &stored)
            && self.checked.contains(&fingerprint, stored)
        {
            attempt.succeeded();
            return principal(user, Via::Password);
        }
        // An account with a password is ours, and no directory has a say in it.
        let ours = user.as_ref().is_some_and(|user| user.password.is_some());
        if !ours && let Some(known) = self.known_elsewhere(&fingerprint).await? {
            attempt.succeeded();
            return Ok(known);
        }
        // Each check takes 19 MiB for tens of milliseconds; a flood of them must neither take the memory nor wait in an
        // endless line.
        let Ok(_waiting) = self.waiting.try_acquire() else {
            attempt.not_judged();
            return Err(AppError::Throttled(1));
        };
        let stops = |error| AppError::internal("the server stops", error);
        let place = Arc::clone(&self.checks).acquire_owned().await.map_err(stops)?;
        // An unknown name costs as much as a known one, so that time tells nothing.
        let (hash, dummy) = (stored.clone(), self.dummy.clone());
        let given = password.clone();
        let right = blocking("a password check broke", move || {
            // Held by the check and not by the request: one that hangs up must not make room for another check.
            let _place = place;
            let hash = hash.and_then(|hash| PasswordHash::parse(&hash).ok());
            Ok(dummy.verify(hash.as_ref(), &password))
        })
        .await?;
        let event = |outcome, act| Event {
            time: self.now(),
            actor: if right { shown.clone() } else { "anonymous".to_owned() },
            source: source.map(|address| address.to_string()),
            request_id: request_id.map(str::to_owned),
            in_workspace: None,
            outcome,
            act,
        };
        match (user, stored) {
            (Some(user), Some(stored)) if right => {
                attempt.succeeded();
                self.record(event(Outcome::Done, Act::LoggedIn { method: "password".to_owned() })).await?;
                self.checked.remember(fingerprint, stored);
                principal(&user, Via::Password)
            }
            _ => {
                match self.ask_directories(ours, &name, &given, fingerprint, source, request_id).await {
                    Ok(Said::Yes(principal)) => {
                        attempt.succeeded();
                        return Ok(principal);
                    }
                    Ok(Said::Nothing { judged, error }) => {
                        if !judged {
                            attempt.not_judged();
                        }
                        return Err(error);
                    }
                    Ok(Said::No) => {}
                    // The directory let them in, and we did not: that is written down already.
                    Err(error) => return Err(error),
                }
                drop(attempt);
                let reason = "the name or password is wrong".to_owned();
                self.record_refusal(event(Outcome::Refused, Act::LoginFailed { name: shown.clone(), reason })).await?;
                Err(AppError::Unauthenticated)
            }
        }
    }
}

/// The one way from an account to somebody who is let in: one that is disabled is nobody, whatever it was proved with.
pub(crate) fn principal(user: &UserRecord, via: Via) -> Result<Principal, AppError> {
    if user.disabled {
        return Err(AppError::Unauthenticated);
    }
    Ok(Principal {
        id: principal_id(user.id)?,
        name: PrincipalName::new(user.name.clone()).map_err(|_| AppError::Unauthenticated)?,
        admin: user.admin,
        via,
    })
}

/// What grants hold on to: the user's number, which is never used again.
pub(crate) fn principal_id(id: i64) -> Result<PrincipalId, AppError> {
    PrincipalId::new(format!("u{id}")).map_err(|error| AppError::internal("a user has no number", error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sealyard_core::{FixedClock, FixedRng, SystemRng, Timestamp};
    use sealyard_ledger::LedgerKey;
    use sealyard_store_sql::{SqliteOptions, SqliteStore};
    use sealyard_vault::{Keyring, Vault};

    use super::*;
    use crate::{Parts, ServerKeys};

    async fn app(directory: &std::path::Path) -> App {
        let rng: Arc<dyn Rng> = Arc::new(FixedRng::seeded(1));
        let keyring = Keyring::open_or_create(&directory.join("master.key"), &SystemRng).unwrap();
        let vault = Vault::open_or_create(&directory.join("vault"), keyring, Arc::clone(&rng)).unwrap();
        let store = SqliteStore::open(&directory.join("catalog.db"), SqliteOptions::default()).unwrap();
        let parts = Parts {
            store: Arc::new(store),
            vault: Arc::new(vault),
            clock: Arc::new(FixedClock::at(Timestamp::from_millis(1))),
            keys: ServerKeys::open_or_create(directory, &*rng).unwrap(),
            ledger_key: LedgerKey::generate("log.example", &*rng).unwrap(),
            rng,
            policy: None,
        };
        App::new(parts).await.unwrap()
    }

    /// A check takes 19 MiB. A request that hangs up must not make room for another before its check has ended.
    #[test]
    fn a_check_keeps_its_place_when_the_request_is_gone() {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).max_blocking_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let app = app(directory.path()).await;
            let all = app.checks.available_permits();
            // The one thread that could check is held up, so that nothing here depends on how fast it is.
            let (go_on, held_up) = std::sync::mpsc::channel::<()>();
            let holding = tokio::task::spawn_blocking(move || held_up.recv());
            let password = Redacted::new("Tern-Basalt-Quillwort-58".to_owned());
            let login = app.authenticate(Credentials::Password { name: "ada".into(), password }, None, None);
            assert!(tokio::time::timeout(Duration::from_millis(300), login).await.is_err());
            assert_eq!(app.checks.available_permits(), all - 1);
            go_on.send(()).unwrap();
            holding.await.unwrap().unwrap();
            while app.checks.available_permits() < all {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
}
