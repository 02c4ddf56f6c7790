//! `POST logged-models`: begins one; its files follow.

use axum::Json;
use sealyard_app::CreateLoggedModel;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::{LoggedModelView, PairInput, pairs};
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
    model_type: String,
    source_run_id: Option<String>,
    params: Vec<PairInput>,
    tags: Vec<PairInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    model: LoggedModelView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let id = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Edit, id).await?;
    let create = CreateLoggedModel {
        name: request.name,
        source_run_id: request.source_run_id,
        model_type: request.model_type,
        tags: pairs(request.tags),
        params: pairs(request.params),
    };
    Ok(Json(Response { model: app.create_logged_model(&caller, &may, create).await?.into() }))
}
