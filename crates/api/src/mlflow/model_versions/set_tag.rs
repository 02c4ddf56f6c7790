//! `POST model-versions/set-tag`.

use axum::Json;
use sealyard_app::VersionReference;
use sealyard_identity::Edit;
use sealyard_store::model::Pair;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
    key: String,
    value: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Edit, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    app.set_model_version_tag(&caller, &may, version, Pair::new(request.key, request.value)).await?;
    Ok(Json(Empty {}))
}
