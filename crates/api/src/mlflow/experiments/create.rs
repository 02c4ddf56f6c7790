//! `POST experiments/create`: needs EDIT on the server or on all experiments. An artifact location of the client's choice is not taken: it would make the server read and write there.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::super::view::{PairInput, pairs};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    artifact_location: String,
    tags: Vec<PairInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    experiment_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let name = required("name", &request.name)?;
    if !request.artifact_location.is_empty() {
        return Err(ApiError::invalid("artifact_location is given by the server; leave it away"));
    }
    let may = app.authorize_experiment_creation(&caller).await?;
    let created = app.create_experiment(&caller, &may, name, pairs(request.tags)).await?;
    Ok(Json(Response { experiment_id: created.id }))
}
