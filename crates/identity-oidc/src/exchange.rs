//! Requests of a log-in to the provider: a code for tokens, and what more there is to know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sealyard_core::Redacted;
use sealyard_outbound::Ask;

use crate::discovery::Metadata;
use crate::error::shown;
use crate::jws::LONGEST_TOKEN;
use crate::{Claims, ClientAuthentication, OidcError, Provider};

/// Bytes of the longest answer.
const LONGEST: usize = 128 * 1024;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// What a code was exchanged for.
pub(crate) struct Tokens {
    pub(crate) identity: Redacted<String>,
    pub(crate) access: Option<Redacted<String>>,
}

impl Provider {
    pub(crate) async fn exchange(&self, metadata: &Metadata, code: &str, verifier: &str) -> Result<Tokens, OidcError> {
        let name = &self.settings.name;
        let redirect = self.settings.redirect_uri();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", verifier),
        ];
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        match (&self.settings.client_secret, self.settings.client_authentication) {
            (Some(secret), ClientAuthentication::Basic) => {
                let pair = Redacted::new(format!("{}:{}", encoded(&self.settings.client_id), encoded(secret.expose())));
                headers.push(("authorization", format!("Basic {}", STANDARD.encode(pair.expose()))));
            }
            (Some(secret), ClientAuthentication::Post) => {
                fields.push(("client_id", &self.settings.client_id));
                fields.push(("client_secret", secret.expose()));
            }
            (None, _) => fields.push(("client_id", &self.settings.client_id)),
        }
        let Ok(_place) = self.exchanges.try_acquire() else {
            return Err(OidcError::unavailable(name, "too many log-ins at once"));
        };
        let ask = Ask { url: &metadata.token, headers, body: Some(Bytes::from(form(&fields))), most: LONGEST };
        let answer = self.outbound.ask(ask).await;
        let answer = answer.map_err(|error| OidcError::outgoing(name, "the code could not be exchanged", &error))?;
        let body = Claims::parse(&answer.body);
        if answer.status != 200 {
            let error = body.ok().and_then(|body| body.text("error").map(shown)).unwrap_or_default();
            return Err(match error.as_str() {
                // It was used already, or is somebody else's.
                "invalid_grant" => OidcError::refused("oidc.code", "the provider does not take this code"),
                _ => OidcError::unavailable(name, format!("it answered {} {error:?} to the code", answer.status)),
            });
        }
        let body = body.map_err(|error| OidcError::unavailable(name, format!("its answer can't be read: {error}")))?;
        if !body.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(OidcError::unavailable(name, "it gave a token of an unknown type"));
        }
        let token = |name: &str| body.text(name).filter(|token| token.len() <= LONGEST_TOKEN);
        let identity = token("id_token").ok_or_else(|| OidcError::refused("oidc.token", "it gave no ID token"))?;
        Ok(Tokens {
            identity: Redacted::new(identity.to_owned()),
            access: token("access_token").map(|token| Redacted::new(token.to_owned())),
        })
    }

    /// What the userinfo endpoint says of `subject`.
    pub(crate) async fn userinfo(
        &self,
        metadata: &Metadata,
        access: Option<&Redacted<String>>,
        subject: &str,
    ) -> Result<Claims, OidcError> {
        let name = &self.settings.name;
        let unavailable = |reason: &str| OidcError::unavailable(name, reason);
        let url = metadata.userinfo.as_deref().ok_or_else(|| unavailable("it has no userinfo endpoint"))?;
        let access = access.ok_or_else(|| unavailable("it gave no access token to ask for more with"))?;
        if !access.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unavailable("its access token can't be sent"));
        }
        let headers =
            vec![("accept", "application/json".to_owned()), ("authorization", format!("Bearer {}", access.expose()))];
        let answer = self.outbound.ask(Ask { url, headers, body: None, most: LONGEST }).await;
        let answer = answer.map_err(|error| OidcError::outgoing(name, "userinfo could not be fetched", &error))?;
        let claims = Claims::parse(&answer.body).ok().filter(|_| answer.status == 200);
        let claims = claims.ok_or_else(|| unavailable("its userinfo can't be read"))?;
        // Or somebody else's token was slipped in (OpenID Connect Core 1.0, section 5.3.2).
        if claims.text("sub") != Some(subject) {
            return Err(OidcError::refused("oidc.claims", "userinfo speaks of somebody else"));
        }
        Ok(claims)
    }
}
