//! `GET metrics/get-history-bulk`: one metric of several runs, for charts.

use axum::Json;
use sealyard_app::{App, Caller, RUNS_PER_HISTORY, ReadableRun};
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::MetricView;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: Texts,
    metric_key: Option<String>,
    max_results: Option<Integer>,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    pub(super) metrics: Vec<MetricView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let refuse = |why: String| Err(ApiError::invalid(format!("GetMetricHistoryBulk request {why}")));
    let count = request.run_id.iter().count();
    if count == 0 {
        return refuse("must specify at least one run_id.".to_owned());
    }
    if count > RUNS_PER_HISTORY {
        return refuse(format!("cannot specify more than {RUNS_PER_HISTORY} run_ids. Received {count} run_ids."));
    }
    let Some(key) = request.metric_key else { return refuse("must specify a metric_key.".to_owned()) };
    let runs = readable(app, &caller, request.run_id.iter()).await?;
    let found = app.metric_histories(runs, key, request.max_results.map(|most| most.0)).await?;
    let metrics = found.into_iter().map(|(run, metric)| MetricView::from(metric).of_run(Some(run))).collect();
    Ok(Json(Response { metrics }))
}

/// The runs, each with the proof that the caller may read it.
pub(super) async fn readable(
    app: &App,
    caller: &Caller,
    ids: impl Iterator<Item = &str>,
) -> Result<Vec<ReadableRun>, ApiError> {
    let mut runs: Vec<ReadableRun> = Vec::new();
    for id in ids {
        if !runs.iter().any(|(_, known)| known == id) {
            runs.push((app.authorize_run(caller, Read, id).await?, id.to_owned()));
        }
    }
    Ok(runs)
}
