mod remove;
mod set;

use sealyard_identity::{PrincipalName, ResourcePattern, Right};
use serde::Deserialize;

use crate::http::ApiError;
use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, post};

pub(super) fn routes() -> Routes {
    Routes::new().route("/grants", post(Administrator, set::handler).delete(Administrator, remove::handler))
}

/// A grant: `{"user":"ada","resource":"experiment:*","right":"EDIT"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    user: String,
    resource: String,
    right: String,
}

impl GrantRequest {
    fn parse(&self) -> Result<(PrincipalName, ResourcePattern, Right), ApiError> {
        let user = PrincipalName::new(self.user.as_str()).map_err(|error| ApiError::invalid(error.to_string()))?;
        let pattern = self
            .resource
            .parse()
            .map_err(|error: sealyard_identity::ResourcePatternError| ApiError::invalid(error.to_string()))?;
        let right =
            self.right.parse().map_err(|error: sealyard_identity::RightError| ApiError::invalid(error.to_string()))?;
        Ok((user, pattern, right))
    }
}
