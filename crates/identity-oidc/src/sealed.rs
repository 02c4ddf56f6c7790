use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealyard_core::{Redacted, Rng};
use serde::{Deserialize, Serialize};

/// Bytes of the longest cookie.
const LONGEST: usize = 4000;

/// The key of the cookies that bind a log-in under way to its browser. All replicas of a server have the same.
#[derive(Debug, Clone)]
pub struct StateKey(Redacted<[u8; 32]>);

/// A log-in under way.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnderWay {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
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

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.0.expose()).ok().map(LessSafeKey::new)
    }

    /// For the cookie. It tells the browser nothing, and is good for one provider.
    pub(crate) fn seal(&self, rng: &dyn Rng, provider: &str, under_way: &UnderWay) -> Option<Redacted<String>> {
        let nonce = rng.bytes::<NONCE_LEN>();
        let mut bytes = serde_json::to_vec(under_way).ok()?;
        let about = Aad::from(about(provider));
        self.key()?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), about, &mut bytes).ok()?;
        let text = URL_SAFE_NO_PAD.encode([&nonce[..], &bytes].concat());
        (text.len() <= LONGEST).then(|| Redacted::new(text))
    }

    pub(crate) fn open(&self, provider: &str, text: &str) -> Option<UnderWay> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key()?.open_in_place(nonce, Aad::from(about(provider)), &mut sealed).ok()?;
        serde_json::from_slice(plain).ok()
    }
}

fn about(provider: &str) -> Vec<u8> {
    format!("sealyard oidc log-in v1 {provider}").into_bytes()
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    fn under_way() -> UnderWay {
        UnderWay { state: "s".into(), nonce: "n".into(), verifier: "v".into(), next: "/".into(), ends: 7 }
    }

    #[test]
    fn only_the_same_key_and_provider_open_it_unchanged() {
        let key = StateKey::new(Redacted::new([1; 32]));
        let text = key.seal(&SystemRng, "corp", &under_way()).unwrap();
        assert_eq!(key.open("corp", text.expose()).unwrap().verifier, "v");
        assert!(key.open("other", text.expose()).is_none());
        assert!(StateKey::new(Redacted::new([2; 32])).open("corp", text.expose()).is_none());
        for at in 0..text.expose().len() {
            let mut changed = text.expose().clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(key.open("corp", &String::from_utf8(changed).unwrap()).is_none(), "character {at}");
        }
        for junk in ["", "A", "====", &"A".repeat(16), &"A".repeat(LONGEST + 1)] {
            assert!(key.open("corp", junk).is_none());
        }
        let long = UnderWay { next: "/".repeat(LONGEST), ..under_way() };
        assert!(key.seal(&SystemRng, "corp", &long).is_none());
    }
}
