//! `POST traces/metrics`: counts and measures of many traces, spans or assessments at once.

use std::collections::BTreeMap;

use axum::Json;
use sealyard_app::{AskMetrics, GivenAggregation};
use sealyard_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::readable;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer, Number, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Vec<String>,
    view_type: String,
    metric_name: String,
    aggregations: Vec<Aggregation>,
    dimensions: Vec<String>,
    filters: Vec<String>,
    time_interval_seconds: Option<Integer>,
    start_time_ms: Option<Integer>,
    end_time_ms: Option<Integer>,
    max_results: Option<Integer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Aggregation {
    aggregation_type: String,
    percentile_value: Option<Number>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data_points: Vec<Point>,
}

#[derive(Debug, Serialize)]
struct Point {
    metric_name: String,
    dimensions: BTreeMap<String, String>,
    values: BTreeMap<String, f64>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    if request.experiment_ids.is_empty() {
        return Err(ApiError::invalid("Missing value for required parameter 'experiment_ids'."));
    }
    let may = readable(app, &caller, request.experiment_ids.iter().map(String::as_str)).await?;
    required("view_type", &request.view_type)?;
    required("metric_name", &request.metric_name)?;
    let (metric, names) = (request.metric_name.clone(), request.dimensions.clone());
    let ask = AskMetrics {
        view: request.view_type,
        metric: request.metric_name,
        aggregations: request
            .aggregations
            .into_iter()
            .map(|given| GivenAggregation {
                kind: given.aggregation_type,
                percentile: given.percentile_value.map(|number| number.0),
            })
            .collect(),
        dimensions: request.dimensions,
        filters: request.filters,
        interval_seconds: request.time_interval_seconds.map(|number| number.0),
        start: request.start_time_ms.map(|number| number.0),
        end: request.end_time_ms.map(|number| number.0),
        max_results: request.max_results.map(|number| number.0),
    };
    let points = app.trace_metrics(&may, ask).await?;
    let data_points = points.into_iter().map(|point| {
        let mut dimensions: BTreeMap<String, String> = names.iter().cloned().zip(point.dimensions).collect();
        if let Some(bucket) = point.bucket {
            dimensions.insert("time_bucket".to_owned(), iso(bucket));
        }
        let values = point.values.into_iter().map(|measure| (measure.key, measure.value)).collect();
        Point { metric_name: metric.clone(), dimensions, values }
    });
    Ok(Json(Response { data_points: data_points.collect() }))
}

/// A whole second as Python's `isoformat` writes it.
fn iso(millis: i64) -> String {
    let text = Timestamp::from_millis(millis).to_rfc3339();
    text.strip_suffix(".000Z").map_or_else(|| text.clone(), |seconds| format!("{seconds}+00:00"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_written_as_python_does() {
        assert_eq!(super::iso(1_800_000_000_000), "2027-01-15T08:00:00+00:00");
    }
}
