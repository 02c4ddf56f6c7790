//! Whose name and password these are.

use std::sync::Arc;

use sealyard_core::{Redacted, Rng};
use sealyard_identity::{Answer, DirectoryError, DirectoryPerson, PasswordDirectory, PrincipalName};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::server::Server;
use crate::session::{Entry, Session};
use crate::settings::Resolved;
use crate::template::escape_dn;
use crate::{LdapError, LdapSettings, LdapSettingsError, groups};

/// Sign-ins that are checked at once; each is a connection.
const AT_ONCE: usize = 16;
/// The longest password that is sent on.
const LONGEST_PASSWORD: usize = 1024;
/// The longest id or name that is taken.
const LONGEST_VALUE: usize = 256;

/// A directory: its servers, and how it is asked.
#[derive(Debug, Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    asked: Resolved,
    rng: Arc<dyn Rng>,
    places: Arc<Semaphore>,
}

impl Directory {
    /// Checks the settings and reads their files; connects to nothing.
    ///
    /// # Errors
    /// [`LdapSettingsError`].
    pub fn open(name: &str, settings: LdapSettings, rng: Arc<dyn Rng>) -> Result<Self, LdapSettingsError> {
        let asked = settings.resolve()?;
        Ok(Self {
            inner: Arc::new(Inner { name: name.to_owned(), asked, rng, places: Arc::new(Semaphore::new(AT_ONCE)) }),
        })
    }

    /// Whose name and password these are. An unknown name takes the same steps as a known one with a wrong password.
    ///
    /// # Errors
    /// [`LdapError::Refused`] when the directory says no; [`LdapError::Unavailable`] when no server of it says anything that
    /// can be used.
    pub async fn authenticate(&self, name: &str, password: &Redacted<String>) -> Result<DirectoryPerson, LdapError> {
        // RFC 4513, 5.1.2: a bind with a name and no password is "unauthenticated", and many servers answer it with success.
        if password.expose().is_empty() || password.expose().len() > LONGEST_PASSWORD {
            return Err(LdapError::Refused("a password is needed"));
        }
        // The names that accounts can have. No other name is worth a question.
        if PrincipalName::new(name).is_err() {
            self.ask(None, password).await?;
            return Err(LdapError::Refused("the name can't be one"));
        }
        self.ask(Some(name), password).await
    }

    async fn ask(&self, name: Option<&str>, password: &Redacted<String>) -> Result<DirectoryPerson, LdapError> {
        let inner = &self.inner;
        // Both belong to the work: who hangs up must not make room for more, nor leave it waiting for a server for ever.
        let place = Arc::new(Arc::clone(&inner.places).acquire_owned().await.map_err(LdapError::unavailable)?);
        let mut last = LdapError::unavailable("the directory has no server");
        for server in 0..inner.asked.servers.len() {
            let (task, name, password) = (Arc::clone(inner), name.map(str::to_owned), password.clone());
            // In a task of its own: the LDAP library panics at answers that it does not expect.
            let (place, time) = (Arc::clone(&place), inner.asked.time);
            let task = tokio::spawn(async move {
                let _place = place;
                timeout(time, task.ask(server, name.as_deref(), &password)).await
            });
            let answer = match task.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(LdapError::unavailable("the server does not answer in time")),
                Err(_) => Err(LdapError::unavailable("the server's answer makes no sense")),
            };
            match answer {
                Err(LdapError::Unavailable(what)) => {
                    let (host, port) = inner.asked.servers.get(server).map_or(("", 0), Server::place);
                    tracing::warn!(directory = %inner.name, %host, port, %what, "a directory server could not be used");
                    last = LdapError::Unavailable(what);
                }
                judged => return judged,
            }
        }
        Err(last)
    }
}

impl Inner {
    async fn ask(
        &self,
        server: usize,
        name: Option<&str>,
        password: &Redacted<String>,
    ) -> Result<DirectoryPerson, LdapError> {
        let asked = &self.asked;
        let server = asked.servers.get(server).ok_or_else(|| LdapError::unavailable("no such server"))?;
        let mut session = Session::open(server, &asked.tls).await?;
        session.bind_service(asked.service.as_ref()).await?;
        // Nobody's name: what stands for "unknown" is random, so that nobody can have it.
        let nobody = self.rng.hex_id();
        let filter = asked.user_filter.fill(name.unwrap_or(&nobody), "");
        let attributes = [asked.id_attribute.as_str(), asked.name_attribute.as_str()];
        let found = session.search(&asked.user_base, &filter, &attributes, 2).await?;
        let mut entries = found.entries.into_iter();
        let entry = match (entries.next(), entries.next(), found.cut) {
            (Some(entry), None, false) if name.is_some() && !entry.dn().is_empty() => Some(entry),
            (Some(_), _, _) => {
                tracing::warn!(directory = %self.name, "a name means several entries, so it means nobody");
                None
            }
            (None, _, _) => None,
        };
        let dummy = format!("cn={},{}", escape_dn(&nobody), asked.user_base);
        let right = session.bind_as(entry.as_ref().map_or(dummy.as_str(), Entry::dn), password).await?;
        let Some(entry) = entry.filter(|_| right) else {
            return Err(LdapError::Refused("the name or password is wrong"));
        };
        let value = |attribute: &str| {
            let value = entry.only(attribute).filter(|value| !value.is_empty() && value.len() <= LONGEST_VALUE);
            value.ok_or_else(|| LdapError::unavailable(format_args!("an entry has no single {attribute}")))
        };
        let (subject, known_as) = (value(&asked.id_attribute)?, value(&asked.name_attribute)?.to_ascii_lowercase());
        if PrincipalName::new(known_as.as_str()).is_err() {
            return Err(LdapError::Refused("the directory's name can't be an account's"));
        }
        let groups = match &asked.groups {
            None => None,
            Some(search) => {
                // What somebody may see of groups is theirs to see; what groups they have is for the service to say.
                session.bind_service(asked.service.as_ref()).await?;
                Some(groups::find(&mut session, search, &known_as, entry.dn()).await?)
            }
        };
        let administrator = groups
            .as_ref()
            .filter(|_| !asked.administrators.is_empty())
            .map(|groups| !groups.is_disjoint(&asked.administrators));
        let groups = groups.map(|groups| groups.into_iter().collect());
        Ok(DirectoryPerson { subject, name: known_as, groups, administrator })
    }
}

impl PasswordDirectory for Directory {
    fn name(&self) -> &str {
        &self.inner.name
    }

    fn check<'a>(
        &'a self,
        name: &'a str,
        password: &'a Redacted<String>,
    ) -> Answer<'a, Result<DirectoryPerson, DirectoryError>> {
        Box::pin(async move {
            self.authenticate(name, password).await.map_err(|error| match error {
                LdapError::Refused(what) => DirectoryError::Refused(what.to_owned()),
                LdapError::Unavailable(what) => DirectoryError::Unavailable(what),
            })
        })
    }

    fn pretend(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let password = Redacted::new(self.inner.rng.hex_id());
            let _ = self.ask(None, &password).await;
        })
    }
}
