//! Backups: everything that a server needs to be again what it was, elsewhere.
//!
//! A [`BackupStore`] is a directory. It has each stored object once, as the vault encrypted it, by the SHA-256 of those bytes, so
//! that a further backup copies what is new; and for each backup a folder with the catalog at one moment, the list of the
//! objects that it refers to, and the server's keys, all three encrypted, and a manifest that the ledger's key signed.
//!
//! ```text
//! sealyard-backups          what this is, and the version, 1
//! objects/ab/abcd…          stored objects
//! backups/20260101T120000000Z-0123abcd/
//!     catalog               the dump, deflated and encrypted
//!     objects               a line of JSON for each object, likewise
//!     keys                  the files of keys, likewise
//!     manifest              a signed note: `sealyard-backup/1` and a line of JSON
//! ```
//!
//! A backup has a random key of its own, which is encrypted to recovery keys (X25519). Whoever makes backups needs the public
//! half alone: the machine can't read the backups that it made, and a server that is taken over gives nobody those of last year.
//!
//! A folder gets its name once everything in it is on the disk. So what was interrupted looks like no backup, and is removed by
//! the next one.
#![forbid(unsafe_code)]

mod columns;
mod error;
mod hashing;
mod keys;
mod list;
mod make;
mod manifest;
mod recovery;
mod restore;
mod sealed;
mod store;
mod verify;
mod workspaces;

pub use error::BackupError;
pub use keys::KeyFiles;
pub use list::StoredCopy;
pub use make::{BackupMaking, BackupSummary};
pub use manifest::{FORMAT, LedgerHead, Manifest, Part, WrappedFor};
pub use recovery::{RecipientKey, RecoveryKey};
pub use restore::{CatalogTarget, check_vault, open_catalog, restore_objects};
pub use store::{BackupStore, SnapshotName, StoreLock};
pub use verify::{BackupProblem, BackupReport, Opened};
