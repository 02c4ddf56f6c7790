//! Accounts that somebody else vouches for: providers of identities (OIDC, LDAP, SAML) and what certificates and tokens of
//! machines are mapped to.
//!
//! A provider's subject is one account for ever, whatever it is called later. A name that is another account's is refused: who can
//! choose a name at a provider must not become somebody here. What a provider calls a group is a group of that provider
//! (`corp/trainers`) and never one of this server.

mod declared;
mod sessions;
mod sign_in;

use sealyard_core::Timestamp;

pub use declared::DeclaredRoles;

/// Somebody as a provider of identities vouches for them, which its adapter has verified.
#[derive(Debug, Clone)]
pub struct ExternalIdentity {
    /// The provider, by its name in the settings.
    pub provider: String,
    /// How: `oidc`, `ldap`, `saml`.
    pub method: &'static str,
    /// What the provider calls them, unique there and never given to anybody else.
    pub subject: String,
    /// The name of the account that is made when they come first.
    pub name: String,
    /// The groups that the provider says they are in, all of them; `None` where it was not asked.
    pub groups: Option<Vec<String>>,
    /// Whether they are administrators; `None` where the provider does not decide that.
    pub administrator: Option<bool>,
    /// When the proof ends, if it does.
    pub expires: Option<Timestamp>,
}

/// A verified proof of being an account that there is: a certificate, or a machine's token, by a rule of the settings.
#[derive(Debug, Clone)]
pub struct MappedIdentity {
    /// The provider or rule, by its name in the settings.
    pub provider: String,
    /// How: `oidc`, `certificate`.
    pub method: &'static str,
    /// Whose account it is, by name.
    pub account: String,
    /// When the proof ends, if it does.
    pub expires: Option<Timestamp>,
}
