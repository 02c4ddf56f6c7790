use sealyard_store::StoreError;
use sealyard_store::model::{Aggregation, Measure, MetricFilter, MetricView, TraceMetricPoint, TraceMetricQuery};

use super::builder::Builder;
use super::filter::unsupported;
use crate::session::Session;
use crate::sql::Row;

/// A group and what is in it: the interval, the dimensions' values, and the numbers.
type Group = (Option<i64>, Vec<Option<String>>, Vec<Option<f64>>);

impl Session<'_> {
    pub(super) fn measure_traces(&self, query: &TraceMetricQuery) -> Result<Vec<TraceMetricPoint>, StoreError> {
        let percentiles =
            query.aggregations.iter().any(|aggregation| matches!(aggregation, Aggregation::Percentile(_)));
        let rows = if percentiles { self.with_percentiles(query)? } else { self.grouped(query)? };
        let points = rows.into_iter().filter_map(|(bucket, dimensions, values)| {
            // As in MLflow, what lacks a dimension or has no number is no point.
            let dimensions: Option<Vec<String>> = dimensions.into_iter().collect();
            let values: Vec<Measure> = query
                .aggregations
                .iter()
                .zip(values)
                .filter_map(|(aggregation, value)| Some(Measure { key: name(*aggregation), value: value? }))
                .collect();
            let dimensions = dimensions.filter(|_| !values.is_empty())?;
            Some(TraceMetricPoint { bucket, dimensions, values })
        });
        Ok(points.take(query.limit as usize).collect())
    }

    /// The database does it all.
    fn grouped(&self, query: &TraceMetricQuery) -> Result<Vec<Group>, StoreError> {
        let Parts { mut builder, groups, value, from } = parts(self, query)?;
        let mut columns = groups.clone();
        for aggregation in &query.aggregations {
            let (function, value) = match aggregation {
                Aggregation::Count => ("count", value.as_str()),
                Aggregation::Sum => ("sum", value.as_str()),
                Aggregation::Average => ("avg", value.as_str()),
                Aggregation::Minimum => ("min", value.as_str()),
                Aggregation::Maximum | Aggregation::Percentile(_) => ("max", value.as_str()),
            };
            columns.push(format!("CAST({function}({value}) AS DOUBLE PRECISION)"));
        }
        builder.begin(&format!("SELECT {} {from} WHERE ", columns.join(", ")));
        if !groups.is_empty() {
            let numbers: Vec<String> = (1..=groups.len()).map(|number| number.to_string()).collect();
            let numbers = numbers.join(", ");
            builder.push(&format!(" GROUP BY {numbers} ORDER BY {numbers}"));
        }
        let limit = builder.bind(i64::from(query.limit));
        builder.push(&format!(" LIMIT {limit}"));
        let shape = Shape::of(query);
        builder.all(self, |row| shape.read(row, query.aggregations.len()))
    }

    /// Every value by group and size, so that each group's are at hand together.
    fn with_percentiles(&self, query: &TraceMetricQuery) -> Result<Vec<Group>, StoreError> {
        let Parts { mut builder, groups, value, from } = parts(self, query)?;
        let mut columns = groups.clone();
        columns.push(format!("CAST({value} AS DOUBLE PRECISION)"));
        builder.begin(&format!("SELECT {} {from} WHERE ", columns.join(", ")));
        builder.and(&format!("{value} IS NOT NULL"));
        let numbers: Vec<String> = (1..=columns.len()).map(|number| number.to_string()).collect();
        let limit = builder.bind(i64::from(query.rows) + 1);
        builder.push(&format!(" ORDER BY {} LIMIT {limit}", numbers.join(", ")));
        let shape = Shape::of(query);
        let rows = builder.all(self, |row| shape.read(row, 1))?;
        if rows.len() > query.rows as usize {
            let most = query.rows;
            return Err(StoreError::Invalid(format!("a percentile of more than {most} values; narrow the time down")));
        }
        let mut groups: Vec<Gathered> = Vec::new();
        for (bucket, dimensions, mut values) in rows {
            let Some(value) = values.pop().flatten() else { continue };
            match groups.last_mut() {
                Some((last, named, found)) if *last == bucket && *named == dimensions => found.push(value),
                _ => groups.push((bucket, dimensions, vec![value])),
            }
        }
        Ok(groups
            .into_iter()
            .map(|(bucket, dimensions, values)| {
                let numbers = query.aggregations.iter().map(|aggregation| aggregate(*aggregation, &values)).collect();
                (bucket, dimensions, numbers)
            })
            .collect())
    }
}

/// A group with all of its values: time bucket, dimensions, values in their order.
type Gathered = (Option<i64>, Vec<Option<String>>, Vec<f64>);

/// How a row begins.
#[derive(Debug, Clone, Copy)]
struct Shape {
    bucket: bool,
    dimensions: usize,
}

impl Shape {
    fn of(query: &TraceMetricQuery) -> Self {
        Self { bucket: query.interval.is_some(), dimensions: query.dimensions.len() }
    }

    fn read(self, row: &Row<'_>, values: usize) -> Result<Group, StoreError> {
        let bucket = if self.bucket { row.get(0)? } else { None };
        let first = usize::from(self.bucket);
        let behind = first + self.dimensions;
        let dimensions = (first..behind).map(|index| row.get(index)).collect::<Result<_, _>>()?;
        let values = (behind..behind + values).map(|index| row.get(index)).collect::<Result<_, _>>()?;
        Ok((bucket, dimensions, values))
    }
}

/// Of numbers in ascending order.
fn aggregate(aggregation: Aggregation, values: &[f64]) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    match aggregation {
        Aggregation::Count => Some(count),
        Aggregation::Sum => Some(sum),
        Aggregation::Average => Some(sum / count),
        Aggregation::Minimum => values.first().copied(),
        Aggregation::Maximum => values.last().copied(),
        Aggregation::Percentile(percentile) => {
            let place = percentile.clamp(0.0, 100.0) / 100.0 * (count - 1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the count")]
            let below = place.floor() as usize;
            let low = *values.get(below)?;
            let high = values.get(below + 1).copied().unwrap_or(low);
            Some((high - low).mul_add(place.fract(), low))
        }
    }
}

/// As MLflow labels it: Python writes a whole percentile as `50.0`.
fn name(aggregation: Aggregation) -> String {
    match aggregation {
        Aggregation::Count => "COUNT".to_owned(),
        Aggregation::Sum => "SUM".to_owned(),
        Aggregation::Average => "AVG".to_owned(),
        Aggregation::Minimum => "MIN".to_owned(),
        Aggregation::Maximum => "MAX".to_owned(),
        Aggregation::Percentile(percentile) => format!("P{percentile:?}"),
    }
}

struct Parts {
    builder: Builder,
    /// What is grouped by.
    groups: Vec<String>,
    /// What is aggregated.
    value: String,
    /// `FROM …` with its joins.
    from: String,
}

fn parts(session: &Session<'_>, query: &TraceMetricQuery) -> Result<Parts, StoreError> {
    let mut builder = Builder::new(session.dialect(), "");
    let mut from = "FROM traces t".to_owned();
    let time = match query.view {
        MetricView::Traces => "t.started",
        MetricView::Spans => {
            from.push_str(" JOIN spans s ON s.trace = t.number");
            "(s.started / 1000000)"
        }
        MetricView::Assessments => {
            from.push_str(" JOIN trace_assessments a ON a.trace = t.number");
            "a.created"
        }
    };
    let value = value(&mut builder, &mut from, query)?;
    let mut groups = Vec::new();
    if let Some(interval) = query.interval {
        let interval = interval.max(1);
        // A number of this crate's making and no text of the caller; in a group it must be the same expression everywhere.
        groups.push(format!("({time} - {time} % {interval})"));
    }
    for dimension in &query.dimensions {
        groups.push(match (query.view, dimension.as_str()) {
            (MetricView::Traces, "trace_name") => {
                from.push_str(" JOIN trace_tags n ON n.trace = t.number AND n.key = 'mlflow.traceName'");
                "n.value".to_owned()
            }
            (MetricView::Traces, "trace_status") => "t.state".to_owned(),
            (MetricView::Spans, "span_name") => "s.name".to_owned(),
            (MetricView::Spans, "span_type") => "s.kind".to_owned(),
            (MetricView::Spans, "span_status") => "s.status".to_owned(),
            (MetricView::Spans, "span_model_name") => "s.model".to_owned(),
            (MetricView::Spans, "span_model_provider") => "s.provider".to_owned(),
            (MetricView::Assessments, "assessment_name") => "a.name".to_owned(),
            (MetricView::Assessments, "assessment_value") => "a.value".to_owned(),
            (_, other) => return Err(unsupported(other)),
        });
    }
    let experiments = session.experiments_here(&query.experiments)?;
    let list = builder.bind_numbers(&experiments)?;
    builder.and(&format!("t.experiment IN {list}"));
    if let Some(start) = query.start {
        let start = builder.bind(start);
        builder.and(&format!("t.started >= {start}"));
    }
    if let Some(end) = query.end {
        let end = builder.bind(end);
        builder.and(&format!("t.started <= {end}"));
    }
    for filter in &query.filters {
        let condition = condition(&mut builder, query.view, filter)?;
        builder.and(&condition);
    }
    Ok(Parts { builder, groups, value, from })
}

fn value(builder: &mut Builder, from: &mut String, query: &TraceMetricQuery) -> Result<String, StoreError> {
    let metric = query.metric.as_str();
    Ok(match (query.view, metric) {
        (MetricView::Traces, "trace_count") => "t.number".to_owned(),
        (MetricView::Traces, "latency") => "t.duration".to_owned(),
        (MetricView::Traces, tokens) if tokens.ends_with("_tokens") => {
            let key = builder.bind(tokens.to_owned());
            from.push_str(&format!(" JOIN trace_metrics m ON m.trace = t.number AND m.key = {key}"));
            "m.value".to_owned()
        }
        (MetricView::Spans, "span_count") => "s.number".to_owned(),
        (MetricView::Spans, "latency") => "((s.ended - s.started) / 1000000)".to_owned(),
        (MetricView::Spans, cost) if cost.ends_with("_cost") => {
            let key = builder.bind(cost.to_owned());
            from.push_str(&format!(" JOIN span_metrics m ON m.span = s.number AND m.key = {key}"));
            "m.value".to_owned()
        }
        (MetricView::Assessments, "assessment_count") => "a.number".to_owned(),
        // Yes and no count as one and zero; a text, a list or an object is no number.
        (MetricView::Assessments, "assessment_value") => {
            "CASE WHEN a.value IN ('true', '\"yes\"') THEN 1.0 WHEN a.value IN ('false', '\"no\"') THEN 0.0 \
             WHEN a.value = 'null' OR substr(a.value, 1, 1) IN ('\"', '[', '{') THEN NULL \
             ELSE CAST(a.value AS DOUBLE PRECISION) END"
                .to_owned()
        }
        (_, other) => return Err(unsupported(other)),
    })
}

fn condition(builder: &mut Builder, view: MetricView, filter: &MetricFilter) -> Result<String, StoreError> {
    let fits = match filter {
        MetricFilter::TraceStatus(_) | MetricFilter::TraceTag(..) | MetricFilter::TraceMetadata(..) => true,
        MetricFilter::SpanName(_) | MetricFilter::SpanStatus(_) | MetricFilter::SpanType(_) => {
            view == MetricView::Spans
        }
        MetricFilter::AssessmentName(_) | MetricFilter::AssessmentType(_) => view == MetricView::Assessments,
    };
    if !fits {
        return Err(StoreError::Invalid("a filter does not go with the view".to_owned()));
    }
    Ok(match filter {
        MetricFilter::TraceStatus(value) => format!("t.state = {}", builder.bind(value.clone())),
        MetricFilter::TraceTag(key, value) => pair(builder, "trace_tags", key, value),
        MetricFilter::TraceMetadata(key, value) => pair(builder, "trace_metadata", key, value),
        MetricFilter::SpanName(value) => format!("s.name = {}", builder.bind(value.clone())),
        MetricFilter::SpanStatus(value) => format!("s.status = {}", builder.bind(value.clone())),
        MetricFilter::SpanType(value) => format!("s.kind = {}", builder.bind(value.clone())),
        MetricFilter::AssessmentName(value) => format!("a.name = {}", builder.bind(value.clone())),
        MetricFilter::AssessmentType(value) => format!("a.kind = {}", builder.bind(value.clone())),
    })
}

fn pair(builder: &mut Builder, table: &str, key: &str, value: &str) -> String {
    let (key, value) = (builder.bind(key.to_owned()), builder.bind(value.to_owned()));
    format!("EXISTS (SELECT 1 FROM {table} p WHERE p.trace = t.number AND p.key = {key} AND p.value = {value})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_the_nearest_values() {
        let of = |percentile, values: &[f64]| aggregate(Aggregation::Percentile(percentile), values);
        assert_eq!(of(50.0, &[1.0, 2.0, 10.0]), Some(2.0));
        assert_eq!(of(50.0, &[1.0, 2.0]), Some(1.5));
        assert_eq!(of(100.0, &[1.0, 2.0]), Some(2.0));
        assert_eq!(of(0.0, &[1.0, 2.0]), Some(1.0));
        assert_eq!(of(99.0, &[7.0]), Some(7.0));
        assert_eq!(of(50.0, &[]), None);
        assert_eq!(name(Aggregation::Percentile(50.0)), "P50.0");
    }
}
