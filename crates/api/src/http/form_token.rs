use http::HeaderMap;
use sealyard_core::{Digest, Redacted};

use super::cookie::{Cookie, read};
use super::{ApiState, RouterConfig};

/// The value in the hidden field `token` of a form, which proves that the page with the form was made for the browser that sends it.
///
/// A browser sends cookies along with whatever any page makes it send; the token it sends only from the page that has it. For who is
/// logged in it is made from the secret of the session, so that it ends with it and no other session's token will do. For who is not
/// yet, it is a random value that is in a cookie as well, which with `__Host-` in its name nobody else can set.
#[derive(Debug)]
pub(crate) struct FormToken(Redacted<String>);

impl FormToken {
    /// That of the session whose cookie the request shows.
    pub(crate) fn of_session(config: &RouterConfig, headers: &HeaderMap) -> Option<Self> {
        let secret = read(Cookie::Session, config, headers)?;
        // One way: who sees a page's text does not have the session.
        let text = Redacted::new(format!("sealyard form token\n{}", secret.expose()));
        Some(Self(Redacted::new(Digest::of(text.expose().as_bytes()).to_hex())))
    }

    /// That of the cookie which the request shows.
    pub(crate) fn of_cookie(config: &RouterConfig, headers: &HeaderMap) -> Option<Self> {
        read(Cookie::Form, config, headers).filter(|token| is_token(token.expose())).map(Self)
    }

    /// A new one, to be put into the page and into the cookie.
    pub(crate) fn random(state: &ApiState) -> Self {
        Self(Redacted::new(Digest::from_bytes(state.server().rng().bytes()).to_hex()))
    }

    /// As it stands in the form.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether a form brought this one back.
    pub(crate) fn is(&self, given: &Redacted<String>) -> bool {
        // Compared by digest: where two differ tells nothing of either.
        Digest::of(self.0.expose().as_bytes()) == Digest::of(given.expose().as_bytes())
    }
}

fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    fn of_session(secret: &str) -> FormToken {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::try_from(format!("__Host-sealyard-session={secret}")).unwrap());
        let config = RouterConfig::loopback().with_tls(true);
        FormToken::of_session(&config, &headers).unwrap()
    }

    #[test]
    fn each_session_has_its_own_and_it_does_not_tell_the_session() {
        let (one, other) = (of_session("one"), of_session("other"));
        let given = |text: &str| Redacted::new(text.to_owned());
        assert!(one.is(&given(one.expose())));
        assert!(!one.is(&given(other.expose())) && !one.is(&given("")) && !one.is(&given("one")));
        assert!(!one.expose().contains("one"));
        assert_eq!(one.expose(), of_session("one").expose());
    }
}
