use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sealyard_core::{Redacted, Rng};
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::keyring::{KeyId, Keyring};
use crate::vault::Vault;

const MAGIC: &[u8; 8] = b"SYSEAL\x00\x01";

impl Keyring {
    /// Encrypts a small secret that is kept in a row, under a data key of its own that the newest key wraps. It only opens
    /// for the same `context`, so that a row can't be given another one's secret.
    ///
    /// Magic, key id, nonce and wrapped data key, nonce, ciphertext and tag.
    ///
    /// # Errors
    /// [`VaultError::Cipher`].
    pub fn seal(&self, context: &str, secret: &Redacted<String>, rng: &dyn Rng) -> Result<Vec<u8>, VaultError> {
        self.seal_bytes(context, secret.expose().as_bytes(), rng)
    }

    pub(crate) fn seal_bytes(&self, context: &str, secret: &[u8], rng: &dyn Rng) -> Result<Vec<u8>, VaultError> {
        let data_key = Redacted::new(rng.bytes::<32>());
        let (key, wrap_nonce, nonce) = (self.newest(), rng.bytes::<12>(), rng.bytes::<12>());
        let aad = aad(context, key);
        let wrapped = self.wrap(data_key.expose(), wrap_nonce, &aad).ok_or(VaultError::Cipher)?;
        // Room for the tag, so that growing leaves no copy of the secret behind.
        let mut text = Zeroizing::new(Vec::with_capacity(secret.len() + AES_256_GCM.tag_len()));
        text.extend_from_slice(secret);
        cipher(&data_key)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&aad), &mut *text)
            .map_err(|_| VaultError::Cipher)?;
        Ok([&MAGIC[..], &key.0, &wrap_nonce, &wrapped, &nonce, text.as_slice()].concat())
    }

    /// Decrypts what [`Self::seal`] gave for the same `context`.
    ///
    /// # Errors
    /// [`VaultError::Secret`] when it is not authentic, of another context, or its key is not in the ring.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<Redacted<String>, VaultError> {
        let plain = self.unseal_bytes(context, sealed)?;
        let text = str::from_utf8(plain.expose()).map_err(|_| VaultError::Secret)?;
        Ok(Redacted::new(text.to_owned()))
    }

    pub(crate) fn unseal_bytes(&self, context: &str, sealed: &[u8]) -> Result<Redacted<Vec<u8>>, VaultError> {
        self.open_sealed_secret(context, sealed).ok_or(VaultError::Secret)
    }

    /// Which key a sealed secret is under, as it says itself; `None` for what is none.
    #[must_use]
    pub fn key_of_sealed(sealed: &[u8]) -> Option<KeyId> {
        let (key, _) = sealed.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
        Some(KeyId(*key))
    }

    fn open_sealed_secret(&self, context: &str, sealed: &[u8]) -> Option<Redacted<Vec<u8>>> {
        let rest = sealed.strip_prefix(MAGIC)?;
        let (key, rest) = rest.split_first_chunk::<8>()?;
        let (wrap_nonce, rest) = rest.split_first_chunk::<12>()?;
        let (wrapped, rest) = rest.split_first_chunk::<48>()?;
        let (nonce, text) = rest.split_first_chunk::<12>()?;
        let aad = aad(context, KeyId(*key));
        let data_key = self.unwrap(KeyId(*key), wrapped, *wrap_nonce, &aad)?;
        let mut text = Zeroizing::new(text.to_vec());
        let plain = cipher(&data_key)
            .ok()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(&aad), &mut text)
            .ok()?;
        Some(Redacted::new(plain.to_vec()))
    }
}

impl Vault {
    /// As [`Keyring::seal`], with the vault's keys.
    ///
    /// # Errors
    /// [`VaultError::Cipher`].
    pub fn seal_secret(&self, context: &str, secret: &Redacted<String>) -> Result<Vec<u8>, VaultError> {
        self.inner.keyring().seal(context, secret, &*self.inner.rng)
    }

    /// As [`Keyring::unseal`], with the vault's keys.
    ///
    /// # Errors
    /// [`VaultError::Secret`].
    pub fn unseal_secret(&self, context: &str, sealed: &[u8]) -> Result<Redacted<String>, VaultError> {
        self.inner.keyring().unseal(context, sealed)
    }
}

fn cipher(data_key: &Redacted<[u8; 32]>) -> Result<LessSafeKey, VaultError> {
    UnboundKey::new(&AES_256_GCM, data_key.expose()).map(LessSafeKey::new).map_err(|_| VaultError::Cipher)
}

fn aad(context: &str, key: KeyId) -> Vec<u8> {
    [&b"sealyard sealed secret v1\0"[..], &key.0, context.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    fn secret(text: &str) -> Redacted<String> {
        Redacted::new(text.to_owned())
    }

    #[test]
    fn a_secret_opens_where_it_was_sealed_and_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        let ring = Keyring::open_or_create(&directory.path().join("keys"), &SystemRng).unwrap();
        let other = Keyring::open_or_create(&directory.path().join("other"), &SystemRng).unwrap();
        let sealed = ring.seal("webhook/1", &secret("hunter2"), &SystemRng).unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(ring.unseal("webhook/1", &sealed).unwrap().expose(), "hunter2");
        assert_ne!(ring.seal("webhook/1", &secret("hunter2"), &SystemRng).unwrap(), sealed);
        assert!(matches!(ring.unseal("webhook/2", &sealed), Err(VaultError::Secret)));
        assert!(matches!(other.unseal("webhook/1", &sealed), Err(VaultError::Secret)));
        for position in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[position] ^= 1;
            assert!(ring.unseal("webhook/1", &damaged).is_err(), "{position}");
            assert!(ring.unseal("webhook/1", &sealed[..position]).is_err(), "{position}");
        }
        let rotated = ring.with_new_key(&SystemRng);
        assert_eq!(rotated.unseal("webhook/1", &sealed).unwrap().expose(), "hunter2");
    }
}
