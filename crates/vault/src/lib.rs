//! Envelope encryption of artifacts: authenticated, chunked, crash-safe.
//!
//! An object is written through a [`PendingObject`], which encrypts and hashes in one pass; sealed, it can be read and
//! scanned while it is still pending; only [`Vault::commit`] puts it among the objects. No plaintext ever reaches the
//! disk, and what was not committed is gone after a crash.
//!
//! ```
//! # use std::io::Write;
//! # use std::sync::Arc;
//! # use sealyard_core::{ReadAt, SystemRng};
//! # use sealyard_vault::{Keyring, Vault};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let keyring = Keyring::open_or_create(&directory.path().join("vault.keys"), &SystemRng)?;
//! let vault = Vault::open_or_create(&directory.path().join("vault"), keyring, Arc::new(SystemRng))?;
//! let mut pending = vault.begin()?;
//! pending.write_all(b"weights")?;
//! let sealed = pending.seal()?;
//! assert_eq!(vault.open_sealed(&sealed)?.read_all(100)?, b"weights"); // what a scanner does
//! vault.commit(&sealed)?;
//! assert_eq!(vault.open(&sealed.id)?.read_all(100)?, b"weights");
//! # Ok(())
//! # }
//! ```
//!
//! # The format
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `SYVAULT` and the version, 1 |
//! | 4 | chunk size, big-endian, 65,536 |
//! | 7 | nonce prefix |
//! | 8 | id of the key-encryption key |
//! | 12 + 48 | nonce, wrapped data key and tag |
//! | n × (65,536 + 16) | chunks; the last one is shorter or as long, and empty only in an empty object |
//!
//! It is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over AES-256-GCM: a chunk's nonce is
//! prefix ‖ counter (4, big-endian) ‖ 1 for the last chunk or else 0, and its additional data is the SHA-256 of the
//! header's first 19 bytes ‖ the object's id. So a chunk that was changed, dropped, reordered, cut off or taken from
//! another object fails, and so does a whole object under another id. The data key is wrapped, also with AES-256-GCM,
//! with the additional data `sealyard vault data key v1` ‖ the chunks' additional data ‖ the key's id; wrapping it anew
//! leaves the chunks as they are. A key's id is the first 8 bytes of the SHA-256 of `sealyard vault key id v1` ‖ the key.
//!
//! What this can't see is an older or other object that somebody who holds the key encrypted under the same id. That
//! is what the digests in the catalog are for.
#![forbid(unsafe_code)]

mod backend;
#[cfg(feature = "bench-plain")]
mod bench_plain;
mod chunks;
mod error;
mod header;
mod helpers;
mod keeper;
mod keyring;
mod object;
mod object_id;
mod pending;
mod sealed;
mod sealer;
mod stream;
mod sweep;
mod vault;

pub use backend::{
    ArtifactsUrl, ArtifactsUrlError, Listed, LocalBackend, ObjectBackend, RemoteBackend, Service, Staged,
};
pub use error::VaultError;
pub use keeper::{KeeperError, KeyKeeper};
pub use keyring::{KeyId, Keyring, KeyringError};
pub use object::Object;
pub use object_id::{ObjectId, ObjectIdError};
pub use pending::{PendingObject, SealedObject};
pub use sealer::Sealer;
pub use stream::{SealedReader, SealedWriter};
pub use vault::Vault;
