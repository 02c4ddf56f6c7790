use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use crate::{Claims, OidcError};

/// Bytes of the longest token.
pub(crate) const LONGEST_TOKEN: usize = 16 * 1024;
/// Bytes of the longest key id.
const LONGEST_KEY_ID: usize = 256;

/// A token taken apart, of which nothing was believed yet.
pub(crate) struct Unverified<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) claims: Claims,
    /// What was signed.
    pub(crate) signed: &'a str,
    /// In base64url.
    pub(crate) signature: &'a str,
}

/// Algorithms with a public key that only its owner can sign with. `none` and HMAC are not among them: with those,
/// whoever knows the public key could sign.
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        _ => return None,
    })
}

/// Whether the text could be a JSON web token at all: three parts of base64url.
pub(crate) fn looks_like_one(text: &str) -> bool {
    let part = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(part)
}

impl<'a> Unverified<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, OidcError> {
        let malformed = |reason: &str| OidcError::refused("oidc.token", reason);
        if token.len() > LONGEST_TOKEN {
            return Err(malformed("the token is too long"));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("a token has three parts"));
        };
        let signed = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed("a part is not base64url"));
        let object = |text: &str| {
            Claims::parse(&decoded(text)?)
                .map_err(|_| malformed("a part is not a JSON object in which every name stands once"))
        };
        let (header, claims) = (object(header)?, object(payload)?);
        // What is not known and must be understood: also `b64`, which would change what was signed.
        if header.get("crit").is_some() || header.get("b64").is_some() {
            return Err(malformed("its header asks for an extension"));
        }
        let name = header.text("alg").unwrap_or_default();
        let algorithm = algorithm(name).ok_or_else(|| {
            let reason = format!("the algorithm {:?} is not allowed", crate::error::shown(name));
            OidcError::refused("oidc.algorithm", reason)
        })?;
        if signature.is_empty() {
            return Err(OidcError::refused("oidc.signature", "the token has no signature"));
        }
        decoded(signature)?;
        // Keys, certificates and addresses that a token brings along itself (`jwk`, `x5c`, `jku`) are not looked at.
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(value) => {
                let text = value.as_str().filter(|text| text.len() <= LONGEST_KEY_ID);
                text.map(|text| Some(text.to_owned())).ok_or_else(|| malformed("its header can't be read"))
            }
        };
        Ok(Self { algorithm, key_id: text("kid")?, kind: text("typ")?, claims, signed, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_parts_of_base64url_look_like_a_token() {
        assert!(looks_like_one("eyJh.eyJi.c-_"));
        for text in ["", "sy_abc", "eyJh.eyJi", "eyJh.eyJi.", "eyJh.eyJi.a.b", "eyJh.ey Ji.c", "eyJh.eyJi.c="] {
            assert!(!looks_like_one(text), "{text}");
        }
    }

    #[test]
    fn symmetric_and_no_algorithms_are_not_known() {
        for name in ["none", "None", "", "HS256", "HS384", "HS512", "RS1", "ES512", "ES256K", "rs256", "dir"] {
            assert!(algorithm(name).is_none(), "{name}");
        }
    }
}
