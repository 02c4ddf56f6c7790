use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::Claims;
use crate::jws::{self, Unverified};

/// Bytes of the longest set of keys.
pub(crate) const LONGEST_SET: usize = 256 * 1024;
/// Keys of one set that are looked at.
const MOST_KEYS: usize = 100;
/// Keys that are tried for one token.
const MOST_TRIED: usize = 4;

/// The public keys of one provider.
pub(crate) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    kind: KeyKind,
    /// The one algorithm it is for, if it says so.
    only: Option<Algorithm>,
    key: DecodingKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// What came of looking for the token's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Signed,
    /// A key was there, and did not make the signature.
    Forged,
    /// No key has that id, or none can be meant.
    NoKey,
}

impl KeySet {
    /// Reads a set (RFC 7517). Keys that can't be used for signatures of ours are left out.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LONGEST_SET {
            return Err("the set of keys is too long".to_owned());
        }
        let set = Claims::parse(bytes).map_err(|error| format!("the set of keys can't be read: {error}"))?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("the set of keys has no `keys`")?;
        if keys.len() > MOST_KEYS {
            return Err(format!("the set has more than {MOST_KEYS} keys"));
        }
        Ok(Self(keys.iter().filter_map(Key::read).collect()))
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Looks for the key and checks the signature with it.
    pub(crate) fn check(&self, token: &Unverified<'_>) -> Checked {
        let fits = |key: &&Key| key.kind.signs(token.algorithm) && key.only.is_none_or(|only| only == token.algorithm);
        let suitable = self.0.iter().filter(fits);
        let candidates: Vec<&Key> = match &token.key_id {
            Some(id) => suitable.filter(|key| key.id.as_ref() == Some(id)).take(MOST_TRIED).collect(),
            // Without an id it must be clear which one is meant.
            None => {
                let all: Vec<_> = suitable.take(2).collect();
                if all.len() == 1 { all } else { Vec::new() }
            }
        };
        if candidates.is_empty() {
            return Checked::NoKey;
        }
        let signed = |key: &Key| {
            let checked =
                jsonwebtoken::crypto::verify(token.signature, token.signed.as_bytes(), &key.key, token.algorithm);
            checked.unwrap_or(false)
        };
        if candidates.into_iter().any(signed) { Checked::Signed } else { Checked::Forged }
    }
}

impl KeyKind {
    /// Each kind of key has its algorithms and no others, whatever a token claims.
    const fn signs(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa => matches!(
                algorithm,
                Algorithm::RS256
                    | Algorithm::RS384
                    | Algorithm::RS512
                    | Algorithm::PS256
                    | Algorithm::PS384
                    | Algorithm::PS512
            ),
            Self::P256 => matches!(algorithm, Algorithm::ES256),
            Self::P384 => matches!(algorithm, Algorithm::ES384),
            Self::Ed25519 => matches!(algorithm, Algorithm::EdDSA),
        }
    }
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let decoded = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        if text("use").is_some_and(|used| used != "sig") {
            return None;
        }
        if let Some(operations) = value.get("key_ops") {
            let verify = |operation: &Value| operation == "verify";
            if !operations.as_array()?.iter().any(verify) {
                return None;
            }
        }
        let only = match value.get("alg") {
            None => None,
            Some(name) => Some(jws::algorithm(name.as_str()?)?),
        };
        let (kind, key) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (modulus, exponent) = (decoded("n")?, decoded("e")?);
                // 2048 to 8192 bits; a leading zero is not canonical, and a long exponent only costs time.
                let fits = (256..=1024).contains(&modulus.len()) && modulus.first() != Some(&0);
                if !fits || exponent.len() > 8 || exponent.last().is_none_or(|last| last % 2 == 0) {
                    return None;
                }
                (KeyKind::Rsa, DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()?)
            }
            ("EC", Some(curve)) => {
                let (kind, length) = match curve {
                    "P-256" => (KeyKind::P256, 32),
                    "P-384" => (KeyKind::P384, 48),
                    _ => return None,
                };
                if decoded("x")?.len() != length || decoded("y")?.len() != length {
                    return None;
                }
                (kind, DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?)
            }
            ("OKP", Some("Ed25519")) => {
                if decoded("x")?.len() != 32 {
                    return None;
                }
                (KeyKind::Ed25519, DecodingKey::from_ed_components(text("x")?).ok()?)
            }
            // Above all `oct`: a secret that somebody published.
            _ => return None,
        };
        if only.is_some_and(|only| !kind.signs(only)) {
            return None;
        }
        Some(Self { id: text("kid").map(str::to_owned), kind, only, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_not_for_signatures_of_ours_are_left_out() {
        let x32 = URL_SAFE_NO_PAD.encode([7; 32]);
        let n = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        let set = |key: &str| KeySet::parse(format!("{{\"keys\":[{key}]}}").as_bytes()).unwrap().len();
        assert_eq!(set(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x32}"}}"#)), 1);
        assert_eq!(set(&format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","use":"sig"}}"#, n(256))), 1);
        for key in [
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x32}","use":"enc"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x32}","key_ops":["sign"]}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x32}","alg":"RS256"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x32}","alg":"HS256"}}"#),
            format!(r#"{{"kty":"OKP","crv":"X25519","x":"{x32}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x32}","y":"AQAB"}}"#),
            format!(r#"{{"kty":"EC","crv":"secp256k1","x":"{x32}","y":"{x32}"}}"#),
            format!(r#"{{"kty":"oct","k":"{x32}"}}"#),
            format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, n(128)),
            format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, n(2048)),
            format!(r#"{{"kty":"RSA","n":"{}","e":"Ag"}}"#, n(256)),
            "7".to_owned(),
            "{}".to_owned(),
        ] {
            assert_eq!(set(&key), 0, "{key}");
        }
        let many = vec!["{}"; MOST_KEYS + 1].join(",");
        assert!(KeySet::parse(format!("{{\"keys\":[{many}]}}").as_bytes()).is_err());
        assert!(KeySet::parse(b"{\"keys\":[],\"keys\":[]}").is_err());
        assert!(KeySet::parse(&vec![b' '; LONGEST_SET + 1]).is_err());
    }
}
