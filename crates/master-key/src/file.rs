use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sealyard_core::{Redacted, durable};
use sealyard_vault::{KeyId, Keyring};

use crate::{MasterKey, MasterKeyError};

const FIRST_LINE: &str = "sealyard-vault-keys v2";
const COMMENT: &str = "# The vault's keys, each wrapped by the master key that is named here. Without that one they are of no use to anybody.";
/// More keys than this no vault has.
const MOST_KEYS: usize = 10_000;

/// A key's id, and the key as the master key wrapped it.
type WrappedKey = (KeyId, Vec<u8>);

/// The file of the vault's keys, wrapped.
#[derive(Debug, Clone)]
pub struct WrappedKeys {
    path: PathBuf,
    master: String,
    /// The oldest first.
    keys: Vec<WrappedKey>,
}

impl WrappedKeys {
    /// Reads the file at `path`; `None` when it is not there.
    ///
    /// # Errors
    /// [`MasterKeyError::Malformed`], [`MasterKeyError::Io`].
    pub fn read(path: &Path) -> Result<Option<Self>, MasterKeyError> {
        let bytes = durable::read_private(path).map_err(|source| MasterKeyError::Io {
            act: "read",
            path: path.to_owned(),
            source,
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        Self::parse(path, &bytes).map(Some)
    }

    /// What stands in such a file; `path` is for messages.
    ///
    /// # Errors
    /// [`MasterKeyError::Malformed`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, MasterKeyError> {
        let malformed =
            |problem: &str| MasterKeyError::Malformed { path: path.to_owned(), problem: problem.to_owned() };
        let text = str::from_utf8(bytes).map_err(|_| malformed("it is not text"))?;
        let (master, keys) = parse(text).map_err(malformed)?;
        Ok(Self { path: path.to_owned(), master, keys })
    }

    /// The name of the master key that wrapped them.
    #[must_use]
    pub fn master(&self) -> &str {
        &self.master
    }

    /// Their ids, the oldest first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|(id, _)| *id)
    }

    /// Unwraps all of them. Whatever `master` gives must have the id that stands here.
    ///
    /// # Errors
    /// [`MasterKeyError`].
    pub async fn unwrap(&self, master: &dyn MasterKey) -> Result<Keyring, MasterKeyError> {
        let mut keys: Vec<Redacted<[u8; 32]>> = Vec::new();
        for (id, wrapped) in &self.keys {
            let key = master.unwrap(*id, wrapped).await?;
            if KeyId::of(key.expose()) != *id {
                return Err(MasterKeyError::Wrong { provider: master.name() });
            }
            keys.push(key);
        }
        Keyring::from_keys(keys)
            .ok_or_else(|| MasterKeyError::Malformed { path: self.path.clone(), problem: "it has no key".to_owned() })
    }

    /// Wraps the ring's keys and writes them to `path`. What could not be read back is not written.
    ///
    /// # Errors
    /// [`MasterKeyError`]; the old file stays then.
    pub async fn write(path: &Path, ring: &Keyring, master: &dyn MasterKey) -> Result<(), MasterKeyError> {
        let mut keys = Vec::new();
        for (id, key) in ring.keys() {
            keys.push((id, master.wrap(id, key).await?));
        }
        let wrapped = Self { path: path.to_owned(), master: master.name(), keys };
        let text = wrapped.to_text();
        if wrapped.keys.len() > MOST_KEYS || text.len() > durable::LONGEST_PRIVATE {
            let problem = "it would have more keys than are read again".to_owned();
            return Err(MasterKeyError::Malformed { path: path.to_owned(), problem });
        }
        if wrapped.unwrap(master).await?.newest() != ring.newest() {
            return Err(MasterKeyError::Wrong { provider: master.name() });
        }
        durable::write(path, text.as_bytes(), 0o600).map_err(|source| MasterKeyError::Io {
            act: "write",
            path: path.to_owned(),
            source,
        })
    }

    fn to_text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\n{COMMENT}\nmaster {}\n", self.master);
        for (id, wrapped) in &self.keys {
            let _ = writeln!(text, "key {id} {}", hex::encode(wrapped));
        }
        text
    }
}

fn parse(text: &str) -> Result<(String, Vec<WrappedKey>), &'static str> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("its first line is another");
    }
    let (mut master, mut keys) = (None, Vec::new());
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("master ") {
            master = Some(name.to_owned());
            continue;
        }
        let key = line.strip_prefix("key ").and_then(|rest| rest.split_once(' '));
        let key = key.and_then(|(id, wrapped)| Some((KeyId::from_text(id)?, hex::decode(wrapped).ok()?)));
        keys.push(key.ok_or("a line of it is none")?);
        if keys.len() > MOST_KEYS {
            return Err("it has too many keys");
        }
    }
    if keys.is_empty() {
        return Err("it has no key");
    }
    Ok((master.ok_or("it names no master key")?, keys))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sealyard_core::SystemRng;

    use super::*;
    use crate::EnvironmentKey;

    fn master(byte: &str) -> EnvironmentKey {
        EnvironmentKey::parse(&Redacted::new(byte.repeat(32)), Arc::new(SystemRng)).unwrap()
    }

    #[tokio::test]
    async fn a_ring_is_written_wrapped_and_read_again_by_the_same_master_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vault.keys");
        assert!(WrappedKeys::read(&path).unwrap().is_none());
        let ring = Keyring::generate(&SystemRng).with_new_key(&SystemRng);
        WrappedKeys::write(&path, &ring, &master("ab")).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for (_, key) in ring.keys() {
            assert!(!text.contains(&hex::encode(key.expose())));
        }
        let read = WrappedKeys::read(&path).unwrap().unwrap();
        assert_eq!(read.master(), "environment");
        assert_eq!(read.ids().collect::<Vec<_>>(), ring.keys().map(|(id, _)| id).collect::<Vec<_>>());
        let again = read.unwrap(&master("ab")).await.unwrap();
        assert_eq!(again.newest(), ring.newest());
        assert!(matches!(read.unwrap(&master("cd")).await, Err(MasterKeyError::Wrong { .. })));
    }

    /// A file that is too long to be read would shut the server out of its own vault at the next start.
    #[tokio::test]
    async fn more_keys_than_can_be_read_are_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vault.keys");
        let ring = |count: u32| {
            let key = |number: u32| {
                let mut bytes = [0; 32];
                bytes[..4].copy_from_slice(&number.to_be_bytes());
                Redacted::new(bytes)
            };
            Keyring::from_keys((0..count).map(key).collect()).unwrap()
        };
        WrappedKeys::write(&path, &ring(5_000), &master("ab")).await.unwrap();
        assert_eq!(WrappedKeys::read(&path).unwrap().unwrap().ids().count(), 5_000);
        assert!(WrappedKeys::write(&path, &ring(9_999), &master("ab")).await.is_err());
        assert_eq!(WrappedKeys::read(&path).unwrap().unwrap().ids().count(), 5_000);
    }

    #[test]
    fn other_text_is_refused() {
        let good = format!("{FIRST_LINE}\nmaster m\nkey 0011223344556677 ab\n");
        assert!(parse(&good).is_ok());
        for text in [
            "",
            FIRST_LINE,
            &good.replace("v2", "v3"),
            &good.replace("master m\n", ""),
            &good.replace("key ", "kee "),
            &good.replace("0011", "001"),
            &good.replace(" ab", " a"),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
