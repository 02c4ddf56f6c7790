//! Log-ins at SAML identity providers. What their responses must be is checked by [`sealyard_identity_saml`]; here they become
//! accounts and sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use sealyard_core::Redacted;
use sealyard_identity_saml::{Begun, Provider, SamlError, StateKey};
use sealyard_ledger::{Act, Event, Outcome};

use crate::tasks::to_its_end;
use crate::{App, AppError, Asked, ExternalIdentity, NewSession};

/// Stands in the ledger before the name of a provider.
const METHOD: &str = "saml";

/// The providers, and the key of the cookies of log-ins under way.
#[derive(Debug)]
pub(crate) struct Saml {
    all: BTreeMap<String, Arc<Provider>>,
    key: StateKey,
}

/// What a browser brought from a provider.
#[derive(Debug)]
pub struct SamlAnswer {
    /// The form's `SAMLResponse`.
    pub response: String,
    /// The form's `RelayState`.
    pub relay: Option<String>,
    /// The cookie of the log-in.
    pub cookie: Option<Redacted<String>>,
}

impl App {
    /// With SAML identity providers; without these there are none.
    #[must_use]
    pub fn with_saml(self, all: Vec<Provider>, key: StateKey) -> Self {
        let all = all.into_iter().map(|provider| (provider.name().to_owned(), Arc::new(provider))).collect();
        Self { saml: Some(Arc::new(Saml { all, key })), ..self }
    }

    /// Where people can log in.
    #[must_use]
    pub fn saml_logins(&self) -> Vec<String> {
        self.saml.iter().flat_map(|saml| saml.all.keys().cloned()).collect()
    }

    fn saml_provider(&self, name: &str) -> Result<(&Saml, &Arc<Provider>), AppError> {
        let unknown = || AppError::NotFound { kind: "identity provider", id: name.chars().take(80).collect() };
        let saml = self.saml.as_deref().ok_or_else(unknown)?;
        Ok((saml, saml.all.get(name).ok_or_else(unknown)?))
    }

    /// This server's metadata for a provider.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown provider.
    pub fn saml_metadata(&self, provider: &str) -> Result<String, AppError> {
        Ok(self.saml_provider(provider)?.1.metadata())
    }

    /// Begins a log-in: where the browser goes, and the cookie that binds it to what comes back.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown provider.
    pub fn begin_saml(&self, provider: &str, next: &str) -> Result<Begun, AppError> {
        let (saml, provider) = self.saml_provider(provider)?;
        provider.begin(&saml.key, next).map_err(|error| AppError::refused(error.rule, error.what))
    }

    /// Ends a log-in: a session, always a new one, and the path that was wanted. The session before, if the browser shows its
    /// cookie, ends.
    ///
    /// # Errors
    /// [`AppError::Refused`] by the rule that said no; as [`App::sign_in_external`].
    pub async fn finish_saml(
        &self,
        provider: &str,
        answer: SamlAnswer,
        previous: Option<Redacted<String>>,
        asked: Asked,
    ) -> Result<(NewSession, String), AppError> {
        self.saml_provider(provider)?;
        // An assertion is good for one time: who hangs up must not leave it used, and nobody logged in by it half-way.
        let (this, provider) = (self.clone(), provider.to_owned());
        to_its_end("a log-in was not finished", async move {
            let (saml, found) = this.saml_provider(&provider)?;
            let cookie = answer.cookie.as_ref().map(|cookie| cookie.expose().as_str());
            let finished = match found.finish(&saml.key, cookie, &answer.response, answer.relay.as_deref()) {
                Ok(finished) => finished,
                Err(error) => return Err(this.saml_refused(&provider, error, &asked).await?),
            };
            if !this.first_use(&finished.once, finished.once_until).await? {
                let again = SamlError::replay();
                return Err(this.saml_refused(&provider, again, &asked).await?);
            }
            let person = finished.person;
            let identity = ExternalIdentity {
                provider,
                method: METHOD,
                subject: person.subject,
                name: person.name,
                groups: person.groups,
                administrator: person.administrator,
                expires: finished.until,
            };
            let caller = this.sign_in_external(identity, asked.source, asked.request_id).await?;
            let session = this.open_session(&caller, previous.as_ref(), finished.session, finished.until).await?;
            Ok((session, finished.next))
        })
        .await
    }

    /// Notes in the ledger that a rule let nobody in.
    async fn saml_refused(&self, provider: &str, error: SamlError, asked: &Asked) -> Result<AppError, AppError> {
        let act = Act::LoginFailed { name: String::new(), reason: format!("{METHOD}:{provider}: {}", error.rule) };
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
        Ok(AppError::refused(error.rule, error.what))
    }
}
