//! `PUT models/<name>/aliases/<alias>`: points it at a version. Where the policy protects the alias, that takes the right to
//! promote and asks the publish gate; `break_glass` has the reason for which it shall be set all the same, and takes the right to.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::ModelName;
use serde::Deserialize;

use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    version: u32,
    #[serde(default)]
    break_glass: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((name, alias)): Path<(String, String)>,
    Strict(request): Strict<Request>,
) -> Answer<Empty> {
    let name = ModelName::new(name).map_err(|error| ApiError::invalid(error.to_string()))?;
    state.app().point_alias(&caller, name, alias, request.version, request.break_glass).await?;
    Ok(Json(Empty {}))
}
