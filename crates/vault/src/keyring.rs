use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use sealyard_core::{Digest, Redacted, Rng, durable};
use zeroize::Zeroizing;

const FIRST_LINE: &str = "sealyard-vault-keys v1";
const COMMENT: &str =
    "# Whoever has this file can read everything in the vault; without it nobody can. Keep a copy elsewhere.";
/// A key file is a few lines; this stops anything else early.
const LONGEST_FILE: u64 = 64 * 1024;

/// The key file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// Others than its owner can read or write it.
    #[error("the key file {} is open to others than its owner (mode {mode:04o})", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It doesn't say what a key file says.
    #[error("{} is not a vault key file: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong; never shows the content.
        reason: String,
    },
    /// The disk.
    #[error("could not {act} the key file {}", path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl KeyringError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::TooOpen { path, .. } => {
                Some(format!("run `chmod 600 {}`, and think about who may have read it", path.display()))
            }
            Self::Malformed { .. } => {
                Some("restore it from its backup; nothing stored can be read without it".to_owned())
            }
            Self::Io { .. } => None,
        }
    }
}

/// Names a key-encryption key: the first 8 bytes of a hash of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) [u8; 8]);

impl KeyId {
    /// The id of this key.
    #[must_use]
    pub fn of(key: &[u8; 32]) -> Self {
        let mut message = Zeroizing::new(b"sealyard vault key id v1".to_vec());
        message.extend_from_slice(key);
        let digest = Digest::of(&message);
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(id)
    }

    /// Reads 16 hex digits.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut id = [0; 8];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key-encryption keys: the newest wraps, each of them unwraps.
#[derive(Debug, Clone)]
pub struct Keyring {
    newest: Key,
    older: Vec<Key>,
    /// Of parts of the vault that can be made unreadable alone. They are kept elsewhere, sealed by the others.
    scoped: BTreeMap<KeyId, Key>,
}

#[derive(Debug, Clone)]
struct Key {
    id: KeyId,
    bytes: Redacted<[u8; 32]>,
}

impl Key {
    fn new(bytes: Redacted<[u8; 32]>) -> Self {
        Self { id: KeyId::of(bytes.expose()), bytes }
    }

    /// A key of its own for each purpose, so that no code is of use elsewhere.
    fn mac_key(&self, purpose: &str) -> hmac::Key {
        let master = hmac::Key::new(hmac::HMAC_SHA256, self.bytes.expose());
        let message = ["sealyard vault mac key v1", purpose].join("\0");
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, message.as_bytes()).as_ref())
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.bytes.expose()).ok().map(LessSafeKey::new)
    }
}

impl Keyring {
    /// Reads the key file at `path`; makes one with one random key if there is none.
    ///
    /// # Errors
    /// [`KeyringError`] when the file is open to others, malformed, or can't be read or written.
    pub fn open_or_create(path: &Path, rng: &dyn Rng) -> Result<Self, KeyringError> {
        match Self::open(path) {
            Err(KeyringError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let keyring = Self::generate(rng);
        match keyring.create(path, rng) {
            Ok(()) => Ok(keyring),
            // Somebody else was faster; theirs is the one.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::open(path),
            Err(source) => Err(KeyringError::Io { act: "create", path: path.to_owned(), source }),
        }
    }

    /// Reads the key file at `path`.
    ///
    /// # Errors
    /// [`KeyringError`] when the file is missing, open to others, malformed, or can't be read.
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        let failed = |source| KeyringError::Io { act: "read", path: path.to_owned(), source };
        let malformed = |reason: &str| KeyringError::Malformed { path: path.to_owned(), reason: reason.to_owned() };
        // Before it is opened, too: opening a pipe would wait for ever.
        if !fs::metadata(path).map_err(failed)?.is_file() {
            return Err(malformed("it is not a regular file"));
        }
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(malformed("it is not a regular file"));
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::TooOpen { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::with_capacity(4096));
        file.take(LONGEST_FILE + 1).read_to_string(&mut text).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => malformed("it is not text"),
            _ => failed(source),
        })?;
        if text.len() as u64 > LONGEST_FILE {
            return Err(malformed("it is too long"));
        }
        Self::from_text(&text).map_err(|reason| KeyringError::Malformed { path: path.to_owned(), reason })
    }

    /// A ring of one new key, which is written nowhere yet.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        Self { newest: Key::new(Redacted::new(rng.bytes())), older: Vec::new(), scoped: BTreeMap::new() }
    }

    /// A ring of these keys, the oldest first; `None` of none. For who keeps them wrapped by another key.
    #[must_use]
    pub fn from_keys(keys: Vec<Redacted<[u8; 32]>>) -> Option<Self> {
        let mut keys: Vec<Key> = keys.into_iter().map(Key::new).collect();
        let newest = keys.pop()?;
        Some(Self { newest, older: keys, scoped: BTreeMap::new() })
    }

    /// Its keys with their ids, the oldest first: for who wraps them by another key, and for nobody else.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, &Redacted<[u8; 32]>)> {
        self.older.iter().chain([&self.newest]).map(|key| (key.id, &key.bytes))
    }

    /// The same keys and a new one, which wraps from now on. For key rotation; [`Self::save`] it before using it.
    #[must_use]
    pub fn with_new_key(self, rng: &dyn Rng) -> Self {
        let Self { newest, mut older, scoped } = self;
        older.push(newest);
        Self { newest: Key::new(Redacted::new(rng.bytes())), older, scoped }
    }

    /// The same keys and one of a part of the vault: it wraps where it is asked for, and is written into no key file.
    #[must_use]
    pub fn with_scoped(mut self, key: Redacted<[u8; 32]>) -> Self {
        let key = Key::new(key);
        self.scoped.insert(key.id, key);
        self
    }

    /// The same keys without that one of a part of the vault: what it wrapped can't be read any more.
    #[must_use]
    pub fn without_scoped(mut self, id: KeyId) -> Self {
        self.scoped.remove(&id);
        self
    }

    /// The same keys with those of parts of the vault that `other` has, and no others.
    pub(crate) fn with_scoped_of(mut self, other: &Self) -> Self {
        self.scoped.clone_from(&other.scoped);
        self
    }

    /// The ids of the keys of parts of the vault.
    pub fn scoped(&self) -> impl Iterator<Item = KeyId> {
        self.scoped.keys().copied()
    }

    /// Whether it has each key of `other`, those of parts aside.
    #[must_use]
    pub fn has_all_of(&self, other: &Self) -> bool {
        other.keys().all(|(id, _)| self.keys().any(|(own, _)| own == id))
    }

    /// Whether it is the key of a part of the vault.
    #[must_use]
    pub fn is_scoped(&self, id: KeyId) -> bool {
        self.scoped.contains_key(&id)
    }

    /// Opens a value that a [`Sealer`](crate::Sealer) of `purpose` sealed for `row`.
    ///
    /// # Errors
    /// [`VaultError::Secret`](crate::VaultError::Secret).
    pub fn open_sealed(&self, purpose: &str, row: &str, sealed: &[u8]) -> Result<Redacted<Vec<u8>>, crate::VaultError> {
        self.unseal_bytes(&[purpose, row].join("/"), sealed)
    }

    /// Writes the key file anew, mode 0600.
    ///
    /// # Errors
    /// [`KeyringError::Io`], [`KeyringError::Malformed`] for more keys than [`Self::open`] reads; the old file stays then.
    pub fn save(&self, path: &Path) -> Result<(), KeyringError> {
        let text = self.to_text();
        if text.len() as u64 > LONGEST_FILE {
            let reason = "it would have more keys than are read again".to_owned();
            return Err(KeyringError::Malformed { path: path.to_owned(), reason });
        }
        durable::write(path, text.as_bytes(), 0o600).map_err(|source| KeyringError::Io {
            act: "write",
            path: path.to_owned(),
            source,
        })
    }

    pub(crate) fn mac(&self, purpose: &str, message: &[u8]) -> String {
        hex::encode(hmac::sign(&self.newest.mac_key(purpose), message))
    }

    pub(crate) fn is_mac(&self, purpose: &str, message: &[u8], code: &str) -> bool {
        let Ok(code) = hex::decode(code) else { return false };
        let is_of = |key: &Key| hmac::verify(&key.mac_key(purpose), message, &code).is_ok();
        is_of(&self.newest) || self.older.iter().any(is_of)
    }

    /// The id of the key that wraps.
    #[must_use]
    pub const fn newest(&self) -> KeyId {
        self.newest.id
    }

    /// Whether the key is in the ring.
    #[must_use]
    pub fn contains(&self, id: KeyId) -> bool {
        self.find(id).is_some()
    }

    fn find(&self, id: KeyId) -> Option<&Key> {
        let own = std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == id);
        own.or_else(|| self.scoped.get(&id))
    }

    /// Encrypts `data_key` with the newest key: ciphertext and tag.
    pub(crate) fn wrap(&self, data_key: &[u8; 32], nonce: [u8; 12], aad: &[u8]) -> Option<[u8; 48]> {
        self.wrap_with(self.newest.id, data_key, nonce, aad)
    }

    /// The same with a certain key.
    pub(crate) fn wrap_with(&self, id: KeyId, data_key: &[u8; 32], nonce: [u8; 12], aad: &[u8]) -> Option<[u8; 48]> {
        let mut wrapped = Zeroizing::new(data_key.to_vec());
        self.find(id)?
            .cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut *wrapped)
            .ok()?;
        wrapped.as_slice().try_into().ok()
    }

    /// Decrypts what [`Self::wrap`] gave; `None` when it is not authentic or the key is not here.
    pub(crate) fn unwrap(
        &self,
        id: KeyId,
        wrapped: &[u8; 48],
        nonce: [u8; 12],
        aad: &[u8],
    ) -> Option<Redacted<[u8; 32]>> {
        let mut bytes = Zeroizing::new(*wrapped);
        let plain = self
            .find(id)?
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), bytes.as_mut_slice())
            .ok()?;
        let plain: &[u8] = plain;
        plain.try_into().ok().map(Redacted::new)
    }

    /// Never replaces a file: a key that another process has just begun to use must not be lost.
    fn create(&self, path: &Path, rng: &dyn Rng) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}.tmp", rng.hex_id()));
        let temporary = Path::new(&temporary);
        let result = durable::create(temporary, 0o600).and_then(|mut file| {
            file.write_all(self.to_text().as_bytes())?;
            file.sync_all()?;
            fs::hard_link(temporary, path)
        });
        let _ = fs::remove_file(temporary);
        result?;
        durable::sync_parent(path)
    }

    fn to_text(&self) -> Zeroizing<String> {
        // Room for all of it, so that growing leaves no copy of a key behind.
        let mut text = Zeroizing::new(String::with_capacity(256 + 128 * (self.older.len() + 1)));
        let _ = writeln!(text, "{FIRST_LINE}\n{COMMENT}");
        for key in self.older.iter().chain([&self.newest]) {
            let hex = Zeroizing::new(hex::encode(key.bytes.expose()));
            let _ = writeln!(text, "key {} {}", key.id, *hex);
        }
        text
    }

    /// Reads what stands in a key file: the oldest key first. The reason of an error never shows a key.
    ///
    /// # Errors
    /// Why it is none.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(format!("the first line is not `{FIRST_LINE}`"));
        }
        let mut keys = Vec::new();
        for (number, line) in lines.enumerate().map(|(index, line)| (index + 2, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_ascii_whitespace();
            let (Some("key"), Some(id), Some(key), None) = (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(format!("line {number} is not `key <id> <64 hex digits>`"));
            };
            let mut bytes = Zeroizing::new([0; 32]);
            if hex::decode_to_slice(key, bytes.as_mut_slice()).is_err() {
                return Err(format!("line {number} does not hold 64 hex digits"));
            }
            let key = Key::new(Redacted::new(*bytes));
            if KeyId::from_text(id) != Some(key.id) {
                return Err(format!("the key on line {number} does not fit its id"));
            }
            keys.push(key);
        }
        let newest = keys.pop().ok_or("it holds no key")?;
        Ok(Self { newest, older: keys, scoped: BTreeMap::new() })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use sealyard_core::SystemRng;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn it_is_made_once_private_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let made = Keyring::open_or_create(&path, &SystemRng).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(Keyring::open_or_create(&path, &SystemRng).unwrap().newest(), made.newest());
    }

    /// A file that is too long to be read would shut the server out of its own vault at the next start.
    #[test]
    fn more_keys_than_can_be_read_are_not_saved() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let ring = |count: u8| {
            let older = (0..u16::from(count) * 4).map(|number| {
                let mut bytes = [0; 32];
                bytes[..2].copy_from_slice(&number.to_be_bytes());
                Key::new(Redacted::new(bytes))
            });
            Keyring { newest: Key::new(Redacted::new([1; 32])), older: older.collect(), scoped: BTreeMap::new() }
        };
        ring(180).save(&path).unwrap();
        assert_eq!(Keyring::open(&path).unwrap().keys().count(), 721);
        assert!(matches!(ring(200).save(&path), Err(KeyringError::Malformed { .. })));
        assert_eq!(Keyring::open(&path).unwrap().keys().count(), 721);
    }

    #[test]
    fn an_existing_file_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let first = Keyring::open_or_create(&path, &SystemRng).unwrap();
        let second = Keyring { newest: Key::new(Redacted::new([1; 32])), older: vec![], scoped: BTreeMap::new() };
        assert_eq!(second.create(&path, &SystemRng).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(Keyring::open(&path).unwrap().newest(), first.newest());
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_a_hint() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        Keyring::open_or_create(&path, &SystemRng).unwrap();
        for bits in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            let error = Keyring::open_or_create(&path, &SystemRng).unwrap_err();
            assert!(matches!(error, KeyringError::TooOpen { .. }), "{bits:o}");
            assert!(error.hint().unwrap().contains("chmod 600"));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Keyring::open(&path).is_ok());
    }

    #[test]
    fn a_damaged_file_is_refused_without_showing_a_key() {
        let keyring = Keyring { newest: Key::new(Redacted::new([0xab; 32])), older: vec![], scoped: BTreeMap::new() };
        let text = keyring.to_text();
        assert_eq!(Keyring::from_text(&text).unwrap().newest(), keyring.newest());
        for damaged in [
            String::new(),
            text.replace("v1", "v2"),
            text.replacen("abab", "abac", 1),
            text.replacen("abab", "xyxy", 1),
            text.replace("key ", "kee "),
            text.lines().take(2).collect::<Vec<_>>().join("\n"),
            format!("{} more", text.trim_end()),
        ] {
            let reason = Keyring::from_text(&damaged).unwrap_err();
            assert!(!reason.contains("abab"), "{reason}");
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        for bytes in [b"\xff\xfe".to_vec(), vec![b'#'; 70_000]] {
            durable::write(&path, &bytes, 0o600).unwrap();
            assert!(matches!(Keyring::open_or_create(&path, &SystemRng), Err(KeyringError::Malformed { .. })));
            assert_eq!(fs::read(&path).unwrap(), bytes, "a damaged key file is left as it is");
        }
    }

    #[test]
    fn the_newest_wraps_and_all_unwrap() {
        let old = Keyring { newest: Key::new(Redacted::new([1; 32])), older: vec![], scoped: BTreeMap::new() };
        let id = old.newest();
        let wrapped = old.wrap(&[7; 32], [0; 12], b"aad").unwrap();
        let rotated = Keyring::from_text(&old.with_new_key(&SystemRng).to_text()).unwrap();
        assert_ne!(rotated.newest(), id);
        assert_eq!(rotated.unwrap(id, &wrapped, [0; 12], b"aad").unwrap().expose(), &[7; 32]);
        assert!(rotated.unwrap(id, &wrapped, [0; 12], b"other").is_none());
        assert!(rotated.unwrap(rotated.newest(), &wrapped, [0; 12], b"aad").is_none());
        assert!(!format!("{rotated:?}").contains("1, 1"));
    }
}
