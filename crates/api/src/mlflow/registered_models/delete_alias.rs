//! `DELETE registered-models/alias`. A protected one takes the right to promote.

use axum::Json;
use sealyard_identity::ModelName;
use serde::Deserialize;

use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    alias: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let name =
        ModelName::new(required("name", &request.name)?).map_err(|error| ApiError::invalid(error.to_string()))?;
    required("alias", &request.alias)?;
    app.delete_alias(&caller, name, request.alias).await?;
    Ok(Json(Empty {}))
}
