use sealyard_identity::{Authorized, ExperimentId, Read};
use sealyard_store::model::{Aggregation, MetricFilter, MetricView, TraceMetricPoint, TraceMetricQuery};

use super::filter;
use crate::{App, AppError};

/// Points of one answer.
const MAX_POINTS: i64 = 1000;
/// Values that percentiles are taken of.
const MAX_VALUES: u32 = 500_000;
/// Aggregations, dimensions or filters of one question.
const MAX_PARTS: usize = 10;

/// An aggregation, as clients write it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GivenAggregation {
    pub kind: String,
    pub percentile: Option<f64>,
}

/// A question about many traces at once, as clients write it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct AskMetrics {
    pub view: String,
    pub metric: String,
    pub aggregations: Vec<GivenAggregation>,
    pub dimensions: Vec<String>,
    pub filters: Vec<String>,
    pub interval_seconds: Option<i64>,
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub max_results: Option<i64>,
}

/// What can be asked of one metric.
struct Known {
    metrics: &'static [&'static str],
    aggregations: &'static [&'static str],
    dimensions: &'static [&'static str],
}

const TRACES: &[Known] = &[
    Known { metrics: &["trace_count"], aggregations: &["COUNT"], dimensions: &["trace_name", "trace_status"] },
    Known { metrics: &["latency"], aggregations: &["AVG", "PERCENTILE"], dimensions: &["trace_name"] },
    Known {
        metrics: &[
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
        ],
        aggregations: &["SUM", "AVG", "PERCENTILE"],
        dimensions: &["trace_name"],
    },
];
const SPANS: &[Known] = &[
    Known {
        metrics: &["span_count"],
        aggregations: &["COUNT"],
        dimensions: &["span_name", "span_type", "span_status", "span_model_name", "span_model_provider"],
    },
    Known { metrics: &["latency"], aggregations: &["AVG", "PERCENTILE"], dimensions: &["span_name", "span_status"] },
    Known {
        metrics: &["input_cost", "output_cost", "total_cost"],
        aggregations: &["SUM", "AVG", "PERCENTILE"],
        dimensions: &["span_model_name", "span_model_provider"],
    },
];
const ASSESSMENTS: &[Known] = &[
    Known {
        metrics: &["assessment_count"],
        aggregations: &["COUNT"],
        dimensions: &["assessment_name", "assessment_value"],
    },
    Known { metrics: &["assessment_value"], aggregations: &["AVG", "PERCENTILE"], dimensions: &["assessment_name"] },
];

impl App {
    /// Counts and measures the traces of the proofs' experiments.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for what is not in MLflow's list.
    pub async fn trace_metrics(
        &self,
        may: &[Authorized<Read, ExperimentId>],
        ask: AskMetrics,
    ) -> Result<Vec<TraceMetricPoint>, AppError> {
        let experiments: Vec<String> = may.iter().map(|may| may.resource().to_string()).collect();
        let query = query(experiments, ask)?;
        if query.experiments.is_empty() {
            return Ok(Vec::new());
        }
        self.store().read(move |tx| Ok(tx.trace_metrics(&query)?)).await
    }
}

fn invalid(message: String) -> AppError {
    AppError::Invalid(message)
}

fn query(experiments: Vec<String>, ask: AskMetrics) -> Result<TraceMetricQuery, AppError> {
    let (view, known) = match ask.view.as_str() {
        "TRACES" => (MetricView::Traces, TRACES),
        "SPANS" => (MetricView::Spans, SPANS),
        "ASSESSMENTS" => (MetricView::Assessments, ASSESSMENTS),
        other => {
            let shown: String = other.chars().take(80).collect();
            return Err(invalid(format!("view_type must be one of TRACES, SPANS, ASSESSMENTS, got '{shown}'")));
        }
    };
    if [ask.aggregations.len(), ask.dimensions.len(), ask.filters.len()].iter().any(|count| *count > MAX_PARTS) {
        return Err(invalid(format!("at most {MAX_PARTS} aggregations, dimensions and filters are taken")));
    }
    let found = known.iter().find(|known| known.metrics.contains(&ask.metric.as_str())).ok_or_else(|| {
        let names: Vec<&str> = known.iter().flat_map(|known| known.metrics.iter().copied()).collect();
        let shown: String = ask.metric.chars().take(80).collect();
        invalid(format!("metric_name must be one of {}, got '{shown}'", names.join(", ")))
    })?;
    if ask.aggregations.is_empty() {
        return Err(invalid("Missing value for required parameter 'aggregations'.".to_owned()));
    }
    let aggregations = ask.aggregations.iter().map(|given| aggregation(given, found)).collect::<Result<_, _>>()?;
    if let Some(other) = ask.dimensions.iter().find(|name| !found.dimensions.contains(&name.as_str())) {
        let shown: String = other.chars().take(80).collect();
        let supported = found.dimensions.join(", ");
        return Err(invalid(format!("Found invalid dimension(s): {shown}. Supported dimensions: {supported}")));
    }
    let interval = match ask.interval_seconds {
        None | Some(0) => None,
        Some(_) if ask.start.is_none() || ask.end.is_none() => {
            return Err(invalid(
                "start_time_ms and end_time_ms are required if time_interval_seconds is set".to_owned(),
            ));
        }
        Some(seconds @ 1..=31_622_400) => Some(seconds * 1000),
        Some(other) => return Err(invalid(format!("Invalid value {other} for parameter 'time_interval_seconds'"))),
    };
    let limit = ask.max_results.unwrap_or(MAX_POINTS);
    if !(1..=MAX_POINTS).contains(&limit) {
        return Err(invalid(format!(
            "Invalid value {limit} for parameter 'max_results' supplied: It must be between 1 and {MAX_POINTS}"
        )));
    }
    Ok(TraceMetricQuery {
        experiments,
        view,
        metric: ask.metric,
        aggregations,
        dimensions: ask.dimensions,
        filters: ask.filters.iter().map(|text| metric_filter(text)).collect::<Result<_, _>>()?,
        interval,
        start: ask.start,
        end: ask.end,
        limit: u32::try_from(limit).unwrap_or(1),
        rows: MAX_VALUES,
    })
}

fn aggregation(given: &GivenAggregation, known: &Known) -> Result<Aggregation, AppError> {
    if !known.aggregations.contains(&given.kind.as_str()) {
        let shown: String = given.kind.chars().take(80).collect();
        let supported = known.aggregations.join(", ");
        return Err(invalid(format!(
            "Found invalid aggregation_type(s): {shown}. Supported aggregation types: {supported}"
        )));
    }
    Ok(match (given.kind.as_str(), given.percentile) {
        ("PERCENTILE", Some(percentile)) if (0.0..=100.0).contains(&percentile) => Aggregation::Percentile(percentile),
        ("PERCENTILE", _) => return Err(invalid("Percentile value must be between 0 and 100".to_owned())),
        (_, Some(_)) => {
            return Err(invalid("Percentile value is only allowed for PERCENTILE aggregation type".to_owned()));
        }
        ("SUM", None) => Aggregation::Sum,
        ("AVG", None) => Aggregation::Average,
        _ => Aggregation::Count,
    })
}

/// `trace.status = 'OK'`, `trace.tag.<key> = '…'`, `span.name = '…'`, `assessment.type = '…'`, …
fn metric_filter(text: &str) -> Result<MetricFilter, AppError> {
    let (path, value) = filter::equality(text)?;
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    Ok(match parts.as_slice() {
        ["trace", "status"] => MetricFilter::TraceStatus(value),
        ["trace", "tag", key] => MetricFilter::TraceTag((*key).to_owned(), value),
        ["trace", "metadata", key] => MetricFilter::TraceMetadata((*key).to_owned(), value),
        ["span", "name"] => MetricFilter::SpanName(value),
        ["span", "status"] => MetricFilter::SpanStatus(value),
        ["span", "type"] => MetricFilter::SpanType(value),
        ["assessment", "name"] => MetricFilter::AssessmentName(value),
        ["assessment", "type"] => MetricFilter::AssessmentType(value),
        _ => {
            let shown: String = text.chars().take(80).collect();
            return Err(invalid(format!(
                "Invalid filter: '{shown}'. Columns should be specified as 'trace.<key>', 'span.<key>', \
                 'assessment.<key>'."
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_metrics() {
        let tag = |key: &str| MetricFilter::TraceTag(key.into(), "x".into());
        assert_eq!(metric_filter("trace.status = 'OK'").unwrap(), MetricFilter::TraceStatus("OK".into()));
        assert_eq!(metric_filter("trace.tag.`a.b` = 'x'").unwrap(), tag("a.b"));
        assert_eq!(metric_filter("trace.tag.env = 'x'").unwrap(), tag("env"));
        assert_eq!(metric_filter("span.type = \"LLM\"").unwrap(), MetricFilter::SpanType("LLM".into()));
        for text in
            ["trace.status", "trace.status != 'x'", "trace.password = 'x'", "trace.tag = 'x'", "x = 'y' AND z = 'w'"]
        {
            assert!(metric_filter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_mlflow_lists_is_asked() {
        let ask = |view: &str, metric: &str, kind: &str, percentile, dimensions: &[&str]| {
            let aggregations = vec![GivenAggregation { kind: kind.into(), percentile }];
            let dimensions = dimensions.iter().map(|name| (*name).to_owned()).collect();
            let ask = AskMetrics {
                view: view.into(),
                metric: metric.into(),
                aggregations,
                dimensions,
                filters: vec![],
                interval_seconds: None,
                start: None,
                end: None,
                max_results: None,
            };
            query(vec!["0".into()], ask)
        };
        assert!(ask("TRACES", "trace_count", "COUNT", None, &["trace_status"]).is_ok());
        assert!(ask("TRACES", "latency", "PERCENTILE", Some(99.0), &[]).is_ok());
        assert!(ask("TRACES", "latency", "PERCENTILE", None, &[]).is_err());
        assert!(ask("TRACES", "latency", "PERCENTILE", Some(101.0), &[]).is_err());
        assert!(ask("TRACES", "latency", "COUNT", None, &[]).is_err());
        assert!(ask("TRACES", "latency", "AVG", Some(1.0), &[]).is_err());
        assert!(ask("TRACES", "latency", "AVG", None, &["span_name"]).is_err());
        assert!(ask("TRACES", "password", "COUNT", None, &[]).is_err());
        assert!(ask("USERS", "trace_count", "COUNT", None, &[]).is_err());
    }
}
