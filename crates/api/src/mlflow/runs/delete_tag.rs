//! `POST runs/delete-tag`.

use axum::Json;
use sealyard_identity::Edit;
use serde::Deserialize;

use super::run_id;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    key: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    app.delete_run_tag(&may, id, &request.key).await?;
    Ok(Json(Empty {}))
}
