//! Logging in by one identity provider, from the first redirect to who it is.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{Clock, Digest, Redacted, Rng, Timestamp};
use sealyard_identity::{DirectoryPerson, local_path};

use crate::assertion::{self, Assertion};
use crate::names::TRANSIENT;
use crate::sealed::UnderWay;
use crate::settings::Resolved;
use crate::xml::LONGEST;
use crate::{SamlError, SamlSettings, SamlSettingsError, StateKey, request, response};

/// What Entra ID says in the place of more groups than it puts into an assertion.
const GROUPS_ELSEWHERE: &str = "http://schemas.microsoft.com/claims/groups.link";

/// A log-in takes no longer.
const LONGEST_SECONDS: i64 = 10 * 60;

/// An identity provider.
#[derive(Debug)]
pub struct Provider {
    name: String,
    settings: Resolved,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// A log-in that began.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// The cookie that binds what comes back to this browser.
    pub cookie: Redacted<String>,
}

/// A log-in that ended well, if it is the first to end with this assertion.
#[derive(Debug)]
pub struct Finished {
    /// Who it is.
    pub person: DirectoryPerson,
    /// The identity provider's name of its session.
    pub session: Option<String>,
    /// When the session here ends at the latest.
    pub until: Option<Timestamp>,
    /// Where they wanted to go: a path of this server.
    pub next: String,
    /// Says which assertion it was. One that was used must not be used again.
    pub once: Digest,
    /// Until when `once` must be remembered.
    pub once_until: Timestamp,
}

impl Provider {
    /// Checks the settings and reads their files.
    ///
    /// # Errors
    /// [`SamlSettingsError`].
    pub fn open(
        name: &str,
        settings: SamlSettings,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, SamlSettingsError> {
        Ok(Self { name: name.to_owned(), settings: settings.resolve(name)?, clock, rng })
    }

    /// What the operator calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// This server's metadata, for the identity provider.
    #[must_use]
    pub fn metadata(&self) -> String {
        request::metadata(&self.settings.entity_id, &self.settings.acs_url, self.settings.want_assertions_signed)
    }

    /// Begins a log-in. What is no path of this server as `next` is the front page.
    ///
    /// # Errors
    /// [`SamlError`] for a path that is too long.
    pub fn begin(&self, key: &StateKey, next: &str) -> Result<Begun, SamlError> {
        let now = self.clock.now();
        // An xs:ID does not begin with a digit.
        let under_way = UnderWay {
            request: format!("_{}", self.rng.hex_id()),
            relay: self.rng.hex_id(),
            next: local_path(next).unwrap_or("/").to_owned(),
            ends: now.plus_seconds(LONGEST_SECONDS).as_millis(),
        };
        let Resolved { idp, acs_url, entity_id, .. } = &self.settings;
        let url = request::redirect(&idp.sso_url, acs_url, entity_id, &under_way.request, &under_way.relay, now);
        let cookie = key.seal(&self.name, &under_way);
        let failed = || SamlError::state("the log-in can't begin");
        Ok(Begun { url: url.ok_or_else(failed)?, cookie: Redacted::new(cookie.ok_or_else(failed)?) })
    }

    /// Ends a log-in with what the browser brought: the form's `SAMLResponse` and `RelayState`, and the cookie.
    ///
    /// # Errors
    /// [`SamlError`].
    pub fn finish(
        &self,
        key: &StateKey,
        cookie: Option<&str>,
        message: &str,
        relay: Option<&str>,
    ) -> Result<Finished, SamlError> {
        let settings = &self.settings;
        let now = self.clock.now();
        // Base64 is a third longer, and may be broken into lines.
        if message.len() > LONGEST * 3 / 2 {
            return Err(SamlError::document("it is too long"));
        }
        let encoded: String = message.split_ascii_whitespace().collect();
        let message = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let message = message.ok_or_else(|| SamlError::document("it is no Base64 of UTF-8"))?;
        let wanted = response::Wanted {
            keys: &settings.idp.keys,
            idp: &settings.idp.entity_id,
            acs: &settings.acs_url,
            assertion_signed: settings.want_assertions_signed,
        };
        let response = response::open(&message, &wanted)?;
        let under_way = match &response.in_response_to {
            Some(answered) => Some(self.under_way(key, cookie, answered, relay, now)?),
            None if settings.allow_idp_initiated => None,
            None => return Err(SamlError::state("it answers no request, and log-ins begin here")),
        };
        let wanted = assertion::Wanted {
            now,
            leeway: settings.leeway,
            idp: &settings.idp.entity_id,
            audience: &settings.entity_id,
            acs: &settings.acs_url,
            request: under_way.as_ref().map(|under_way| under_way.request.as_str()),
        };
        let assertion = assertion::read(&response.assertion, &wanted)?;
        let next = match under_way {
            Some(under_way) => under_way.next,
            None => relay.and_then(local_path).unwrap_or("/").to_owned(),
        };
        Ok(Finished {
            person: self.person(&assertion)?,
            next,
            once: Digest::of(format!("saml {} {}", self.name, assertion.id).as_bytes()),
            once_until: assertion.ends,
            session: assertion.session,
            until: assertion.session_ends,
        })
    }

    fn under_way(
        &self,
        key: &StateKey,
        cookie: Option<&str>,
        answered: &str,
        relay: Option<&str>,
        now: Timestamp,
    ) -> Result<UnderWay, SamlError> {
        let wrong = SamlError::state;
        let cookie = cookie.ok_or_else(|| wrong("this browser began no log-in, or its cookie did not come back"))?;
        let under_way = key.open(&self.name, cookie).ok_or_else(|| wrong("the log-in's cookie can't be read"))?;
        if under_way.ends <= now.as_millis() {
            return Err(wrong("the log-in took too long"));
        }
        if under_way.request != answered {
            return Err(wrong("it answers another request than this browser's"));
        }
        if relay != Some(under_way.relay.as_str()) {
            return Err(wrong("its RelayState is not that of this browser's log-in"));
        }
        Ok(under_way)
    }

    fn person(&self, assertion: &Assertion) -> Result<DirectoryPerson, SamlError> {
        let settings = &self.settings;
        let of = |attribute: &Option<String>| match attribute {
            None => Ok(assertion.name_id.clone()),
            Some(name) => match assertion.attributes.get(name).map(Vec::as_slice) {
                Some([one]) if !one.is_empty() => Ok(one.clone()),
                _ => Err(SamlError::assertion(format!("the assertion has no single {name}"))),
            },
        };
        if settings.id_attribute.is_none() && assertion.name_id_format.as_deref() == Some(TRANSIENT) {
            // It would be somebody else each time.
            return Err(SamlError::assertion("its NameID is a transient one, and no id_attribute is set"));
        }
        // What is left out might be what a denial was said of.
        if settings.groups_attribute.is_some() && assertion.attributes.contains_key(GROUPS_ELSEWHERE) {
            return Err(SamlError::assertion("the identity provider left the groups out because there are too many"));
        }
        let theirs = |name| assertion.attributes.get(name).cloned().unwrap_or_default();
        let groups: Option<Vec<String>> = settings.groups_attribute.as_ref().map(theirs);
        let administrator = groups
            .as_ref()
            .filter(|_| !settings.administrators.is_empty())
            .map(|groups| groups.iter().any(|group| settings.administrators.contains(group)));
        Ok(DirectoryPerson {
            subject: of(&settings.id_attribute)?,
            name: of(&settings.name_attribute)?.to_lowercase(),
            groups,
            administrator,
        })
    }
}
