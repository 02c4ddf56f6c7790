use sealyard_core::{Digest, Redacted, Rng, base62};

/// 256 bits in base 62.
const LENGTH: usize = 43;

/// The text is not the value of a session's cookie. Says nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not the value of a session's cookie")]
#[non_exhaustive]
pub struct SessionSecretError;

/// What a browser's cookie holds: 43 random letters and digits.
#[derive(Debug, Clone)]
pub struct SessionSecret(Redacted<String>);

impl SessionSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        let random = Redacted::new(rng.bytes::<32>());
        Self(Redacted::new(base62(random.expose(), LENGTH)))
    }

    /// Checks the form, so that junk never reaches a database.
    ///
    /// # Errors
    /// [`SessionSecretError`].
    pub fn parse(text: &str) -> Result<Self, SessionSecretError> {
        if text.len() != LENGTH || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(SessionSecretError);
        }
        Ok(Self(Redacted::new(text.to_owned())))
    }

    /// The cookie's value.
    #[must_use]
    pub const fn value(&self) -> &Redacted<String> {
        &self.0
    }

    /// 64 lower-case hex digits of SHA-256: what is stored and looked up. Enough without salt or work, for 256 random
    /// bits.
    #[must_use]
    pub fn hash(&self) -> String {
        Digest::of(self.0.expose().as_bytes()).to_hex()
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    #[test]
    fn it_parses_to_the_hash_that_was_stored() {
        let secret = SessionSecret::generate(&SystemRng);
        assert_eq!(SessionSecret::parse(secret.value().expose()).unwrap().hash(), secret.hash());
        assert_ne!(SessionSecret::generate(&SystemRng).hash(), secret.hash());
    }

    #[test]
    fn junk_is_none() {
        for text in ["", "x", &"x".repeat(42), &"x".repeat(44), &format!("{}-", "x".repeat(42)), &"é".repeat(21)] {
            assert!(SessionSecret::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_prints_it() {
        let secret = SessionSecret::generate(&SystemRng);
        assert!(!format!("{secret:?}").contains(secret.value().expose().as_str()));
    }
}
