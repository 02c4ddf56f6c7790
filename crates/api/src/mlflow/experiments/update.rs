//! `POST experiments/update`: another name.

use axum::Json;
use sealyard_identity::Edit;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    new_name: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Edit, id).await?;
    app.rename_experiment(&caller, &may, required("new_name", &request.new_name)?).await?;
    Ok(Json(Empty {}))
}
