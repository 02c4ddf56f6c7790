use sealyard_core::Redacted;

use crate::error::VaultError;
use crate::keyring::Keyring;
use crate::vault::Vault;

/// Encrypts what is sensitive in the rows of one purpose, such as `webhook`: secrets of webhooks.
///
/// Each value has a data key of its own, which the vault's newest key wraps. Value and wrapped key are bound to the purpose and
/// the row, so that no row can be given another's value. A purpose stands for a table and a column of it, and never comes to
/// mean another; what is sealed in a column is wrapped anew after a change of keys once the column stands in the list that
/// `sealyard-store` calls `SEALED_COLUMNS`.
#[derive(Debug, Clone)]
pub struct Sealer {
    vault: Vault,
    purpose: &'static str,
}

impl Vault {
    /// What encrypts the values of one purpose.
    #[must_use]
    pub fn sealer(&self, purpose: &'static str) -> Sealer {
        Sealer { vault: self.clone(), purpose }
    }
}

impl Sealer {
    /// How a sealed value begins that stands in a column of texts.
    pub const TEXT: &str = "sealed:";

    /// Encrypts the value of `row`, which is named by what never changes of it.
    ///
    /// # Errors
    /// [`VaultError::Cipher`].
    pub fn seal(&self, row: &str, value: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.vault.inner.keyring().seal_bytes(&self.context(row), value, &*self.vault.inner.rng)
    }

    /// Decrypts what [`Self::seal`] gave for the same row.
    ///
    /// # Errors
    /// [`VaultError::Secret`] when it is not authentic, of another row or purpose, or its key is gone.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Redacted<Vec<u8>>, VaultError> {
        self.vault.inner.keyring().unseal_bytes(&self.context(row), sealed)
    }

    /// The same value under the newest key; `None` when it is already.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn renewed(&self, row: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        if Keyring::key_of_sealed(sealed) == Some(self.vault.inner.keyring().newest()) {
            return Ok(None);
        }
        self.seal(row, self.open(row, sealed)?.expose()).map(Some)
    }

    /// As [`Self::seal`], as text for a column of texts.
    ///
    /// # Errors
    /// [`VaultError::Cipher`].
    pub fn seal_text(&self, row: &str, value: &str) -> Result<String, VaultError> {
        Ok(Self::to_text(&self.seal(row, value.as_bytes())?))
    }

    /// Decrypts what [`Self::seal_text`] gave for the same row; plain text is refused.
    ///
    /// # Errors
    /// [`VaultError::Secret`].
    pub fn open_text(&self, row: &str, sealed: &str) -> Result<Redacted<String>, VaultError> {
        let plain = self.open(row, &Self::from_text(sealed).ok_or(VaultError::Secret)?)?;
        let text = str::from_utf8(plain.expose()).map_err(|_| VaultError::Secret)?;
        Ok(Redacted::new(text.to_owned()))
    }

    /// A sealed value as text.
    #[must_use]
    pub fn to_text(sealed: &[u8]) -> String {
        format!("{}{}", Self::TEXT, hex::encode(sealed))
    }

    /// The sealed value that a text stands for; `None` for a text that is none.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Vec<u8>> {
        hex::decode(text.strip_prefix(Self::TEXT)?).ok()
    }

    fn context(&self, row: &str) -> String {
        [self.purpose, row].join("/")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sealyard_core::SystemRng;

    use super::*;

    #[test]
    fn a_value_opens_in_its_row_and_purpose_and_nowhere_else_and_can_be_renewed() {
        let directory = tempfile::tempdir().unwrap();
        let ring = Keyring::generate(&SystemRng);
        let vault = Vault::open_or_create(directory.path(), ring.clone(), Arc::new(SystemRng)).unwrap();
        let sealer = vault.sealer("second-factor");
        let sealed = sealer.seal("7", b"\xff\x00secret").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(sealer.open("7", &sealed).unwrap().expose(), b"\xff\x00secret");
        assert!(matches!(sealer.open("8", &sealed), Err(VaultError::Secret)));
        assert!(matches!(vault.sealer("webhook").open("7", &sealed), Err(VaultError::Secret)));
        assert_eq!(sealer.renewed("7", &sealed).unwrap(), None);
        let text = sealer.seal_text("7", "https://hooks.example/secret").unwrap();
        assert_eq!(sealer.open_text("7", &text).unwrap().expose(), "https://hooks.example/secret");
        assert!(sealer.open_text("8", &text).is_err() && sealer.open_text("7", "https://hooks.example/").is_err());

        vault.use_keyring(ring.clone().with_new_key(&SystemRng));
        let renewed = sealer.renewed("7", &sealed).unwrap().unwrap();
        assert_eq!(sealer.open("7", &renewed).unwrap().expose(), b"\xff\x00secret");
        assert_eq!(Keyring::key_of_sealed(&renewed), Some(vault.keyring().newest()));
        vault.use_keyring(ring);
        assert!(sealer.open("7", &renewed).is_err(), "the key it is under is gone");
        assert!(sealer.open("7", &sealed).is_ok());
        // A secret that was sealed for the same context before is the same thing.
        let before = vault.seal_secret("webhook/1", &Redacted::new("old".to_owned())).unwrap();
        assert_eq!(vault.sealer("webhook").open("1", &before).unwrap().expose(), b"old");
    }
}
