//! `DELETE scorers/delete`: a version of a scorer, or all of them.

use axum::Json;
use sealyard_identity::Manage;
use serde::Deserialize;

use super::version;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
    version: Option<Integer>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Manage, experiment).await?;
    app.delete_scorer(&caller, &may, required("name", &request.name)?, version(request.version)?).await?;
    Ok(Json(Empty {}))
}
