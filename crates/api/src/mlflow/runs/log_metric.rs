//! `POST runs/log-metric`.

use axum::Json;
use sealyard_identity::Edit;
use sealyard_store::model::RunBatch;
use serde::Deserialize;

use super::super::view::MetricInput;
use super::run_id;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    #[serde(flatten)]
    metric: MetricInput,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    let metrics = vec![request.metric.into_metric("")?];
    app.log_batch(&may, id, RunBatch { metrics, ..RunBatch::default() }).await?;
    Ok(Json(Empty {}))
}
