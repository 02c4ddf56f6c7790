use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use sealyard_core::{Digest, Redacted, Rng};

use crate::chunks::{CHUNK, Cipher};
use crate::keyring::{KeyId, Keyring};
use crate::object_id::ObjectId;

const MAGIC: &[u8; 8] = b"SYVAULT\x01";
/// What the chunks are bound to: all that stays when the data key is wrapped anew.
const FIXED: usize = 8 + 4 + 7;
/// The whole header's length.
pub(crate) const HEADER: usize = FIXED + 8 + 12 + 48;

/// An object's header, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    nonce_prefix: [u8; 7],
    key: KeyId,
    wrap_nonce: [u8; 12],
    wrapped: [u8; 48],
}

impl Header {
    /// For a new object, with the cipher of its chunks; wrapped with the newest key unless another is asked for.
    pub(crate) fn new(id: &ObjectId, with: Option<KeyId>, keyring: &Keyring, rng: &dyn Rng) -> Option<(Self, Cipher)> {
        let data_key = Redacted::new(rng.bytes::<32>());
        let mut header =
            Self { nonce_prefix: rng.bytes(), key: keyring.newest(), wrap_nonce: [0; 12], wrapped: [0; 48] };
        header.wrap(&data_key, id, with.unwrap_or(keyring.newest()), keyring, rng)?;
        let cipher = header.chunk_cipher(&data_key, id)?;
        Some((header, cipher))
    }

    /// The cipher of the object's chunks; `None` when the header is not authentic or its key is not in the ring.
    pub(crate) fn cipher(&self, id: &ObjectId, keyring: &Keyring) -> Option<Cipher> {
        self.chunk_cipher(&self.unwrap(id, keyring)?, id)
    }

    /// The same object's header under the newest key.
    pub(crate) fn rewrapped(&self, id: &ObjectId, keyring: &Keyring, rng: &dyn Rng) -> Option<Self> {
        let data_key = self.unwrap(id, keyring)?;
        let mut header = self.clone();
        header.wrap(&data_key, id, keyring.newest(), keyring, rng)?;
        Some(header)
    }

    /// The key it is wrapped with.
    pub(crate) const fn key(&self) -> KeyId {
        self.key
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.fixed()[..], &self.key.0, &self.wrap_nonce, &self.wrapped].concat()
    }

    /// Reads one; `None` when it is none of this version.
    pub(crate) fn from_bytes(bytes: &[u8; HEADER]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (chunk_size, rest) = rest.split_first_chunk::<4>()?;
        let (nonce_prefix, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (wrap_nonce, rest) = rest.split_first_chunk()?;
        let wrapped = rest.try_into().ok()?;
        // The size is written down for versions to come; this one reads what it writes, and allocates no other.
        if u32::from_be_bytes(*chunk_size) as usize != CHUNK {
            return None;
        }
        Some(Self { nonce_prefix: *nonce_prefix, key: KeyId(*key), wrap_nonce: *wrap_nonce, wrapped })
    }

    fn wrap(
        &mut self,
        data_key: &Redacted<[u8; 32]>,
        id: &ObjectId,
        with: KeyId,
        keyring: &Keyring,
        rng: &dyn Rng,
    ) -> Option<()> {
        self.key = with;
        self.wrap_nonce = rng.bytes();
        self.wrapped = keyring.wrap_with(with, data_key.expose(), self.wrap_nonce, &self.wrap_aad(id))?;
        Some(())
    }

    fn unwrap(&self, id: &ObjectId, keyring: &Keyring) -> Option<Redacted<[u8; 32]>> {
        keyring.unwrap(self.key, &self.wrapped, self.wrap_nonce, &self.wrap_aad(id))
    }

    fn chunk_cipher(&self, data_key: &Redacted<[u8; 32]>, id: &ObjectId) -> Option<Cipher> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, data_key.expose()).ok()?);
        Some(Cipher::new(key, self.nonce_prefix, self.aad(id)))
    }

    fn fixed(&self) -> [u8; FIXED] {
        let size = u32::try_from(CHUNK).unwrap_or(u32::MAX).to_be_bytes();
        let mut fixed = [0; FIXED];
        for (to, from) in fixed.iter_mut().zip(MAGIC.iter().chain(&size).chain(&self.nonce_prefix)) {
            *to = *from;
        }
        fixed
    }

    fn aad(&self, id: &ObjectId) -> Vec<u8> {
        [&Digest::of(&self.fixed()).as_bytes()[..], id.as_bytes()].concat()
    }

    fn wrap_aad(&self, id: &ObjectId) -> Vec<u8> {
        [b"sealyard vault data key v1", &self.aad(id)[..], &self.key.0].concat()
    }
}
