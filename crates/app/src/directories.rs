//! Passwords that a directory checks, of people who have no password here.
//!
//! An account that has one here is never asked about elsewhere: its password goes to nobody else, and nobody else can say that
//! they are it. When its password is wrong, directories are only pretended to be asked, so that time does not tell which names
//! have accounts of this server.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::{Digest, Redacted, Timestamp};
use sealyard_identity::{DirectoryError, PasswordDirectory, Principal, Via};

use crate::{App, AppError, ExternalIdentity};

/// Stands in the ledger before the name of a directory.
pub(crate) const METHOD: &str = "ldap";
/// Clients that use Basic send the password with every request; a directory is asked again after this.
const REMEMBERED_SECONDS: i64 = 30;
/// So many are remembered at once; then all are forgotten.
const MOST_REMEMBERED: usize = 1024;

/// The directories, and what they said a moment ago.
#[derive(Default)]
pub(crate) struct Directories {
    all: Vec<Arc<dyn PasswordDirectory>>,
    known: Mutex<HashMap<Digest, Known>>,
}

/// Says nothing of what is remembered.
impl fmt::Debug for Directories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directories").field("all", &self.all).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Known {
    user: i64,
    provider: String,
    until: Timestamp,
}

impl Directories {
    fn known(&self, fingerprint: &Digest, now: Timestamp) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(fingerprint).filter(|known| now < known.until).cloned()
    }

    fn remember(&self, fingerprint: Digest, what: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(fingerprint, what);
    }
}

/// What the directories say.
pub(crate) enum Said {
    /// It is somebody.
    Yes(Principal),
    /// It is nobody.
    No,
    /// One of them says nothing, and none says yes; `judged` if another said no.
    Nothing {
        /// Whether a directory judged the password.
        judged: bool,
        /// For the log.
        error: AppError,
    },
}

impl App {
    /// With directories, which are asked in this order.
    #[must_use]
    pub fn with_directories(self, all: Vec<Arc<dyn PasswordDirectory>>) -> Self {
        Self { directories: Arc::new(Directories { all, known: Mutex::default() }), ..self }
    }

    /// The directories, by their names in the settings.
    pub(crate) fn directory_names(&self) -> Vec<String> {
        self.directories.all.iter().map(|directory| directory.name().to_owned()).collect()
    }

    /// Who a directory said this is a moment ago. The account is read anew: one that was disabled since is nobody.
    pub(crate) async fn known_elsewhere(&self, fingerprint: &Digest) -> Result<Option<Principal>, AppError> {
        let Some(known) = self.directories.known(fingerprint, self.now()) else { return Ok(None) };
        let user = self.store().read_short(move |tx| Ok::<_, AppError>(tx.user_numbered(known.user)?)).await?;
        let via = Via::External { provider: known.provider, expires: None };
        let user = user.filter(|user| user.password.is_none());
        user.map(|user| self.person(&user, false, via)).transpose()
    }

    /// Asks the directories whose name and password these are; of an account of this server only as if.
    pub(crate) async fn ask_directories(
        &self,
        ours: bool,
        name: &str,
        password: &Redacted<String>,
        fingerprint: Digest,
        source: Option<IpAddr>,
        request_id: Option<&str>,
    ) -> Result<Said, AppError> {
        let (mut judged, mut silent) = (false, None);
        for directory in &self.directories.all {
            if ours {
                directory.pretend().await;
                continue;
            }
            let person = match directory.check(name, password).await {
                Ok(person) => person,
                Err(DirectoryError::Unavailable(what)) => {
                    silent = Some(format!("the directory {} can't be used: {what}", directory.name()));
                    continue;
                }
                Err(_) => {
                    judged = true;
                    continue;
                }
            };
            let provider = directory.name().to_owned();
            let identity = ExternalIdentity {
                provider: provider.clone(),
                method: METHOD,
                subject: person.subject,
                name: person.name,
                groups: person.groups,
                administrator: person.administrator,
                expires: None,
            };
            let caller = self.sign_in_external(identity, source, request_id.map(str::to_owned)).await?;
            let Some(principal) = caller.principal().cloned() else { return Ok(Said::No) };
            let principal = self.by_password_alone(principal);
            let number = principal.id.as_str().strip_prefix('u').and_then(|number| number.parse().ok());
            if let Some(user) = number {
                let until = self.now().plus_seconds(REMEMBERED_SECONDS);
                self.directories.remember(fingerprint, Known { user, provider, until });
            }
            return Ok(Said::Yes(principal));
        }
        Ok(match silent {
            Some(what) => Said::Nothing { judged, error: AppError::Unavailable(what) },
            None => Said::No,
        })
    }
}
