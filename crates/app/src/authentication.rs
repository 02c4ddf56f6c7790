//! Who is asking: passwords and tokens.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::{Digest, Hasher, Redacted, Rng, Timestamp};
use sealyard_identity::{Attempt, PasswordHash, Principal, PrincipalId, PrincipalName, Token, TokenId, Via, network};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::model::{TokenRecord, UserRecord};

use crate::access::{LOCKED, SECOND_FACTOR, has_second_factor};
use crate::directories::Said;
use crate::known_callers::KnownCallers;
use crate::tasks::blocking;
use crate::{App, AppError, Asked, Caller, SecondFactorRule};

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
    /// HTTP Basic, and a code of the second factor beside it.
    PasswordAndCode {
        /// The name as given.
        name: String,
        /// The password.
        password: Redacted<String>,
        /// The code.
        code: Redacted<String>,
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

/// For what a password is checked.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    /// A request, with a code of the second factor if it shows one.
    Request(Option<Redacted<String>>),
    /// The log-in page, likewise: it asks for the code when it is told to.
    Page(Option<Redacted<String>>),
    /// That it is still the owner who sits there; the password is enough.
    Again,
}

/// Passwords that were found right a moment ago. Checking one costs tens of milliseconds on purpose, and clients that
/// use Basic send it with every request.
///
/// What is kept is a hash keyed by a random value of this process, beside the stored hash it was checked against: a
/// changed password is a miss.
#[derive(Default)]
pub(crate) struct CheckedPasswords {
    key: std::sync::OnceLock<[u8; 32]>,
    known: Mutex<HashMap<Digest, (String, Timestamp)>>,
}

/// Says nothing: with key and hashes in hand, passwords could be guessed fast.
impl fmt::Debug for CheckedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedPasswords").finish_non_exhaustive()
    }
}

/// So many passwords are remembered at once; then all are forgotten.
const REMEMBERED: usize = 1024;
/// A right password is checked anew after this.
const REMEMBERED_SECONDS: i64 = 5 * 60;

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

    fn contains(&self, fingerprint: &Digest, stored: &str, now: Timestamp) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(fingerprint)
            .is_some_and(|(checked, at)| checked == stored && *at <= now && now < at.plus_seconds(REMEMBERED_SECONDS))
    }

    fn remember(&self, fingerprint: Digest, stored: String, now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(fingerprint, (stored, now));
    }
}

/// What the catalog said a moment ago, so that a client that asks often does not have it asked as often.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Tokens by their hash, with their owners.
    tokens: KnownCallers<String, (TokenRecord, UserRecord)>,
    /// Accounts by the name and from where they are asked for.
    accounts: KnownCallers<(String, Option<IpAddr>), Account>,
}

/// What is known of an account before its password is looked at.
#[derive(Debug, Clone)]
struct Account {
    user: UserRecord,
    locked: bool,
    factor: bool,
    /// Whether it was noted lately that it was let in from there.
    was_here: bool,
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
                self.check_password(name, password, Purpose::Request(None), source, request_id.as_deref()).await?
            }
            Credentials::PasswordAndCode { name, password, code } => {
                let asked = Purpose::Request(Some(code));
                self.check_password(name, password, asked, source, request_id.as_deref()).await?
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
        let wanted = hash.clone();
        let read = self.store().read_short(move |tx| {
            let Some(token) = tx.token_by_hash(&wanted)? else { return Ok(None) };
            let owner = tx.user(&token.owner)?;
            Ok::<_, AppError>(owner.map(|owner| (token, owner)))
        });
        let found = self.known.tokens.get(self.store(), self.now(), hash, read).await?;
        let (token, owner) = found.as_deref().ok_or(AppError::Unauthenticated)?;
        if token.revoked || token.expires.is_some_and(|expires| expires <= self.now()) {
            return Err(AppError::Unauthenticated);
        }
        // A scope that this release can't read gives nothing rather than everything.
        let scopes = token.scopes.iter().map(|scope| scope.parse()).collect::<Result<Vec<_>, _>>();
        let scopes = scopes.map_err(|_| AppError::Unauthenticated)?;
        self.token_used(&token.id, token.used);
        let token_id = TokenId::new(token.id.clone()).map_err(|_| AppError::Unauthenticated)?;
        principal(owner, Via::Token { token_id, scopes, expires: token.expires })
    }

    async fn account_asked(&self, name: String, source: Option<IpAddr>) -> Result<Option<Arc<Account>>, AppError> {
        let (app, wanted) = (self.clone(), name.clone());
        let read = self.store().read_short(move |tx| {
            let Some(user) = tx.user(&wanted)? else { return Ok(None) };
            let (locked, factor) = (app.is_locked(tx, &user, source)?, has_second_factor(tx, &user)?);
            let was_here = app.was_here(tx, &user, source)?;
            Ok::<_, AppError>(Some(Account { user, locked, factor, was_here }))
        });
        self.known.accounts.get(self.store(), self.now(), (name, source), read).await
    }

    pub(crate) async fn check_password(
        &self,
        name: String,
        password: Redacted<String>,
        asked: Purpose,
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
        let account = match self.account_asked(name.clone(), source).await {
            Ok(account) => account,
            Err(error) => {
                attempt.not_judged();
                return Err(error);
            }
        };
        let locked = account.as_ref().is_some_and(|account| account.locked);
        let factor = account.as_ref().is_some_and(|account| account.factor);
        let known_here = account.as_ref().is_none_or(|account| account.was_here);
        let user = account.as_ref().map(|account| account.user.clone());
        let again = matches!(asked, Purpose::Again);
        let fingerprint = self.checked.fingerprint(&*self.rng, &name, password.expose());
        // Where it is locked no password is right, and that costs and looks as a wrong one does.
        let stored = user.as_ref().filter(|user| !user.disabled && !locked).and_then(|user| user.password.clone());
        if let (Some(user), Some(stored)) = (&user, &stored)
            && self.checked.contains(&fingerprint, stored, self.now())
        {
            let who = self.second_step(attempt, user, factor, asked, source, request_id).await?;
            if !known_here && !again {
                let (app, user) = (self.clone(), user.clone());
                self.store().write(move |tx| app.note_let_in(tx, &user, source)).await?;
            }
            return Ok(who);
        }
        // An account with a password is ours, and no directory has a say in it.
        let ours = user.as_ref().is_some_and(|user| user.password.is_some());
        if !ours && let Some(known) = self.known_elsewhere(&fingerprint).await? {
            attempt.succeeded();
            return Ok(known);
        }
        // Each check takes 19 MiB for tens of milliseconds; a flood of them must neither take the memory nor wait in an
        // endless line.
        let Some(_waiting) = self.waiting.admit(network(address)) else {
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
        let known = user.clone();
        match (user, stored) {
            (Some(user), Some(stored)) if right => {
                let who = self.second_step(attempt, &user, factor, asked, source, request_id).await?;
                let let_in = event(Outcome::Done, Act::LoggedIn { method: "password".to_owned() });
                let app = self.clone();
                self.store()
                    .write(move |tx| {
                        // Whoever proves again that it is they came in elsewhere.
                        if !again {
                            app.note_let_in(tx, &user, source)?;
                        }
                        Ok::<_, AppError>(tx.record(&let_in)?)
                    })
                    .await?;
                self.sequencer.notify();
                self.checked.remember(fingerprint, stored, self.now());
                Ok(who)
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
                let reason = if locked { LOCKED } else { "the name or password is wrong" }.to_owned();
                if let Some(user) = known.filter(|user| user.password.is_some() && !locked) {
                    let change = "locked after too many wrong passwords".to_owned();
                    let act = Act::UserUpdated { name: user.name.clone(), change };
                    self.count_wrong(user, event(Outcome::Refused, act)).await?;
                }
                self.record_refusal(event(Outcome::Refused, Act::LoginFailed { name: shown.clone(), reason })).await?;
                Err(AppError::Unauthenticated)
            }
        }
    }
}

impl App {
    /// What comes after a right password: the second factor, where the account has one.
    async fn second_step(
        &self,
        attempt: Attempt,
        user: &UserRecord,
        factor: bool,
        asked: Purpose,
        source: Option<IpAddr>,
        request_id: Option<&str>,
    ) -> Result<Principal, AppError> {
        let (code, page) = match asked {
            Purpose::Request(code) => (code, false),
            Purpose::Page(code) => (code, true),
            Purpose::Again => {
                // Only a right code makes wrong ones forgotten.
                if factor {
                    attempt.not_judged()
                } else {
                    attempt.succeeded()
                }
                return self.person(user, factor, Via::Password);
            }
        };
        if !factor {
            attempt.succeeded();
            return self.person(user, factor, Via::Password);
        }
        let refused = |reason: &str| Event {
            time: self.now(),
            actor: "anonymous".to_owned(),
            source: source.map(|address| address.to_string()),
            request_id: request_id.map(str::to_owned),
            in_workspace: None,
            outcome: Outcome::Refused,
            act: Act::LoginFailed { name: user.name.clone(), reason: reason.to_owned() },
        };
        let Some(code) = code else {
            attempt.not_judged();
            if !page {
                self.record_refusal(refused(SECOND_FACTOR)).await?;
            }
            return Err(AppError::Denied {
                rule: SECOND_FACTOR,
                action: "log in with a password alone".to_owned(),
                resource: user.name.clone(),
            });
        };
        let (app, owner) = (self.clone(), user.clone());
        let right = self.store().write(move |tx| app.use_code(tx, &owner, &code)).await?;
        if right {
            attempt.succeeded();
            return self.person(user, factor, Via::Password);
        }
        drop(attempt);
        let change = "locked after too many wrong codes".to_owned();
        let locked = Act::UserUpdated { name: user.name.clone(), change };
        self.count_wrong(user.clone(), Event { act: locked, ..refused("") }).await?;
        self.record_refusal(refused("the code of the second factor is wrong")).await?;
        Err(AppError::Unauthenticated)
    }

    /// Counts a wrong code of an account that is logged in.
    pub(crate) async fn count_wrong_code(&self, caller: &Caller, name: &str) -> Result<(), AppError> {
        let wanted = name.to_owned();
        let user = self.store().read_short(move |tx| Ok::<_, AppError>(tx.user(&wanted)?)).await?;
        let Some(user) = user else { return Ok(()) };
        let change = "locked after too many wrong codes".to_owned();
        let act = Act::UserUpdated { name: user.name.clone(), change };
        self.count_wrong(user, self.event(caller, Outcome::Refused, act)).await
    }

    /// Counts a wrong password or code; `locked` is written when that locks the account.
    async fn count_wrong(&self, user: UserRecord, locked: Event) -> Result<(), AppError> {
        let app = self.clone();
        self.store()
            .write(move |tx| {
                if app.count_failure(tx, &user)? {
                    tx.record(&locked)?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Somebody who showed a password or a session: one who must have a second factor for it, and has none, is no administrator.
    pub(crate) fn person(&self, user: &UserRecord, factor: bool, via: Via) -> Result<Principal, AppError> {
        let lacks = user.admin && !factor && self.rules.second_factor == SecondFactorRule::Administrators;
        let who = principal(user, via)?;
        Ok(Principal { admin: who.admin && !lacks, ..who })
    }

    /// The same for somebody who has shown a password and nothing else.
    pub(crate) fn by_password_alone(&self, who: Principal) -> Principal {
        let lacks = self.rules.second_factor == SecondFactorRule::Administrators;
        Principal { admin: who.admin && !lacks, ..who }
    }

    /// Has the caller prove by their password that it is still they. Gives their name.
    pub(crate) async fn prove_again(&self, caller: &Caller, password: Redacted<String>) -> Result<String, AppError> {
        let name = caller.principal().ok_or(AppError::Unauthenticated)?.name.to_string();
        let id = caller.request_id.as_deref();
        let proved = self.check_password(name.clone(), password, Purpose::Again, caller.source, id).await;
        proved.map_err(|error| match error {
            AppError::Unauthenticated => AppError::Invalid("Current password does not match.".to_owned()),
            other => other,
        })?;
        Ok(name)
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
