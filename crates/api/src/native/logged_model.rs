//! `GET logged-models/<id>/manifest`: the frozen files of a finalised logged model.

use axum::Json;
use axum::extract::{Path, State};
use sealyard_app::ModelManifest;
use sealyard_identity::Read;

use crate::http::{Answer, ApiState, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<ModelManifest> {
    let app = state.app();
    let may = app.authorize_logged_model(&caller, Read, &id).await?;
    Ok(Json(app.logged_model_manifest(&may, &id).await?))
}
