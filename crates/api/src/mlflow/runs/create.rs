//! `POST runs/create`.

use axum::Json;
use sealyard_app::CreateRun;
use sealyard_core::Timestamp;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::{PairInput, RunView, pairs};
use crate::http::{Answer, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    user_id: String,
    run_name: String,
    start_time: Option<Integer>,
    tags: Vec<PairInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    run: RunView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    // The default experiment, as upstream.
    let id = if request.experiment_id.is_empty() { "0" } else { &request.experiment_id };
    let may = app.authorize_experiment(&caller, Edit, id).await?;
    let create = CreateRun {
        name: request.run_name,
        user: request.user_id,
        start: request.start_time.map(|time| Timestamp::from_millis(time.0)),
        tags: pairs(request.tags),
    };
    Ok(Json(Response { run: app.create_run(&caller, &may, create).await?.into() }))
}
