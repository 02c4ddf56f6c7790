//! `POST registered-models/alias`. An alias that the policy protects takes the right to promote and the publish gate; the application sees to both.

use axum::Json;
use sealyard_app::VersionReference;
use sealyard_identity::ModelName;
use serde::Deserialize;

use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    alias: String,
    version: String,
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
    let version = VersionReference::parse(&request.version)?;
    app.set_alias(&caller, name, request.alias, version.number()).await?;
    Ok(Json(Empty {}))
}
