//! `GET scorers/versions`: every version of a scorer.

use axum::Json;
use sealyard_identity::Read;
use serde::Deserialize;

use super::ScorersView;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<ScorersView> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Read, experiment).await?;
    let name = required("name", &request.name)?;
    let scorers = app.scorer_versions(&may, name).await?.into_iter().map(Into::into).collect();
    Ok(Json(ScorersView { scorers }))
}
