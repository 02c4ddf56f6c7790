//! What a token must say besides being signed.

use jsonwebtoken::Algorithm;
use sealyard_core::Timestamp;
use serde_json::Value;

use crate::claims::Seconds;
use crate::jws::Unverified;
use crate::{Claims, OidcError, ProviderSettings};

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 30;
/// Audiences of one token that are looked at.
const MOST_AUDIENCES: usize = 16;
/// Bytes of the longest subject.
const LONGEST_SUBJECT: usize = 255;

/// The one event of a log-out token.
pub(crate) const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a token is shown for. One of one use is not taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// The ID token at the end of a log-in.
    Identity,
    /// What a machine shows with its requests.
    Bearer,
    /// The provider's word that somebody logged out.
    Logout,
}

/// A token of which signature, issuer, audience and times are right.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    pub(crate) algorithm: Algorithm,
    pub(crate) subject: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) issued: Option<Timestamp>,
}

/// What can be checked before there is a key: of whom it is, and what it is for.
pub(crate) fn check_kind(token: &Unverified<'_>, settings: &ProviderSettings, what: Use) -> Result<(), OidcError> {
    let allowed: &[&str] = match what {
        Use::Identity => &["jwt"],
        Use::Bearer => &["jwt", "at+jwt", "application/at+jwt"],
        Use::Logout => &["jwt", "logout+jwt", "application/logout+jwt"],
    };
    if let Some(kind) = &token.kind
        && !allowed.contains(&kind.to_ascii_lowercase().as_str())
    {
        return Err(OidcError::refused("oidc.token", "the token is of another type"));
    }
    if token.claims.text("iss") != Some(settings.issuer.as_str()) {
        return Err(OidcError::refused("oidc.issuer", "the token is of another issuer"));
    }
    if what != Use::Logout && token.claims.get("events").is_some() {
        return Err(OidcError::refused("oidc.token", "a log-out token lets nobody in"));
    }
    if what == Use::Bearer && token.claims.get("nonce").is_some() {
        return Err(OidcError::refused("oidc.token", "the ID token of a log-in is no bearer token"));
    }
    Ok(())
}

/// Audience, times and subject of a token whose signature was right.
pub(crate) fn check_claims(
    token: Unverified<'_>,
    settings: &ProviderSettings,
    what: Use,
    now: Timestamp,
) -> Result<Verified, OidcError> {
    let claims = token.claims;
    check_audience(&claims, settings, what)?;
    let (expires, issued) = check_times(&claims, what, now)?;
    let subject = match claims.get("sub") {
        None if what == Use::Logout => None,
        Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST_SUBJECT => Some(text.clone()),
        _ => return Err(OidcError::refused("oidc.claims", "the token names no subject")),
    };
    if what != Use::Logout {
        check_required(&claims, settings)?;
    }
    Ok(Verified { claims, algorithm: token.algorithm, subject, expires, issued })
}

fn check_audience(claims: &Claims, settings: &ProviderSettings, what: Use) -> Result<(), OidcError> {
    let wrong = |reason: &str| OidcError::refused("oidc.audience", reason);
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) if all.len() <= MOST_AUDIENCES => {
            let all: Option<Vec<_>> = all.iter().map(Value::as_str).collect();
            all.ok_or_else(|| wrong("the token's audience can't be read"))?
        }
        _ => return Err(wrong("the token has no audience, or too many")),
    };
    let listed = |audience: &str| settings.audiences.iter().any(|known| known == audience);
    if what == Use::Bearer {
        return if audiences.into_iter().any(listed) { Ok(()) } else { Err(wrong("the token is meant for others")) };
    }
    let ours = settings.client_id.as_str();
    if !audiences.contains(&ours) {
        return Err(wrong("the token is meant for others"));
    }
    if audiences.iter().any(|audience| *audience != ours && !listed(audience)) {
        return Err(wrong("the token is also meant for somebody who is not known"));
    }
    // OpenID Connect Core 1.0, section 3.1.3.7: to whom it was given, where several could have got it.
    match claims.get("azp") {
        Some(party) if party.as_str() != Some(ours) => Err(wrong("the token was given to another party (azp)")),
        None if what == Use::Identity && audiences.len() > 1 => {
            Err(wrong("the token has several audiences and does not say to whom it was given (azp)"))
        }
        _ => Ok(()),
    }
}

fn check_times(
    claims: &Claims,
    what: Use,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), OidcError> {
    let wrong = |reason: &str| OidcError::refused("oidc.time", reason);
    let now = now.as_millis() / 1000;
    let time = |name: &str| match claims.seconds(name) {
        None => Ok(None),
        Some(Seconds::At(seconds)) if (0..=253_402_300_799).contains(&seconds) => Ok(Some(seconds)),
        Some(_) => Err(wrong("a time of the token can't be read")),
    };
    let (expires, issued) = (time("exp")?, time("iat")?);
    match expires {
        Some(expires) if expires + LEEWAY <= now => return Err(wrong("the token has expired")),
        None if what != Use::Logout => return Err(wrong("the token never expires")),
        _ => {}
    }
    match issued {
        Some(issued) if issued > now + LEEWAY => return Err(wrong("the token was issued in the future")),
        None if what != Use::Bearer => return Err(wrong("the token does not say when it was issued")),
        _ => {}
    }
    if time("nbf")?.is_some_and(|begins| begins > now + LEEWAY) {
        return Err(wrong("the token is not valid yet"));
    }
    let stamp = |seconds: i64| Timestamp::from_millis(seconds * 1000);
    Ok((expires.map(stamp), issued.map(stamp)))
}

fn check_required(claims: &Claims, settings: &ProviderSettings) -> Result<(), OidcError> {
    for (path, wanted) in &settings.require {
        let right = match claims.path(path) {
            Some(Value::Array(all)) => all.contains(wanted),
            Some(found) => found == wanted,
            None => false,
        };
        if !right {
            return Err(OidcError::refused("oidc.claims", format!("the token's `{path}` is not what is required")));
        }
    }
    Ok(())
}
