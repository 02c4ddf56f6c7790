use std::fmt;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sealyard_core::{Redacted, Rng};

use crate::common_password;

/// The fewest characters.
const SHORTEST: usize = 12;
/// The most bytes: hashing is work, and nobody types more.
const LONGEST: usize = 1024;
/// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password that will not do, or a hash that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Too few characters.
    #[error("the password has fewer than {0} characters")]
    TooShort(usize),
    /// Too many bytes.
    #[error("the password has more than {LONGEST} bytes")]
    TooLong,
    /// One of those that attackers try first.
    #[error("the password is one of those that are tried first: a common word, a row of keys or a repetition")]
    Common,
    /// Not a hash that this version makes or reads.
    #[error("the stored password hash is not an argon2id hash with sane parameters")]
    Malformed,
    /// The memory for it was not there.
    #[error("the password could not be hashed: {0}")]
    Hashing(String),
}

/// An argon2id hash of a password, as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl PasswordHash {
    /// Checks that `password` is good enough and hashes it. Takes about 30 ms and 19 MiB.
    ///
    /// # Errors
    /// [`PasswordError`] when the password is too short, too long or common.
    pub fn create(password: &Redacted<String>, rng: &dyn Rng) -> Result<Self, PasswordError> {
        Self::create_of(password, SHORTEST, rng)
    }

    /// Likewise, with at least `shortest` characters; never fewer than [`Self::create`] asks for.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_of(password: &Redacted<String>, shortest: usize, rng: &dyn Rng) -> Result<Self, PasswordError> {
        let text = password.expose();
        if text.len() > LONGEST {
            return Err(PasswordError::TooLong);
        }
        let shortest = shortest.max(SHORTEST);
        if text.chars().count() < shortest {
            return Err(PasswordError::TooShort(shortest));
        }
        if common_password::is_common(text) {
            return Err(PasswordError::Common);
        }
        Self::of(text.as_bytes(), rng)
    }

    fn of(password: &[u8], rng: &dyn Rng) -> Result<Self, PasswordError> {
        let failed = |error: &dyn fmt::Display| PasswordError::Hashing(error.to_string());
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| failed(&error))?;
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(password, &rng.bytes::<16>())
            .map_err(|error| failed(&error))?;
        Ok(Self(hash.to_string()))
    }

    /// Reads a stored hash.
    ///
    /// # Errors
    /// [`PasswordError::Malformed`] when it is no argon2id hash, or when verifying against it would take more memory
    /// or time than any hash made here: what is stored must not be able to exhaust the server.
    pub fn parse(stored: &str) -> Result<Self, PasswordError> {
        let phc = Phc::new(stored).map_err(|_| PasswordError::Malformed)?;
        let params = Params::try_from(&phc).map_err(|_| PasswordError::Malformed)?;
        let sane = phc.algorithm.as_str() == Algorithm::Argon2id.as_ref()
            && phc.version == Some(Version::V0x13.into())
            && (8 * 1024..=256 * 1024).contains(&params.m_cost())
            && (1..=8).contains(&params.t_cost())
            && (1..=8).contains(&params.p_cost())
            && phc.salt.is_some()
            && phc.hash.as_ref().is_some_and(|hash| hash.len() >= 32);
        if sane { Ok(Self(stored.to_owned())) } else { Err(PasswordError::Malformed) }
    }

    /// What to store.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.0
    }

    /// Whether `password` is the one. The comparison takes the same time wherever the two differ.
    #[must_use]
    pub fn verify(&self, password: &Redacted<String>) -> bool {
        if password.expose().len() > LONGEST {
            return false;
        }
        Phc::new(&self.0).is_ok_and(|phc| Argon2::default().verify_password(password.expose().as_bytes(), &phc).is_ok())
    }

    /// Whether it was made with other parameters than are used now, so that it is worth making anew at the next login.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        Phc::new(&self.0)
            .ok()
            .and_then(|phc| Params::try_from(&phc).ok())
            .is_none_or(|params| (params.m_cost(), params.t_cost(), params.p_cost()) != (MEMORY_KIB, PASSES, LANES))
    }
}

/// What is verified against when there is no such user, so that the time an answer takes doesn't tell who exists.
#[derive(Debug, Clone)]
pub struct DummyHash(PasswordHash);

impl DummyHash {
    /// A hash that nobody knows a password of: its output is drawn, not calculated, which would make every start slower.
    ///
    /// # Errors
    /// [`PasswordError::Malformed`], which would be a fault of this function.
    pub fn new(rng: &dyn Rng) -> Result<Self, PasswordError> {
        let (salt, output) = (rng.bytes::<16>(), rng.bytes::<32>());
        let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
        PasswordHash::parse(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}")).map(Self)
    }

    /// Whether `password` is that of `stored`; as slow, and always false, when there is no `stored`.
    #[must_use]
    pub fn verify(&self, stored: Option<&PasswordHash>, password: &Redacted<String>) -> bool {
        let matches = stored.unwrap_or(&self.0).verify(password);
        stored.is_some() && matches
    }
}

/// A random password of 120 bits that can be read aloud: `m4kp7d-…`, four groups of six, without `l`, `o`, `0`, `1`.
#[must_use]
pub fn generate_password(rng: &dyn Rng) -> Redacted<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut text = String::with_capacity(27);
    for (position, byte) in rng.bytes::<24>().iter().enumerate() {
        if position > 0 && position % 6 == 0 {
            text.push('-');
        }
        // 32 divides 256, so every character is equally likely.
        text.extend(ALPHABET.get(usize::from(byte % 32)).copied().map(char::from));
    }
    Redacted::new(text)
}

#[cfg(test)]
mod tests {
    use sealyard_core::{FixedRng, SystemRng};

    use super::*;

    fn secret(text: &str) -> Redacted<String> {
        Redacted::new(text.to_owned())
    }

    #[test]
    fn the_right_password_and_no_other_verifies() {
        let hash = PasswordHash::create(&secret("correct horse battery"), &SystemRng).unwrap();
        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_phc());
        let read = PasswordHash::parse(hash.as_phc()).unwrap();
        assert!(read.verify(&secret("correct horse battery")));
        assert!(!read.verify(&secret("correct horse batterz")));
        assert!(!read.verify(&secret("")));
        assert!(!read.is_outdated());
        assert_eq!(format!("{read:?}"), "PasswordHash");
        let again = PasswordHash::create(&secret("correct horse battery"), &SystemRng).unwrap();
        assert_ne!(hash, again, "each hash has its own salt");
    }

    #[test]
    fn weak_passwords_are_refused() {
        let create = |text: &str| PasswordHash::create(&secret(text), &SystemRng).unwrap_err();
        assert_eq!(create("elevenchars"), PasswordError::TooShort(12));
        let longer = PasswordHash::create_of(&secret("correct horse battery"), 22, &SystemRng);
        assert_eq!(longer, Err(PasswordError::TooShort(22)));
        assert_eq!(PasswordHash::create_of(&secret("short"), 1, &SystemRng), Err(PasswordError::TooShort(12)));
        assert_eq!(create("ééééééééééé"), PasswordError::TooShort(12));
        assert_eq!(create(&"ab3d".repeat(300)), PasswordError::TooLong);
        assert_eq!(create("Password1234"), PasswordError::Common);
    }

    #[test]
    fn stored_hashes_that_would_exhaust_the_server_or_are_weak_are_refused() {
        let hash = PasswordHash::create(&secret("correct horse battery"), &SystemRng).unwrap();
        let stored = hash.as_phc();
        for (from, to) in [
            ("m=19456", "m=4194304"),
            ("m=19456", "m=64"),
            ("t=2", "t=100000"),
            ("p=1", "p=64"),
            ("argon2id", "argon2d"),
            ("v=19", "v=16"),
        ] {
            assert!(stored.contains(from));
            assert_eq!(PasswordHash::parse(&stored.replace(from, to)), Err(PasswordError::Malformed), "{to}");
        }
        for text in ["", "hunter2", "$2b$12$abc", "$argon2id$v=19$m=19456,t=2,p=1"] {
            assert_eq!(PasswordHash::parse(text), Err(PasswordError::Malformed), "{text}");
        }
        let older = PasswordHash::parse(&stored.replace("t=2", "t=3")).unwrap();
        assert!(older.is_outdated());
    }

    #[test]
    fn an_unknown_user_is_never_let_in() {
        let dummy = DummyHash::new(&FixedRng::seeded(1)).unwrap();
        assert!(!dummy.0.is_outdated(), "it costs what a hash of today costs");
        let stored = PasswordHash::create(&secret("correct horse battery"), &SystemRng).unwrap();
        assert!(dummy.verify(Some(&stored), &secret("correct horse battery")));
        assert!(!dummy.verify(Some(&stored), &secret("wrong horse battery")));
        let known = DummyHash(stored);
        assert!(!known.verify(None, &secret("correct horse battery")));
    }

    /// The work must be done for a user that does not exist, too. Far from exact, so that a busy machine can't fail it:
    /// skipping the work would be thousands of times faster.
    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let dummy = DummyHash::new(&SystemRng).unwrap();
        let stored = PasswordHash::create(&secret("correct horse battery"), &SystemRng).unwrap();
        let fastest = |stored: Option<&PasswordHash>| {
            let time = |_| {
                let start = std::time::Instant::now();
                let _ = dummy.verify(stored, &secret("some other password"));
                start.elapsed()
            };
            (0..3).map(time).min().unwrap()
        };
        let (known, unknown) = (fastest(Some(&stored)), fastest(None));
        assert!(unknown * 10 > known, "{unknown:?} against {known:?}");
    }

    #[test]
    fn generated_passwords_are_readable_different_and_good_enough() {
        let one = generate_password(&SystemRng);
        assert_ne!(one.expose(), generate_password(&SystemRng).expose());
        assert_eq!(one.expose().len(), 27);
        assert!(!one.expose().contains(['l', 'o', '0', '1']));
        assert!(PasswordHash::create(&one, &SystemRng).is_ok());
    }
}
