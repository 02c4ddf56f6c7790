//! What a browser keeps of a log-in under way.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealyard_core::Redacted;
use serde::{Deserialize, Serialize};

const LONGEST: usize = 4000;

/// The key of the cookies that bind a log-in under way to its browser. All replicas of a server have the same.
#[derive(Debug, Clone)]
pub struct StateKey(Redacted<[u8; 32]>);

/// A log-in under way. Nothing in it is secret from the browser; it only can't be made by somebody else.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnderWay {
    pub(crate) request: String,
    pub(crate) relay: String,
    pub(crate) next: String,
    /// Milliseconds.
    pub(crate) ends: i64,
}

impl StateKey {
    /// From 32 random bytes.
    #[must_use]
    pub const fn new(bytes: Redacted<[u8; 32]>) -> Self {
        Self(bytes)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.expose())
    }

    pub(crate) fn seal(&self, provider: &str, under_way: &UnderWay) -> Option<String> {
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(under_way).ok()?);
        let tag = hmac::sign(&self.key(), about(provider, &body).as_bytes());
        let text = format!("{body}.{}", URL_SAFE_NO_PAD.encode(tag));
        (text.len() <= LONGEST).then_some(text)
    }

    pub(crate) fn open(&self, provider: &str, text: &str) -> Option<UnderWay> {
        if text.len() > LONGEST {
            return None;
        }
        let (body, tag) = text.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.key(), about(provider, body).as_bytes(), &tag).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }
}

/// What the tag is over: a cookie of one provider is none of another.
fn about(provider: &str, body: &str) -> String {
    format!("sealyard saml log-in v1 {provider}\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_provider_open_it_unchanged() {
        let key = StateKey::new(Redacted::new([1; 32]));
        let under_way = UnderWay { request: "_1".into(), relay: "r".into(), next: "/".into(), ends: 7 };
        let text = key.seal("corp", &under_way).unwrap();
        assert_eq!(key.open("corp", &text).unwrap().request, "_1");
        assert!(key.open("other", &text).is_none());
        assert!(StateKey::new(Redacted::new([2; 32])).open("corp", &text).is_none());
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(key.open("corp", &String::from_utf8(changed).unwrap()).is_none(), "character {at}");
        }
        for junk in ["", ".", "A.A", &"A".repeat(LONGEST + 1)] {
            assert!(key.open("corp", junk).is_none());
        }
    }
}
