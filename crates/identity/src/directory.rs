//! People whom somebody else knows: what a directory or an identity provider says of them.

use std::fmt::Debug;
use std::pin::Pin;

use sealyard_core::Redacted;

/// Who somebody is at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// What the provider never gives to somebody else.
    pub subject: String,
    /// The name there, in lower case.
    pub name: String,
    /// The groups that the provider says they are in, all of them; `None` where it was not asked.
    pub groups: Option<Vec<String>>,
    /// Whether a group of theirs makes them an administrator; `None` where the provider does not decide that.
    pub administrator: Option<bool>,
}

/// Why a directory let nobody in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It says nothing that can be used; nothing is known of the password.
    #[error("{0}")]
    Unavailable(String),
}

/// An answer that takes a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Somewhere that passwords can be checked.
pub trait PasswordDirectory: Debug + Send + Sync {
    /// What the operator calls it.
    fn name(&self) -> &str;

    /// Whose name and password these are.
    fn check<'a>(
        &'a self,
        name: &'a str,
        password: &'a Redacted<String>,
    ) -> Answer<'a, Result<DirectoryPerson, DirectoryError>>;

    /// Takes as long as a check of somebody unknown, and tells the directory nothing.
    fn pretend(&self) -> Answer<'_, ()>;
}
