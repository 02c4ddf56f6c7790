//! `POST model-versions/create`: freezes and scans the files that the source names. It is registered, not published.

use axum::Json;
use sealyard_app::CreateVersion;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::{ModelVersionView, PairInput, pairs};
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    source: String,
    run_id: Option<String>,
    model_id: Option<String>,
    description: String,
    tags: Vec<PairInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    model_version: ModelVersionView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Edit, &request.name).await?;
    let create = CreateVersion {
        source: required("source", &request.source)?.to_owned(),
        run_id: request.run_id.filter(|id| !id.is_empty()),
        model_id: request.model_id.filter(|id| !id.is_empty()),
        description: request.description,
        tags: pairs(request.tags),
    };
    let create = app.check_new_version(&caller, create).await?;
    Ok(Json(Response { model_version: app.create_version(&caller, &may, create).await?.into() }))
}
