//! `GET metrics/get-history-bulk-interval`: one metric of several runs, thinned out to steps at even distances.

use axum::Json;
use sealyard_app::{RUNS_PER_HISTORY, SAMPLED_STEPS, USUAL_SAMPLED_STEPS};
use serde::Deserialize;

use super::super::view::MetricView;
use super::get_history_bulk::{Response, readable};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer, Texts, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    run_ids: Texts,
    metric_key: String,
    start_step: Option<Integer>,
    end_step: Option<Integer>,
    max_results: Option<Integer>,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let refuse = |why: String| Err(ApiError::invalid(why));
    let count = request.run_ids.iter().count();
    if count == 0 {
        return refuse("Missing value for required parameter 'run_ids'.".to_owned());
    }
    if count > RUNS_PER_HISTORY {
        return refuse(format!(
            "GetMetricHistoryBulkInterval request must specify at most {RUNS_PER_HISTORY} run_ids."
        ));
    }
    let key = required("metric_key", &request.metric_key)?.to_owned();
    let asked = request.max_results.map_or(i64::from(USUAL_SAMPLED_STEPS), |most| most.0);
    let Some(steps) = u32::try_from(asked).ok().filter(|asked| (1..=SAMPLED_STEPS).contains(asked)) else {
        return refuse(format!("max_results must be between 1 and {SAMPLED_STEPS}."));
    };
    let range = match (request.start_step, request.end_step) {
        (None, None) => None,
        (Some(from), Some(to)) if from.0 <= to.0 => Some((from.0, to.0)),
        (Some(from), Some(to)) => {
            return refuse(format!(
                "end_step must be greater than start_step. Found start_step={} and end_step={}.",
                from.0, to.0
            ));
        }
        _ => return refuse("If either start step or end step are specified, both must be specified.".to_owned()),
    };
    let runs = readable(app, &caller, request.run_ids.iter()).await?;
    let found = app.sampled_histories(runs, key, range, steps).await?;
    let metrics = found.into_iter().map(|(run, metric)| MetricView::from(metric).of_run(Some(run))).collect();
    Ok(Json(Response { metrics }))
}
