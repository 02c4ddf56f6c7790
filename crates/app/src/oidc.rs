//! Log-ins at OpenID providers, their word that somebody logged out, and bearer tokens of machines. What the tokens must be is
//! checked by [`sealyard_identity_oidc`]; here they become accounts and sessions.

use std::net::IpAddr;

use sealyard_core::{Digest, Redacted, Timestamp};
use sealyard_identity::SessionSecret;
use sealyard_identity_oidc::{Begun, OidcError, Provider, Providers};
use sealyard_ledger::{Act, Event, Outcome};

use crate::tasks::to_its_end;
use crate::{App, AppError, Caller, ExternalIdentity, MappedIdentity, NewSession};

/// Stands in the ledger before the name of a provider.
const METHOD: &str = "oidc";

/// A provider that people can log in at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginProvider {
    /// What it is called in addresses.
    pub name: String,
    /// What people read.
    pub display: String,
}

/// From where something was asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The address.
    pub source: Option<IpAddr>,
    /// The request's id.
    pub request_id: Option<String>,
}

impl App {
    /// With providers of identities; without these there are none.
    #[must_use]
    pub fn with_oidc(self, providers: Providers) -> Self {
        Self { oidc: Some(std::sync::Arc::new(providers)), ..self }
    }

    /// Where people can log in.
    #[must_use]
    pub fn oidc_logins(&self) -> Vec<LoginProvider> {
        let of = |provider: &std::sync::Arc<Provider>| LoginProvider {
            name: provider.name().to_owned(),
            display: provider.display().to_owned(),
        };
        self.oidc.iter().flat_map(|providers| providers.people()).map(of).collect()
    }

    /// Asks each provider for its keys; gives those that could not be asked, and why.
    pub async fn oidc_problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for provider in self.oidc.iter().flat_map(|providers| providers.all()) {
            match provider.probe().await {
                Ok(0) => problems.push((provider.name().to_owned(), "it has no key for signatures".to_owned())),
                Ok(_) => {}
                Err(error) => problems.push((provider.name().to_owned(), error.to_string())),
            }
        }
        problems
    }

    fn oidc_provider(&self, name: &str) -> Result<(&Providers, &std::sync::Arc<Provider>), AppError> {
        let unknown = || AppError::NotFound { kind: "identity provider", id: name.chars().take(80).collect() };
        let providers = self.oidc.as_deref().ok_or_else(unknown)?;
        Ok((providers, providers.get(name).ok_or_else(unknown)?))
    }

    /// Begins a log-in: where the browser goes, and the cookie that binds it to what comes back.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown provider; [`AppError::Unavailable`] for one that does not answer.
    pub async fn begin_oidc(&self, provider: &str, next: &str) -> Result<Begun, AppError> {
        let (providers, provider) = self.oidc_provider(provider)?;
        provider.begin(providers.state_key(), next).await.map_err(from_oidc)
    }

    /// Ends a log-in: a session, always a new one, and the path that was wanted. The session before, if the browser shows its
    /// cookie, ends.
    ///
    /// # Errors
    /// [`AppError::Refused`] by the rule that said no; [`AppError::Unavailable`]; as [`App::sign_in_external`].
    pub async fn finish_oidc(
        &self,
        provider: &str,
        cookie: Option<Redacted<String>>,
        query: &str,
        previous: Option<Redacted<String>>,
        asked: Asked,
    ) -> Result<(NewSession, String), AppError> {
        self.oidc_provider(provider)?;
        // A code is good for one time: who hangs up must not leave it used, and nobody logged in by it half-way.
        let (this, provider, query) = (self.clone(), provider.to_owned(), query.to_owned());
        to_its_end("a log-in was not finished", async move {
            let (providers, found) = this.oidc_provider(&provider)?;
            let cookie = cookie.as_ref().map(|cookie| cookie.expose().as_str());
            let finished = match found.finish(providers.state_key(), cookie, &query).await {
                Ok(finished) => finished,
                Err(error) => return Err(this.oidc_refused(&provider, error, &asked).await?),
            };
            if !this.first_use(&finished.once, finished.once_until).await? {
                let again = OidcError::Refused { rule: "oidc.replay", reason: "this log-in ended before".to_owned() };
                return Err(this.oidc_refused(&provider, again, &asked).await?);
            }
            let person = finished.person;
            let identity = ExternalIdentity {
                provider,
                method: METHOD,
                subject: person.subject,
                name: person.name,
                groups: person.groups.map(|groups| groups.into_iter().collect()),
                administrator: person.administrator,
                expires: None,
            };
            let caller = this.sign_in_external(identity, asked.source, asked.request_id).await?;
            let session = this.open_session(&caller, previous.as_ref(), person.session, None).await?;
            Ok((session, finished.next))
        })
        .await
    }

    /// Ends the sessions that a provider's log-out token is about; gives how many.
    ///
    /// # Errors
    /// As [`App::finish_oidc`].
    pub async fn oidc_logged_out(&self, provider: &str, token: &str, asked: Asked) -> Result<usize, AppError> {
        let (_, found) = self.oidc_provider(provider)?;
        let told = match found.logout(token).await {
            Ok(told) => told,
            Err(error) => return Err(self.oidc_refused(provider, error, &asked).await?),
        };
        let (subject, session) = (told.subject.as_deref(), told.session.as_deref());
        let once = Some((&told.once, told.once_until));
        let (source, request_id) = (asked.source, asked.request_id.clone());
        let Some(ended) = self.end_sessions_by(provider, subject, session, once, source, request_id).await? else {
            let again = OidcError::Refused { rule: "oidc.replay", reason: "this token came before".to_owned() };
            return Err(self.oidc_refused(provider, again, &asked).await?);
        };
        Ok(ended)
    }

    /// Where the browser of this session goes to log out of its provider too.
    pub async fn oidc_end_session(&self, secret: &Redacted<String>) -> Option<String> {
        let hash = SessionSecret::parse(secret.expose()).ok()?.hash();
        let found = self.store().read_short(move |tx| Ok::<_, AppError>(tx.session_by_hash(&hash)?)).await.ok()??;
        let (_, provider) = self.oidc_provider(&found.provider?).ok()?;
        provider.end_session().await
    }

    /// Who a machine is, if the bearer token is one of a provider's and none of ours.
    pub(crate) async fn check_machine(
        &self,
        token: &Redacted<String>,
        asked: &Asked,
    ) -> Result<Option<Caller>, AppError> {
        let Some(providers) = self.oidc.as_deref().filter(|providers| providers.could_know(token.expose())) else {
            return Ok(None);
        };
        let machine = match providers.machine(token.expose()).await {
            Ok(machine) => machine,
            // Whatever is wrong with it, the caller learns no more than that.
            Err(error @ OidcError::Refused { .. }) => {
                self.oidc_refused("token", error, asked).await?;
                return Err(AppError::Unauthenticated);
            }
            Err(error) => return Err(from_oidc(error)),
        };
        let identity = MappedIdentity {
            provider: machine.provider,
            method: METHOD,
            account: machine.account,
            expires: Some(machine.expires),
        };
        let (source, request_id) = (asked.source, asked.request_id.clone());
        self.sign_in_mapped(identity, machine.first, source, request_id).await.map(Some)
    }

    /// Whether what is good for one time is used for the first time, at any server of this catalog.
    pub(crate) async fn first_use(&self, once: &Digest, until: Timestamp) -> Result<bool, AppError> {
        let (digest, now) = (once.to_hex(), self.now());
        self.store().write(move |tx| Ok::<_, AppError>(tx.use_once(&digest, until, now)?)).await
    }

    /// Notes in the ledger that a rule let nobody in.
    async fn oidc_refused(&self, provider: &str, error: OidcError, asked: &Asked) -> Result<AppError, AppError> {
        if let Some(rule) = error.rule() {
            let act = Act::LoginFailed { name: String::new(), reason: format!("{METHOD}:{provider}: {rule}") };
            let event = Event {
                time: self.now(),
                actor: "anonymous".to_owned(),
                source: asked.source.map(|address| address.to_string()),
                request_id: asked.request_id.clone(),
                in_workspace: None,
                outcome: Outcome::Refused,
                act,
            };
            self.record_refusal(event).await?;
        }
        Ok(from_oidc(error))
    }
}

fn from_oidc(error: OidcError) -> AppError {
    match error {
        OidcError::Refused { rule, reason } => AppError::refused(rule, reason),
        OidcError::Unknown => AppError::NotFound { kind: "identity provider", id: String::new() },
        error => AppError::Unavailable(error.to_string()),
    }
}
