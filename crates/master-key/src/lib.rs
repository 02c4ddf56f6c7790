//! What wraps the vault's keys.
//!
//! The vault's own keys, of which each object's data key is wrapped by one, are few and long-lived. They are kept in a file next to
//! the data, wrapped by a [`MasterKey`] that is kept elsewhere: a service, a device, the process's environment. A server asks
//! it once, when it starts, and once more when it makes a new key; in between the keys are in its memory alone. So an upload
//! costs no request, and a service that is away for an hour stops nobody but a start.
//!
//! Each wrapped key is bound to its id: the service refuses to unwrap one in another's place.
#![forbid(unsafe_code)]

mod aws;
mod echo;
mod environment;
mod error;
mod file;
mod http;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod transit;

use std::fmt;

use futures::future::BoxFuture;
use sealyard_core::Redacted;
use sealyard_vault::KeyId;

pub use aws::{AwsCredentials, AwsKms, AwsKmsConfig};
pub use environment::{EnvironmentKey, VARIABLE};
pub use error::MasterKeyError;
pub use file::WrappedKeys;
#[cfg(feature = "pkcs11")]
pub use pkcs11::{Pkcs11, Pkcs11Config};
pub use transit::{Transit, TransitConfig};

/// A key that never leaves its place, and wraps the vault's keys there.
pub trait MasterKey: fmt::Debug + Send + Sync {
    /// The kind and the key's name, for people: `transit sealyard`. Never anything secret.
    fn name(&self) -> String;

    /// Wraps one of the vault's keys, bound to its id.
    fn wrap<'a>(&'a self, id: KeyId, key: &'a Redacted<[u8; 32]>) -> BoxFuture<'a, Result<Vec<u8>, MasterKeyError>>;

    /// Unwraps what [`Self::wrap`] gave for the same id.
    fn unwrap<'a>(&'a self, id: KeyId, wrapped: &'a [u8]) -> BoxFuture<'a, Result<Redacted<[u8; 32]>, MasterKeyError>>;
}

/// What a wrapped key is bound to.
fn context(id: KeyId) -> String {
    format!("sealyard vault key {id}")
}
