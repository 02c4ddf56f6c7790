use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::{BoxFuture, FutureExt as _};
use sealyard_core::{Redacted, Rng};
use sealyard_vault::KeyId;
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::{MasterKey, MasterKeyError, context};

/// Where the key comes from.
pub const VARIABLE: &str = "SEALYARD_MASTER_KEY";
const NONCE: usize = 12;

/// A master key of 32 bytes that whoever starts the server gives it.
#[derive(Debug)]
pub struct EnvironmentKey {
    key: Redacted<[u8; 32]>,
    rng: Arc<dyn Rng>,
}

impl EnvironmentKey {
    /// Takes 64 hex digits, or 32 bytes in base64.
    ///
    /// # Errors
    /// [`MasterKeyError::Setting`]; it never shows the text.
    pub fn parse(text: &Redacted<String>, rng: Arc<dyn Rng>) -> Result<Self, MasterKeyError> {
        let text = text.expose().trim();
        let mut key = Zeroizing::new([0; 32]);
        if hex::decode_to_slice(text, key.as_mut_slice()).is_err() {
            let bytes = Zeroizing::new(STANDARD.decode(text).unwrap_or_default());
            *key = bytes.as_slice().try_into().map_err(|_| MasterKeyError::Setting {
                provider: "environment".to_owned(),
                problem: format!("{VARIABLE} is neither 64 hex digits nor 32 bytes in base64"),
            })?;
        }
        Ok(Self { key: Redacted::new(*key), rng })
    }

    fn cipher(&self) -> Result<LessSafeKey, MasterKeyError> {
        UnboundKey::new(&AES_256_GCM, self.key.expose()).map(LessSafeKey::new).map_err(|_| self.wrong())
    }

    fn wrong(&self) -> MasterKeyError {
        MasterKeyError::Wrong { provider: self.name() }
    }

    fn wrap_now(&self, id: KeyId, key: &Redacted<[u8; 32]>) -> Result<Vec<u8>, MasterKeyError> {
        let nonce = self.rng.bytes::<NONCE>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(64));
        bytes.extend_from_slice(key.expose());
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context(id).as_bytes()),
                &mut *bytes,
            )
            .map_err(|_| self.wrong())?;
        Ok([nonce.as_slice(), bytes.as_slice()].concat())
    }

    fn unwrap_now(&self, id: KeyId, wrapped: &[u8]) -> Result<Redacted<[u8; 32]>, MasterKeyError> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>().ok_or_else(|| self.wrong())?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let plain = self
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context(id).as_bytes()), &mut bytes)
            .map_err(|_| self.wrong())?;
        let plain: &[u8] = plain;
        plain.try_into().map(Redacted::new).map_err(|_| self.wrong())
    }
}

impl MasterKey for EnvironmentKey {
    fn name(&self) -> String {
        "environment".to_owned()
    }

    fn wrap<'a>(&'a self, id: KeyId, key: &'a Redacted<[u8; 32]>) -> BoxFuture<'a, Result<Vec<u8>, MasterKeyError>> {
        futures::future::ready(self.wrap_now(id, key)).boxed()
    }

    fn unwrap<'a>(&'a self, id: KeyId, wrapped: &'a [u8]) -> BoxFuture<'a, Result<Redacted<[u8; 32]>, MasterKeyError>> {
        futures::future::ready(self.unwrap_now(id, wrapped)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    fn key(text: &str) -> Result<EnvironmentKey, MasterKeyError> {
        EnvironmentKey::parse(&Redacted::new(text.to_owned()), Arc::new(SystemRng))
    }

    #[test]
    fn hex_and_base64_are_the_same_key_and_nothing_else_is_one() {
        let hex = key(&"ab".repeat(32)).unwrap();
        let base64 = key(&format!("{}\n", STANDARD.encode([0xab; 32]))).unwrap();
        let secret = Redacted::new([7; 32]);
        let id = KeyId::of(secret.expose());
        let wrapped = hex.wrap_now(id, &secret).unwrap();
        assert_eq!(base64.unwrap_now(id, &wrapped).unwrap().expose(), secret.expose());
        for text in ["", "abcd", &"ab".repeat(31), &"zz".repeat(32), &STANDARD.encode([1; 31])] {
            let error = key(text).unwrap_err().to_string();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_key_of_another_id_or_master_or_with_a_changed_bit_does_not_unwrap() {
        let (one, other) = (key(&"ab".repeat(32)).unwrap(), key(&"cd".repeat(32)).unwrap());
        let secret = Redacted::new([7; 32]);
        let id = KeyId::of(secret.expose());
        let wrapped = one.wrap_now(id, &secret).unwrap();
        assert!(matches!(other.unwrap_now(id, &wrapped), Err(MasterKeyError::Wrong { .. })));
        assert!(one.unwrap_now(KeyId::of(&[8; 32]), &wrapped).is_err());
        for position in 0..wrapped.len() {
            let mut damaged = wrapped.clone();
            damaged[position] ^= 1;
            assert!(one.unwrap_now(id, &damaged).is_err(), "{position}");
        }
        assert!(one.unwrap_now(id, &[]).is_err());
    }
}
