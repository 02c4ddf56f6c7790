use std::fmt;
use std::str::FromStr;

use sealyard_core::{Digest, Redacted, Rng, base62};

/// What every token begins with, so that secret scanners know it.
const PREFIX: &str = "sy_";
/// 256 bits in base 62.
const BODY: usize = 43;
/// 32 bits in base 62.
const CHECKSUM: usize = 6;

/// The text is not a token. Says nothing of the text: it may be nearly one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Wrong beginning, length or characters.
    #[error("this is not a Sealyard token: expected {PREFIX} and {len} letters and digits", len = BODY + CHECKSUM)]
    Malformed,
    /// The last characters don't fit the others.
    #[error("the token's checksum is wrong: it was mistyped or cut")]
    Checksum,
}

/// A bearer token: `sy_`, 43 random characters, 6 characters of checksum.
#[derive(Debug, Clone)]
pub struct Token(Redacted<String>);

impl Token {
    /// A new token, to be shown once, and its hash, to be stored.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> (Redacted<String>, TokenHash) {
        let random = Redacted::new(rng.bytes::<32>());
        let body = Redacted::new(base62(random.expose(), BODY));
        let token = Redacted::new(format!("{PREFIX}{}{}", body.expose(), checksum(body.expose())));
        let hash = TokenHash(Digest::of(token.expose().as_bytes()));
        (token, hash)
    }

    /// Checks the form and the checksum, so that junk never reaches a database.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let rest = text.strip_prefix(PREFIX).ok_or(TokenError::Malformed)?;
        if rest.len() != BODY + CHECKSUM || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(TokenError::Malformed);
        }
        let (body, given) = rest.split_at_checked(BODY).ok_or(TokenError::Malformed)?;
        if checksum(body) != given {
            return Err(TokenError::Checksum);
        }
        Ok(Self(Redacted::new(text.to_owned())))
    }

    /// What it is looked up by.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Digest::of(self.0.expose().as_bytes()))
    }
}

/// Finds typing errors; it is no secret.
fn checksum(body: &str) -> String {
    let digest = Digest::of(format!("sealyard token {body}").as_bytes());
    base62(digest.as_bytes().get(..4).unwrap_or_default(), CHECKSUM)
}

/// SHA-256 of a token. Enough without salt or work: a token has 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(Digest);

impl TokenHash {
    /// 64 lower-case hex digits; what is stored and looked up.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }

    /// The hash as a digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

impl FromStr for TokenHash {
    type Err = sealyard_core::DigestError;

    /// From what [`TokenHash::to_hex`] gives.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Digest::from_hex(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    #[test]
    fn a_token_parses_to_the_hash_that_was_stored() {
        let (token, hash) = Token::generate(&SystemRng);
        assert_eq!(token.expose().len(), 52);
        assert_eq!(Token::parse(token.expose()).unwrap().hash(), hash);
        assert_eq!(hash.to_hex().parse(), Ok(hash));
        assert_ne!(Token::generate(&SystemRng).1, hash);
    }

    #[test]
    fn every_changed_or_missing_character_is_noticed_before_a_lookup() {
        let (token, _) = Token::generate(&SystemRng);
        let text = token.expose();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(Token::parse(&changed).is_err(), "character {at}");
            assert!(Token::parse(&text[..at]).is_err());
        }
        assert_eq!(Token::parse(&format!("{text}0")).unwrap_err(), TokenError::Malformed);
        assert_eq!(Token::parse(&format!(" {text}")).unwrap_err(), TokenError::Malformed);
        assert_eq!(Token::parse(&format!("sy_{}", "é".repeat(25))).unwrap_err(), TokenError::Malformed);
    }

    #[test]
    fn nothing_prints_it() {
        let (token, hash) = Token::generate(&SystemRng);
        let parsed = Token::parse(token.expose()).unwrap();
        assert!(!format!("{parsed:?} {token:?}").contains(token.expose().as_str()));
        assert!(!format!("{hash:?}").contains(&hash.to_hex()));
    }
}
