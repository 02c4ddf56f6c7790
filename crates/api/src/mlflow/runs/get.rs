//! `GET runs/get`.

use axum::Json;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::RunView;
use super::run_id;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    run_id: String,
    run_uuid: String,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    run: RunView,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Read, id).await?;
    Ok(Json(Response { run: app.run(&may, id).await?.into() }))
}
