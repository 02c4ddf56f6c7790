//! `GET scorers/list`: the newest version of each scorer.

use axum::Json;
use sealyard_identity::Read;
use serde::Deserialize;

use super::ScorersView;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<ScorersView> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Read, experiment).await?;
    Ok(Json(ScorersView { scorers: app.scorers(&may).await?.into_iter().map(Into::into).collect() }))
}
