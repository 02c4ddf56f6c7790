mod end;
mod list;

use sealyard_identity::PrincipalName;
use serde::Deserialize;

use crate::http::ApiError;
use crate::http::Takes::Somebody;
use crate::http::routes::{Routes, delete, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/sessions", get(Somebody, list::handler).delete(Somebody, end::all))
        .route("/sessions/{id}", delete(Somebody, end::one))
}

/// Whose sessions it is about: the caller's, or those of the `user` that is named.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Whose {
    user: Option<String>,
}

impl Whose {
    fn name(self) -> Result<Option<PrincipalName>, ApiError> {
        let name = self.user.map(PrincipalName::new).transpose();
        name.map_err(|error| ApiError::invalid(error.to_string()))
    }
}
