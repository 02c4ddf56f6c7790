use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::{Clock, Digest, Timestamp};

use crate::jws::{self, Unverified};
use crate::verify::Use;
use crate::{Kind, Machine, OidcError, Provider, SettingsError, StateKey};

/// A token that was found right is taken at its word for so many seconds, and no longer than it lives.
const KNOWN_SECONDS: i64 = 60;
/// So many tokens are remembered; then all are forgotten.
const MOST_KNOWN: usize = 4096;

/// All providers of a server.
pub struct Providers {
    all: Vec<Arc<Provider>>,
    key: StateKey,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<Digest, (Machine, Timestamp)>>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|provider| provider.name())).finish()
    }
}

impl Providers {
    /// Puts them together.
    ///
    /// # Errors
    /// [`SettingsError`] for two with one name, or two with one issuer for machines: it must be clear whose rules hold.
    pub fn new(all: Vec<Arc<Provider>>, key: StateKey, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        for (position, one) in all.iter().enumerate() {
            let both_machines = |other: &Provider| one.kind() == Kind::Machines && other.kind() == Kind::Machines;
            let clash = all.iter().skip(position + 1).any(|other| {
                one.name() == other.name() || (both_machines(other) && one.settings.issuer == other.settings.issuer)
            });
            if clash {
                let reason = "another one has the same name, or the same issuer for machines".to_owned();
                return Err(SettingsError { provider: one.name().to_owned(), reason });
            }
        }
        Ok(Self { all, key, clock, known: Mutex::default() })
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Provider>> {
        self.all.iter().find(|provider| provider.name() == name)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.all.iter()
    }

    /// Those that people log in at.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.all.iter().filter(|provider| provider.kind() == Kind::People)
    }

    /// The key of log-ins under way.
    #[must_use]
    pub const fn state_key(&self) -> &StateKey {
        &self.key
    }

    /// Whether a bearer token could be one of a provider's.
    #[must_use]
    pub fn could_know(&self, token: &str) -> bool {
        token.len() <= jws::LONGEST_TOKEN
            && jws::looks_like_one(token)
            && self.all.iter().any(|provider| provider.kind() == Kind::Machines)
    }

    /// Which machine shows this token.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn machine(&self, token: &str) -> Result<Machine, OidcError> {
        let now = self.clock.now();
        let digest = Digest::of(token.as_bytes());
        if let Some(machine) = self.remembered(&digest, now) {
            return Ok(machine);
        }
        let unverified = Unverified::parse(token)?;
        let issuer = unverified.claims.text("iss").unwrap_or_default();
        let provider =
            self.all.iter().find(|provider| provider.kind() == Kind::Machines && provider.settings.issuer == issuer);
        let provider = provider
            .ok_or_else(|| OidcError::refused("oidc.issuer", "no issuer of this name is known for machines"))?;
        let verified = provider.verify(token, Use::Bearer).await?;
        let rule = provider.settings.machines.iter().find(|rule| rule.matches(&verified.claims));
        let rule = rule.ok_or_else(|| OidcError::refused("oidc.machine", "no account is meant for this machine"))?;
        let expires = verified.expires.ok_or_else(|| OidcError::refused("oidc.time", "the token never expires"))?;
        let machine = Machine {
            provider: provider.name().to_owned(),
            account: rule.account.clone(),
            subject: verified.subject.unwrap_or_default(),
            expires,
            first: true,
        };
        self.remember(digest, &machine, now);
        Ok(machine)
    }

    fn remembered(&self, digest: &Digest, now: Timestamp) -> Option<Machine> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (machine, until) = known.get(digest)?;
        // A clock that was set back makes no token good for longer.
        let good = now < *until && *until <= now.plus_seconds(KNOWN_SECONDS);
        good.then(|| Machine { first: false, ..machine.clone() })
    }

    fn remember(&self, digest: Digest, machine: &Machine, now: Timestamp) {
        let until = machine.expires.min(now.plus_seconds(KNOWN_SECONDS));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(digest, (machine.clone(), until));
    }
}
