//! `GET logged-models/<id>/manifest`: the frozen files of a finalised logged model.

use axum::Json;
use axum::extract::Path;
use sealyard_app::ModelManifest;
use sealyard_identity::Read;

use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<ModelManifest> {
    let app = state.app();
    let may = app.authorize_logged_model(&caller, Read, &id).await?;
    Ok(Json(app.logged_model_manifest(&may, &id).await?))
}
