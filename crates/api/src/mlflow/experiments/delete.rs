//! `POST experiments/delete`: into the bin, with its runs.

use axum::Json;
use sealyard_identity::Manage;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Manage, id).await?;
    app.delete_experiment(&caller, &may).await?;
    Ok(Json(Empty {}))
}
