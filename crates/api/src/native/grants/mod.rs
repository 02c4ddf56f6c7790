mod list;
mod remove;
mod set;

use sealyard_app::{GrantChange, GrantTo};
use serde::Deserialize;

use crate::http::ApiError;
use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    let methods = get(Administrator, list::handler).post(Administrator, set::handler);
    Routes::new().route("/grants", methods.delete(Administrator, remove::handler))
}

/// A grant: `{"user":"ada","resource":"experiment:*","right":"EDIT"}`, or with `"role":5` or `"group":"trainers"` in place of the
/// user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    role: Option<i64>,
    #[serde(default)]
    group: Option<String>,
    resource: String,
    right: String,
    /// What the resource names need not be there yet.
    #[serde(default)]
    absent: bool,
}

impl GrantRequest {
    fn parse(self) -> Result<(GrantChange, bool), ApiError> {
        let invalid = |error: &dyn std::fmt::Display| ApiError::invalid(error.to_string());
        let to = match (self.user, self.role, self.group) {
            (Some(user), None, None) => {
                sealyard_identity::PrincipalName::new(user.as_str()).map_err(|error| invalid(&error))?;
                GrantTo::User(user)
            }
            (None, Some(role), None) => GrantTo::Role(role),
            (None, None, Some(group)) => GrantTo::Group(group),
            _ => return Err(ApiError::invalid("a grant is to a 'user', a 'role' or a 'group'")),
        };
        let pattern = self
            .resource
            .parse()
            .map_err(|error: sealyard_identity::ResourcePatternError| ApiError::invalid(error.to_string()))?;
        let right =
            self.right.parse().map_err(|error: sealyard_identity::RightError| ApiError::invalid(error.to_string()))?;
        Ok((GrantChange { to, pattern, right }, self.absent))
    }
}
