use http::{HeaderMap, HeaderValue, header};
use sealyard_core::Redacted;

use super::RouterConfig;

/// A longer `Cookie` header is not looked at.
const LONGEST: usize = 8192;

/// The cookies of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Who is logged in.
    Session,
    /// Ties the form of the log-in page to the browser that asked for it.
    Form,
    /// A log-in at a provider that is under way.
    Oidc,
    /// The same, at a SAML provider.
    Saml,
}

impl Cookie {
    /// With the prefix `__Host-` a browser takes the cookie only over TLS from this very host, so that no neighbouring
    /// host can plant one.
    const fn name(self, tls: bool) -> &'static str {
        match (self, tls) {
            (Self::Session, true) => "__Host-sealyard-session",
            (Self::Session, false) => "sealyard-session",
            (Self::Form, true) => "__Host-sealyard-form",
            (Self::Form, false) => "sealyard-form",
            (Self::Oidc, true) => "__Host-sealyard-oidc",
            (Self::Oidc, false) => "sealyard-oidc",
            (Self::Saml, true) => "__Host-sealyard-saml",
            (Self::Saml, false) => "sealyard-saml",
        }
    }

    /// From where a browser sends it. A provider's page sends the browser back to us, which must show what binds it to the
    /// log-in that it began; that cookie goes after ten minutes. A SAML provider's page posts from another site, which only takes
    /// a cookie along that says `None`, and browsers take such a one with `Secure` only, on loopback without TLS too.
    const fn rules(self) -> &'static str {
        match self {
            Self::Session | Self::Form => "SameSite=Strict",
            Self::Oidc => "SameSite=Lax; Max-Age=600",
            Self::Saml => "SameSite=None; Max-Age=600",
        }
    }

    /// A `Set-Cookie` header. No script reads it, and no page of another site sends it. It goes when the browser does.
    pub(crate) fn set(self, config: &RouterConfig, value: &str) -> Option<HeaderValue> {
        let secure = if config.tls() || self == Self::Saml { "; Secure" } else { "" };
        let (name, rules) = (self.name(config.tls()), self.rules());
        let text = format!("{name}={value}; Path=/; HttpOnly; {rules}{secure}");
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// A `Set-Cookie` header that takes it away.
    pub(crate) fn clear(self, config: &RouterConfig) -> Option<HeaderValue> {
        let secure = if config.tls() || self == Self::Saml { "; Secure" } else { "" };
        let name = self.name(config.tls());
        HeaderValue::try_from(format!("{name}=; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age=0")).ok()
    }
}

/// The value of the session's cookie.
pub(super) fn session(config: &RouterConfig, headers: &HeaderMap) -> Option<Redacted<String>> {
    config.pages()?;
    read(Cookie::Session, config, headers)
}

/// The value of a cookie. One that is there twice is none: somebody planted one of them.
pub(crate) fn read(cookie: Cookie, config: &RouterConfig, headers: &HeaderMap) -> Option<Redacted<String>> {
    let name = cookie.name(config.tls());
    let mut found = None;
    for header in headers.get_all(header::COOKIE) {
        let text = header.to_str().ok().filter(|text| text.len() <= LONGEST)?;
        for pair in text.split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else { continue };
            if key == name && found.replace(Redacted::new(value.to_owned())).is_some() {
                return None;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tls: bool, headers: &[&str]) -> Option<String> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(header::COOKIE, HeaderValue::from_str(header).unwrap());
        }
        let config = RouterConfig::loopback().with_tls(tls);
        read(Cookie::Session, &config, &map).map(|value| value.expose().clone())
    }

    #[test]
    fn one_cookie_is_read() {
        assert_eq!(found(true, &["a=b; __Host-sealyard-session=x; c=d"]).as_deref(), Some("x"));
        assert_eq!(found(true, &["a=b", "__Host-sealyard-session=x"]).as_deref(), Some("x"));
        assert_eq!(found(false, &["sealyard-session=x"]).as_deref(), Some("x"));
    }

    #[test]
    fn another_or_a_second_one_is_none() {
        for headers in [
            &["sealyard-session=x"][..],
            &["__host-sealyard-session=x"],
            &["__Host-sealyard-session=x; __Host-sealyard-session=y"],
            &["__Host-sealyard-session=x", "__Host-sealyard-session=x"],
            &["__Host-sealyard-session"],
        ] {
            assert_eq!(found(true, headers), None, "{headers:?}");
        }
    }

    #[test]
    fn no_script_and_no_other_site_gets_it() {
        let text = |tls| {
            let config = RouterConfig::loopback().with_tls(tls);
            Cookie::Session.set(&config, "x").unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(text(true), "__Host-sealyard-session=x; Path=/; HttpOnly; SameSite=Strict; Secure");
        for tls in [true, false] {
            let config = RouterConfig::loopback().with_tls(tls);
            let saml = Cookie::Saml.set(&config, "x").unwrap().to_str().unwrap().to_owned();
            assert!(saml.ends_with("=x; Path=/; HttpOnly; SameSite=None; Max-Age=600; Secure"), "{saml}");
        }
        assert_eq!(text(false), "sealyard-session=x; Path=/; HttpOnly; SameSite=Strict");
        let config = RouterConfig::loopback().with_tls(true);
        assert_eq!(
            Cookie::Oidc.set(&config, "x").unwrap(),
            "__Host-sealyard-oidc=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure"
        );
    }
}
