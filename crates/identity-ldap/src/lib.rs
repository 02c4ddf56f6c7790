//! Sign-in with a password that an LDAP directory checks.
//!
//! A [`Directory`] finds the one entry that a name means, binds as it with the password, and looks up its groups, nested ones
//! too. It knows nothing of accounts: it says who somebody is there, and the application decides what that is worth.
//!
//! - What a client sends goes into filters escaped as RFC 4515 says, and nowhere else. An empty password never reaches a
//!   server: to many of them a bind with none is anonymous, and succeeds.
//! - A connection is TLS from the start (`ldaps`) or before anything is said that matters (StartTLS); plain LDAP only if told
//!   so, and only to this machine.
//! - What a server sends passes a guard before the LDAP library sees it ([`tunnel`]): bytes, lengths and nesting are bounded.
//! - Referrals are not followed: they would carry the password to where the operator did not say.
#![forbid(unsafe_code)]

mod ber;
mod directory;
mod error;
mod groups;
mod server;
mod session;
mod settings;
mod template;
mod tunnel;

pub use directory::Directory;
pub use error::{LdapError, LdapSettingsError};
pub use settings::{LdapSettings, NestedGroups};
