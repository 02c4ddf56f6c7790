//! `POST scorers/register`: the next version of a scorer.

use axum::Json;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
    serialized_scorer: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    version: u32,
    scorer_id: String,
    experiment_id: String,
    name: String,
    serialized_scorer: String,
    creation_time: i64,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Edit, experiment).await?;
    let name = required("name", &request.name)?;
    required("serialized_scorer", &request.serialized_scorer)?;
    let made = app.register_scorer(&caller, &may, name, request.serialized_scorer).await?;
    Ok(Json(Response {
        version: made.version,
        scorer_id: made.scorer_id,
        experiment_id: made.experiment_id,
        name: made.name,
        serialized_scorer: made.serialized,
        creation_time: made.created,
    }))
}
