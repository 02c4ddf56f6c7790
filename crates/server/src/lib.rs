//! Composition: a data directory, keys, TLS, the listener, and [`wiring`] — the only place that names adapters.
#![forbid(unsafe_code)]

mod activity;
mod backup;
mod catalog;
mod challenges;
mod config;
mod data_directory;
mod deployment;
mod descriptors;
mod door;
mod doors;
mod error;
mod export;
mod head;
mod identity;
mod inference;
#[cfg(test)]
mod ledger_tests;
mod listener;
mod master_key;
mod migration;
mod patience;
mod places;
mod plain;
mod ready;
mod seal;
pub mod settings;
mod tls;
mod wiring;
mod witness;

pub use backup::{Backup, Restore, RestoreTo};
pub use config::{Config, TlsMode};
pub use data_directory::DataDirectory;
pub use error::ServerError;
pub use inference::InferenceServer;
pub use master_key::MasterKeyMove;
pub use migration::{Migration, MigrationSource};
pub use ready::FirstStart;
pub use sealyard_transport::{TlsSlot, fingerprint};
pub use tls::open_tls;
pub use wiring::Server;
pub use witness::{WitnessConfig, WitnessServer};
