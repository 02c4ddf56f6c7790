//! `POST experiments/delete-experiment-tag`.

use axum::Json;
use sealyard_identity::Edit;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    key: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Edit, id).await?;
    app.delete_experiment_tag(&may, &request.key).await?;
    Ok(Json(Empty {}))
}
