//! The code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9207).

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use percent_encoding::percent_decode_str;
use sealyard_core::{Digest, Redacted, Timestamp};
use sealyard_identity::local_path;

use crate::error::shown;
use crate::exchange::form;
use crate::person::person;
use crate::sealed::UnderWay;
use crate::verify::Use;
use crate::{Claims, Kind, OidcError, Person, Provider, StateKey};

/// A log-in takes no longer.
const LONGEST_SECONDS: i64 = 10 * 60;
/// Bytes of the longest query that a browser brings back.
const LONGEST_QUERY: usize = 8 * 1024;

/// A log-in that began.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// The cookie that binds what comes back to this browser.
    pub cookie: Redacted<String>,
}

/// A log-in that ended well.
#[derive(Debug)]
pub struct Finished {
    /// Who it is.
    pub person: Person,
    /// Where they wanted to go: a path of this server.
    pub next: String,
    /// Says which log-in it was. One that ended before must not end again.
    pub once: Digest,
    /// Until when `once` must be remembered.
    pub once_until: Timestamp,
}

impl Provider {
    /// Begins a log-in. What is no path of this server as `next` is the front page.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`]; [`OidcError::Unknown`] for a provider of machines.
    pub async fn begin(self: &Arc<Self>, key: &StateKey, next: &str) -> Result<Begun, OidcError> {
        if self.kind() != Kind::People {
            return Err(OidcError::Unknown);
        }
        let metadata = self.metadata().await?;
        let random = || URL_SAFE_NO_PAD.encode(self.rng.bytes::<32>());
        let under_way = UnderWay {
            state: random(),
            nonce: random(),
            verifier: random(),
            next: local_path(next).unwrap_or("/").to_owned(),
            ends: self.now().plus_seconds(LONGEST_SECONDS).as_millis(),
        };
        let challenge = digest::digest(&digest::SHA256, under_way.verifier.as_bytes());
        let scopes = std::iter::once("openid").chain(self.settings.scopes.iter().map(String::as_str));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.settings.redirect_uri()),
            ("scope", &scopes.collect::<Vec<_>>().join(" ")),
            ("state", &under_way.state),
            ("nonce", &under_way.nonce),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ]);
        let joint = if metadata.authorization.contains('?') { '&' } else { '?' };
        let cookie = key.seal(&*self.rng, self.name(), &under_way);
        let cookie = cookie.ok_or_else(|| OidcError::unavailable(self.name(), "the log-in could not be sealed"))?;
        Ok(Begun { url: format!("{}{joint}{query}", metadata.authorization), cookie })
    }

    /// Ends a log-in with what the browser brought back: the query of the address, and the cookie.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn finish(
        self: &Arc<Self>,
        key: &StateKey,
        cookie: Option<&str>,
        query: &str,
    ) -> Result<Finished, OidcError> {
        if self.kind() != Kind::People {
            return Err(OidcError::Unknown);
        }
        let refused = |reason: &str| OidcError::refused("oidc.state", reason);
        let answer = Answer::read(query).ok_or_else(|| refused("what came back can't be read"))?;
        let cookie = cookie.ok_or_else(|| refused("this browser began no log-in, or its cookie did not come back"))?;
        let under_way = key.open(self.name(), cookie).ok_or_else(|| refused("the log-in's cookie can't be read"))?;
        // Compared by digest: where two differ tells nothing of either.
        let same = answer
            .state
            .as_ref()
            .is_some_and(|state| Digest::of(state.as_bytes()) == Digest::of(under_way.state.as_bytes()));
        if !same {
            return Err(refused("what came back does not belong to this browser's log-in"));
        }
        if under_way.ends <= self.now().as_millis() {
            return Err(refused("the log-in took too long"));
        }
        let metadata = self.metadata().await?;
        match &answer.issuer {
            Some(issuer) if *issuer != self.settings.issuer => {
                return Err(OidcError::refused("oidc.issuer", "another provider sent the browser back"));
            }
            None if metadata.says_issuer => {
                return Err(OidcError::refused("oidc.issuer", "what came back does not say from whom"));
            }
            _ => {}
        }
        if let Some(error) = &answer.error {
            return Err(OidcError::refused("oidc.provider", format!("the provider says {:?}", shown(error))));
        }
        let code = answer.code.as_ref().ok_or_else(|| refused("what came back holds no code"))?;
        let tokens = self.exchange(&metadata, code, &under_way.verifier).await?;
        let verified = self.verify(tokens.identity.expose(), Use::Identity).await?;
        if verified.claims.text("nonce") != Some(under_way.nonce.as_str()) {
            return Err(OidcError::refused("oidc.nonce", "the ID token is of another log-in"));
        }
        check_access_token(&verified.claims, verified.algorithm, tokens.access.as_ref())?;
        let subject = verified.subject.unwrap_or_default();
        let more = match self.settings.userinfo {
            true => Some(self.userinfo(&metadata, tokens.access.as_ref(), &subject).await?),
            false => None,
        };
        Ok(Finished {
            person: person(&self.settings, subject, &verified.claims, more.as_ref())?,
            next: under_way.next,
            once: Digest::of(format!("oidc log-in {} {}", self.name(), under_way.state).as_bytes()),
            once_until: Timestamp::from_millis(under_way.ends),
        })
    }

    /// Where a browser goes to log out of the provider too, if it has such a place.
    pub async fn end_session(self: &Arc<Self>) -> Option<String> {
        let metadata = self.metadata().await.ok()?;
        let address = metadata.end_session.as_deref()?;
        let base = self.settings.redirect_base.trim_end_matches('/');
        // No `id_token_hint`: the ID token was not kept.
        let query =
            form(&[("client_id", &self.settings.client_id), ("post_logout_redirect_uri", &format!("{base}/login"))]);
        let joint = if address.contains('?') { '&' } else { '?' };
        Some(format!("{address}{joint}{query}"))
    }
}

/// If the ID token vouches for an access token, it must be the one that came with it.
fn check_access_token(
    claims: &Claims,
    algorithm: Algorithm,
    access: Option<&Redacted<String>>,
) -> Result<(), OidcError> {
    let Some(vouched) = claims.get("at_hash") else { return Ok(()) };
    let hash = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let found = access.map(|token| digest::digest(hash, token.expose().as_bytes()));
    let half = found.as_ref().and_then(|found| found.as_ref().get(..found.as_ref().len() / 2));
    let right = half.is_some_and(|half| vouched.as_str() == Some(URL_SAFE_NO_PAD.encode(half).as_str()));
    if right { Ok(()) } else { Err(OidcError::refused("oidc.at-hash", "the access token is not the ID token's")) }
}

/// What the browser brought back.
#[derive(Default)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
}

impl Answer {
    /// Each field once; others are of no interest.
    fn read(query: &str) -> Option<Self> {
        if query.len() > LONGEST_QUERY {
            return None;
        }
        let mut answer = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let field = match name {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.issuer,
                "error" => &mut answer.error,
                _ => continue,
            };
            let value = percent_decode_str(&value.replace('+', " ")).decode_utf8().ok()?.into_owned();
            if field.replace(value).is_some() {
                return None;
            }
        }
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_come_twice_are_no_answer() {
        let answer = Answer::read("code=a%2Bb&state=c&x=1&x=2&iss=https%3A%2F%2Fid").unwrap();
        assert_eq!((answer.code.as_deref(), answer.state.as_deref()), (Some("a+b"), Some("c")));
        assert_eq!(answer.issuer.as_deref(), Some("https://id"));
        for query in ["state=a&state=a", "code=a&code=b", "code=%ff", &"x".repeat(LONGEST_QUERY + 1)] {
            assert!(Answer::read(query).is_none(), "{query}");
        }
    }
}
