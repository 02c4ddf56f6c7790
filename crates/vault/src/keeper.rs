use std::fmt;

use futures::future::BoxFuture;

use crate::keyring::Keyring;

/// Why the keys could not be kept.
pub type KeeperError = Box<dyn std::error::Error + Send + Sync>;

/// Where a ring of keys is kept from one start to the next.
pub trait KeyKeeper: fmt::Debug + Send + Sync {
    /// What protects the kept keys, for people: `file`, or a master key's kind and name. Never anything secret.
    fn master(&self) -> String;

    /// Keeps these keys in the place of those before. They are durable when this is done; when it fails, the old ones are kept.
    fn save<'a>(&'a self, ring: &'a Keyring) -> BoxFuture<'a, Result<(), KeeperError>>;

    /// The keys as they are kept now, where there is one that `ring` lacks: another server made it, and somebody brought the file
    /// here. What unwraps them is asked only then.
    fn newer<'a>(&'a self, ring: &'a Keyring) -> BoxFuture<'a, Result<Option<Keyring>, KeeperError>>;
}
