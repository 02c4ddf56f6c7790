//! Users, their rights and roles, as MLflow's clients manage them. All of it rests on the same users and grants that the
//! one authorizer decides by.

mod permissions;
mod roles;
mod users;

pub use permissions::{PermissionLevel, Shared};
pub(crate) use roles::check_name as check_role_name;
pub use roles::{NewRolePermission, RoleChange};
pub use users::{HeldPermission, UserDetails};
