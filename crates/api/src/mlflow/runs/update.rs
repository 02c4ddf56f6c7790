//! `POST runs/update`: status, end and name.

use axum::Json;
use sealyard_app::UpdateRun;
use sealyard_core::Timestamp;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::view::{RunInfoView, run_status};
use super::run_id;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    status: Option<Value>,
    end_time: Option<Integer>,
    run_name: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    run_info: RunInfoView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    let update = UpdateRun {
        name: request.run_name,
        status: request.status.as_ref().map(run_status).transpose()?,
        end: request.end_time.map(|time| Timestamp::from_millis(time.0)),
    };
    let run = app.update_run(&caller, &may, id, update).await?;
    Ok(Json(Response { run_info: RunInfoView::from(&run) }))
}
