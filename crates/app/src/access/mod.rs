//! Users, their rights and roles, as MLflow's clients manage them. All of it rests on the same users and grants that the
//! one authorizer decides by.

mod accounts;
mod command_line;
mod explain;
mod grants;
mod groups;
mod lockout;
mod own_sessions;
mod permissions;
mod roles;
mod second_factor;
mod users;

use sealyard_identity::{ActsOn, Administer, Provision, UserDirectory};

/// What may disable accounts, and make groups and fill them: administering, and provisioning by a directory. A right to read the
/// users is none of it.
pub trait KeepsAccounts: ActsOn<UserDirectory> {}

impl KeepsAccounts for Administer {}
impl KeepsAccounts for Provision {}

pub use accounts::{AccountDetails, AccountSummary};
pub use command_line::{CommandLineToken, LogInChallenge};
pub use explain::{AccessExplanation, ConsideredRule};
pub use grants::{GrantChange, GrantFilter, GrantSummary, GrantTo};
pub use groups::{GroupDetails, GroupSummary};
pub use lockout::LOCKED;
pub use own_sessions::SessionSummary;
pub use permissions::{PermissionLevel, Shared};
pub(crate) use roles::check_name as check_role_name;
pub use roles::{NewRolePermission, RoleChange};
pub(crate) use second_factor::has_second_factor;
pub use second_factor::{SECOND_FACTOR, SecondFactorSetup, SecondFactorStatus};
pub(crate) use users::find;
pub use users::{HeldPermission, UserDetails};
