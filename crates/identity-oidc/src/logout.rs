//! Back-channel log-out (OpenID Connect Back-Channel Logout 1.0).

use std::sync::Arc;

use sealyard_core::{Digest, Timestamp};
use serde_json::Value;

use crate::verify::{LOGOUT_EVENT, Use};
use crate::{Kind, OidcError, Provider};

/// A token that is older was held back by somebody.
const LONGEST_SECONDS: i64 = 5 * 60;
/// Bytes of the longest identifier.
const LONGEST_ID: usize = 256;

/// Whose sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    /// All of this subject's, unless a session is named.
    pub subject: Option<String>,
    /// The one that began with this session of the provider's.
    pub session: Option<String>,
    /// Says which token it was; it is good for one time.
    pub once: Digest,
    /// Until when `once` must be remembered.
    pub once_until: Timestamp,
}

impl Provider {
    /// Checks a log-out token.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn logout(self: &Arc<Self>, token: &str) -> Result<LoggedOut, OidcError> {
        if self.kind() != Kind::People {
            return Err(OidcError::Unknown);
        }
        let wrong = |reason: &str| OidcError::refused("oidc.logout", reason);
        let verified = self.verify(token, Use::Logout).await?;
        let claims = &verified.claims;
        let event = claims.get("events").and_then(Value::as_object).and_then(|events| events.get(LOGOUT_EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(wrong("the token does not say that somebody logged out"));
        }
        // So that the ID token of a log-in is never taken for one.
        if claims.get("nonce").is_some() {
            return Err(wrong("a log-out token has no nonce"));
        }
        let identifier = |name: &str| claims.text(name).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
        let once = identifier("jti").ok_or_else(|| wrong("the token has no jti"))?;
        let session = identifier("sid").map(str::to_owned);
        if claims.get("sid").is_some() && session.is_none() {
            return Err(wrong("its session can't be read"));
        }
        if verified.subject.is_none() && session.is_none() {
            return Err(wrong("the token names neither subject nor session"));
        }
        let now = self.now();
        let issued = verified.issued.ok_or_else(|| wrong("the token does not say when it was issued"))?;
        if issued.plus_seconds(LONGEST_SECONDS) <= now {
            return Err(wrong("the token is too old"));
        }
        Ok(LoggedOut {
            subject: verified.subject,
            session,
            once: Digest::of(format!("oidc log-out {} {once}", self.name()).as_bytes()),
            // By then its age refuses it.
            once_until: now.plus_seconds(2 * LONGEST_SECONDS),
        })
    }
}
