use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{Digest, Redacted, Rng, durable};

/// C2SP's number for Ed25519.
const ED25519_ALGORITHM: u8 = 1;
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Longest key file, origin and verifier key that are read.
const MAX_FILE: u64 = 16 * 1024;
const MAX_ORIGIN: usize = 256;

/// A key of the ledger can't be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The log's name can't be one.
    #[error("{0:?} can't name a log: 1 to 256 bytes without spaces, control characters and `+`")]
    Origin(String),
    /// The file can't be read or written.
    #[error("could not use the ledger's key file {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the file.
    #[error("the ledger's key file {0} can be read by others; hint: chmod 600 {0}")]
    Exposed(PathBuf),
    /// There is a key already.
    #[error("there is a key file {0} already; a new key would orphan the log that the old one signed")]
    Exists(PathBuf),
    /// The text is not a PKCS#8 Ed25519 key in PEM.
    #[error("the ledger's key is not an Ed25519 key as PKCS#8 in PEM")]
    Malformed,
    /// The text is not a verifier key.
    #[error("{0:?} is not a verifier key: expected <name>+<8 hex digits>+<base64>")]
    Verifier(String),
}

/// The key that signs checkpoints, and the name of the log that it signs for.
pub struct LedgerKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl LedgerKey {
    /// A new key for the log `origin`, held in memory only.
    ///
    /// # Errors
    /// [`KeyError::Origin`].
    pub fn generate(origin: &str, rng: &dyn Rng) -> Result<Self, KeyError> {
        let seed = Redacted::new(rng.bytes::<32>());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| KeyError::Malformed)?;
        Self::new(pair, origin)
    }

    /// Makes a new key and writes it to `path` with mode 0600. An existing file is never replaced.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn create(path: &Path, origin: &str, rng: &dyn Rng) -> Result<Self, KeyError> {
        let key = Self::generate(origin, rng)?;
        if path.symlink_metadata().is_ok() {
            return Err(KeyError::Exists(path.to_owned()));
        }
        durable::write(path, key.to_pem()?.expose().as_bytes(), 0o600)
            .map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        Ok(key)
    }

    /// Reads the key at `path`, which only its owner may be able to read.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(path: &Path, origin: &str) -> Result<Self, KeyError> {
        let fail = |source| KeyError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(fail)?;
        if is_exposed(&file.metadata().map_err(fail)?) {
            return Err(KeyError::Exposed(path.to_owned()));
        }
        let mut text = String::new();
        file.take(MAX_FILE).read_to_string(&mut text).map_err(fail)?;
        Self::from_pem(&Redacted::new(text), origin)
    }

    /// [`LedgerKey::open`] if the file is there, else [`LedgerKey::create`].
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open_or_create(path: &Path, origin: &str, rng: &dyn Rng) -> Result<Self, KeyError> {
        if path.symlink_metadata().is_ok() { Self::open(path, origin) } else { Self::create(path, origin, rng) }
    }

    /// Reads a PKCS#8 key in PEM.
    ///
    /// # Errors
    /// [`KeyError::Malformed`], [`KeyError::Origin`].
    pub fn from_pem(text: &Redacted<String>, origin: &str) -> Result<Self, KeyError> {
        let body = text.expose().trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body = body.ok_or(KeyError::Malformed)?;
        let encoded: Redacted<String> =
            Redacted::new(body.chars().filter(|sign| !sign.is_ascii_whitespace()).collect());
        let der = Redacted::new(STANDARD.decode(encoded.expose()).map_err(|_| KeyError::Malformed)?);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.expose()).map_err(|_| KeyError::Malformed)?;
        Self::new(pair, origin)
    }

    /// Signs `text`, which ends in a newline and does not begin as a checkpoint of the log does, as a note.
    #[must_use]
    pub fn sign_note(&self, text: &str) -> String {
        crate::note::Note::write(text, self.origin(), self.key_id(), &self.sign(text.as_bytes()))
    }

    fn to_pem(&self) -> Result<Redacted<String>, KeyError> {
        let der = self.pair.to_pkcs8v1().map_err(|_| KeyError::Malformed)?;
        let encoded = Redacted::new(STANDARD.encode(der.as_ref()));
        Ok(Redacted::new(format!("{BEGIN}\n{}\n{END}\n", encoded.expose())))
    }

    fn new(pair: Ed25519KeyPair, origin: &str) -> Result<Self, KeyError> {
        let public = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Malformed)?;
        let verifier = VerifierKey::new(origin, public)?;
        Ok(Self { pair, verifier })
    }

    /// Name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.verifier.name()
    }

    /// What others check its checkpoints with.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    pub(crate) fn key_id(&self) -> [u8; 4] {
        self.verifier.key_id()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerKey({})", self.verifier)
    }
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

/// The public half of a [`LedgerKey`]. As text it is C2SP's verifier key: `<name>+<key id in hex>+<base64>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    pub(crate) fn new(name: &str, public: [u8; 32]) -> Result<Self, KeyError> {
        let plain = |sign: char| !sign.is_whitespace() && !sign.is_control() && sign != '+';
        if name.is_empty() || name.len() > MAX_ORIGIN || !name.chars().all(plain) {
            return Err(KeyError::Origin(name.chars().take(80).collect()));
        }
        Ok(Self { name: name.to_owned(), public })
    }

    pub(crate) const fn public(&self) -> &[u8] {
        &self.public
    }

    /// Name of the key, which is its log's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First bytes of the hash of name and key.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        let material = [self.name.as_bytes(), b"\n", &[ED25519_ALGORITHM], &self.public].concat();
        let digest = Digest::of(&material);
        digest.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519_ALGORITHM], self.public.as_slice()].concat());
        write!(f, "{}+{}+{key}", self.name, hex::encode(self.key_id()))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || KeyError::Verifier(text.chars().take(80).collect());
        if text.len() > 2 * MAX_ORIGIN {
            return Err(malformed());
        }
        // base64 holds `+` too, so only the first two are separators.
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let material = STANDARD.decode(encoded).map_err(|_| malformed())?;
        let public = match material.split_first() {
            Some((&ED25519_ALGORITHM, public)) => public.try_into().map_err(|_| malformed())?,
            _ => return Err(malformed()),
        };
        let key = Self::new(name, public)?;
        if hex::encode(key.key_id()) == id { Ok(key) } else { Err(malformed()) }
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::FixedRng;

    use super::*;

    #[test]
    fn a_key_file_is_private_and_reads_back() {
        let directory = std::env::temp_dir().join(format!("sealyard-ledger-key-{}", std::process::id()));
        durable::create_private_directory(&directory).unwrap();
        let path = directory.join("ledger.pem");
        let made = LedgerKey::create(&path, "log.example", &FixedRng::seeded(1)).unwrap();
        let read = LedgerKey::open_or_create(&path, "log.example", &FixedRng::seeded(2)).unwrap();
        assert_eq!(made.verifier(), read.verifier());
        assert!(matches!(LedgerKey::create(&path, "log.example", &FixedRng::seeded(3)), Err(KeyError::Exists(_))));
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(LedgerKey::open(&path, "log.example"), Err(KeyError::Exposed(_))));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_verifier_key_round_trips_and_others_are_refused() {
        let key = LedgerKey::generate("log.example/a", &FixedRng::seeded(1)).unwrap().verifier();
        let text = key.to_string();
        assert_eq!(text.parse::<VerifierKey>().unwrap(), key);
        for other in
            ["", "a+b", "a+00000000+AAAA", &text.replace("log", "lag"), &text.replace("+0", "+1"), &format!("{text}AA")]
        {
            if *other != text {
                assert!(other.parse::<VerifierKey>().is_err(), "{other}");
            }
        }
    }

    #[test]
    fn odd_origins_are_refused() {
        for origin in ["", "a b", "a+b", "a\nb", &"a".repeat(300)] {
            assert!(LedgerKey::generate(origin, &FixedRng::seeded(1)).is_err(), "{origin:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
        let pem = key.to_pem().unwrap();
        let secret = pem.expose().lines().nth(1).unwrap().get(24..40).unwrap().to_owned();
        assert!(!format!("{key:?}").contains(&secret));
    }
}
