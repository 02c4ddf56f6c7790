//! `POST runs/delete`: into the bin.

use axum::Json;
use sealyard_identity::Manage;
use serde::Deserialize;

use super::run_id;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Manage, id).await?;
    app.delete_run(&caller, &may, id).await?;
    Ok(Json(Empty {}))
}
