//! Accounts and groups as a directory keeps them in step (SCIM 2.0, RFC 7643 and 7644).
//!
//! It takes the right to provision: an administrator, or MANAGE on `users`, with a token of the scope `scim`. Administrators and
//! accounts of machines are out of its reach, so that whoever holds the directory's token can't become one. What is kept of a person is
//! a name, what the directory calls them, and whether they are active: nothing else that it tells.

mod groups;
mod users;

use sealyard_identity::{Authorized, Provision, UserDirectory};

pub use groups::{GroupChange, ProvisionedGroup};
pub use users::{NewProvisionedUser, ProvisionedUser, UserChange};

/// Proof of the right to provision.
pub type MayProvision = Authorized<Provision, UserDirectory>;

/// The provider that groups and names of the directory belong to.
pub const SCIM: &str = "scim";
