use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::hmac;
use sealyard_core::{Digest, Redacted, Rng};
use zeroize::Zeroizing;

use crate::BackupError;

const PRIVATE_LINE: &str = "sealyard-recovery-key v1";
const PUBLIC_LINE: &str = "sealyard-recovery-public-key v1";
const COMMENT: &str = "# Whoever has this file can read the backups that were made for it. Keep it away from the server, and two copies of it.";
const WRAPPED: usize = 32 + 32 + 16;

/// The half that a backup is made for. Nothing can be read with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RecipientKey([u8; 32]);

/// The half that reads the backups.
pub struct RecoveryKey {
    secret: Redacted<[u8; 32]>,
    public: RecipientKey,
}

impl RecoveryKey {
    /// A new one.
    ///
    /// # Errors
    /// [`BackupError::NotAKey`], never with a sane generator.
    pub fn generate(rng: &dyn Rng) -> Result<Self, BackupError> {
        Self::new(Redacted::new(rng.bytes()))
    }

    fn new(secret: Redacted<[u8; 32]>) -> Result<Self, BackupError> {
        let not_a_key = || BackupError::NotAKey("it".to_owned());
        let key = PrivateKey::from_private_key(&X25519, secret.expose()).map_err(|_| not_a_key())?;
        let public = key.compute_public_key().map_err(|_| not_a_key())?;
        let public = RecipientKey(public.as_ref().try_into().map_err(|_| not_a_key())?);
        Ok(Self { secret, public })
    }

    /// The half for who makes backups.
    #[must_use]
    pub const fn recipient(&self) -> RecipientKey {
        self.public
    }

    /// What a file of it says.
    #[must_use]
    pub fn to_text(&self) -> Redacted<String> {
        let hex = Zeroizing::new(hex::encode(self.secret.expose()));
        Redacted::new(format!("{PRIVATE_LINE}\n{COMMENT}\nkey {}\npublic {}\n", *hex, hex::encode(self.public.0)))
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// [`BackupError::NotAKey`]; it never shows the text.
    pub fn from_text(text: &str) -> Result<Self, BackupError> {
        let not_a_key = || BackupError::NotAKey("the file".to_owned());
        let mut lines = text.lines();
        if lines.next() != Some(PRIVATE_LINE) {
            return Err(not_a_key());
        }
        let hex = lines.find_map(|line| line.strip_prefix("key ")).ok_or_else(not_a_key)?;
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(hex.trim(), secret.as_mut_slice()).map_err(|_| not_a_key())?;
        Self::new(Redacted::new(*secret))
    }

    /// Opens what [`RecipientKey::wrap`] made for this key.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Option<Redacted<[u8; 32]>> {
        let (ephemeral, sealed) = wrapped.split_first_chunk::<32>()?;
        let mine = PrivateKey::from_private_key(&X25519, self.secret.expose()).ok()?;
        let key = shared(&mine, ephemeral, ephemeral, &self.public)?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let plain =
            key.open_in_place(Nonce::assume_unique_for_key([0; 12]), Aad::from(self.public.0), &mut bytes).ok()?;
        let plain: &[u8] = plain;
        plain.try_into().ok().map(Redacted::new)
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryKey({})", self.public)
    }
}

impl RecipientKey {
    /// What a file of it says.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PUBLIC_LINE}\npublic {}\n", hex::encode(self.0))
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// [`BackupError::NotAKey`].
    pub fn from_text(text: &str) -> Result<Self, BackupError> {
        let not_a_key = || BackupError::NotAKey("the file".to_owned());
        let mut lines = text.lines();
        // The private half is not taken: it has no business where backups are made.
        if lines.next() != Some(PUBLIC_LINE) {
            return Err(not_a_key());
        }
        let hex = lines.find_map(|line| line.strip_prefix("public ")).ok_or_else(not_a_key)?;
        let mut public = [0; 32];
        hex::decode_to_slice(hex.trim(), &mut public).map_err(|_| not_a_key())?;
        Ok(Self(public))
    }

    /// Encrypts a backup's key for who has the private half: X25519 with a key of its own, HKDF-SHA-256, AES-256-GCM.
    pub(crate) fn wrap(&self, key: &Redacted<[u8; 32]>, rng: &dyn Rng) -> Option<Vec<u8>> {
        let secret = Redacted::new(rng.bytes::<32>());
        let mine = PrivateKey::from_private_key(&X25519, secret.expose()).ok()?;
        let public: [u8; 32] = mine.compute_public_key().ok()?.as_ref().try_into().ok()?;
        let cipher = shared(&mine, &self.0, &public, self)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(WRAPPED));
        bytes.extend_from_slice(key.expose());
        // The key is of this one use.
        cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::from(self.0), &mut *bytes).ok()?;
        Some([&public[..], bytes.as_slice()].concat())
    }
}

impl fmt::Display for RecipientKey {
    /// The first 8 bytes of its hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = Digest::of(&self.0).to_hex();
        f.write_str(hex.get(..16).unwrap_or_default())
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientKey({self})")
    }
}

fn shared(mine: &PrivateKey, peer: &[u8; 32], ephemeral: &[u8; 32], recipient: &RecipientKey) -> Option<LessSafeKey> {
    let salt = [&ephemeral[..], &recipient.0].concat();
    let key = agree(mine, UnparsedPublicKey::new(&X25519, peer), (), |secret| {
        // HKDF, of one block.
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salt), secret);
        let info = b"sealyard backup key v1\x01";
        let okm = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()), info);
        let mut key = Zeroizing::new([0; 32]);
        for (to, from) in key.iter_mut().zip(okm.as_ref()) {
            *to = *from;
        }
        Ok(key)
    });
    UnboundKey::new(&AES_256_GCM, key.ok()?.as_slice()).ok().map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    #[test]
    fn a_key_is_opened_by_the_half_it_is_for_alone() {
        let (one, other) = (RecoveryKey::generate(&SystemRng).unwrap(), RecoveryKey::generate(&SystemRng).unwrap());
        let key = Redacted::new([9; 32]);
        let wrapped = one.recipient().wrap(&key, &SystemRng).unwrap();
        assert_eq!(one.unwrap(&wrapped).unwrap().expose(), key.expose());
        assert!(other.unwrap(&wrapped).is_none());
        for position in 0..wrapped.len() {
            let mut damaged = wrapped.clone();
            damaged[position] ^= 1;
            assert!(one.unwrap(&damaged).is_none(), "{position}");
            assert!(one.unwrap(&wrapped[..position]).is_none());
        }
        assert_ne!(wrapped, one.recipient().wrap(&key, &SystemRng).unwrap());
    }

    #[test]
    fn both_halves_are_read_from_what_they_write_and_not_for_each_other() {
        let key = RecoveryKey::generate(&SystemRng).unwrap();
        let text = key.to_text();
        assert_eq!(RecoveryKey::from_text(text.expose()).unwrap().recipient(), key.recipient());
        assert_eq!(RecipientKey::from_text(&key.recipient().to_text()).unwrap(), key.recipient());
        assert!(RecipientKey::from_text(text.expose()).is_err());
        assert!(RecoveryKey::from_text(&key.recipient().to_text()).is_err());
        assert!(!format!("{key:?}").contains(&hex::encode(key.secret.expose())));
        for text in ["", "key 00", &text.expose().replace("key ", "kay ")] {
            assert!(RecoveryKey::from_text(text).is_err());
        }
    }
}
