//! `GET scorers/get`: a version of a scorer, or its newest one.

use axum::Json;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::{ScorerView, version};
use crate::http::{Answer, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
    version: Option<Integer>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    scorer: ScorerView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Read, experiment).await?;
    let name = required("name", &request.name)?;
    Ok(Json(Response { scorer: app.scorer(&may, name, version(request.version)?).await?.into() }))
}
