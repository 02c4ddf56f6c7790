use super::Measure;

/// What is counted or measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum MetricView {
    Traces,
    Spans,
    Assessments,
}

/// How many values become one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum Aggregation {
    Count,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// Between 0 and 100, interpolated between the two nearest values.
    Percentile(f64),
}

/// What a filter of metrics compares, always for equality.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum MetricFilter {
    TraceStatus(String),
    TraceTag(String, String),
    TraceMetadata(String, String),
    SpanName(String),
    SpanStatus(String),
    SpanType(String),
    AssessmentName(String),
    AssessmentType(String),
}

/// A question about many traces at once. Names in it come from MLflow's closed list.
#[derive(Debug, Clone)]
pub struct TraceMetricQuery {
    /// In these experiments only.
    pub experiments: Vec<String>,
    /// What is looked at.
    pub view: MetricView,
    /// What of it, such as `latency`.
    pub metric: String,
    /// How.
    pub aggregations: Vec<Aggregation>,
    /// For each value of these, such as `trace_status`.
    pub dimensions: Vec<String>,
    /// All must hold.
    pub filters: Vec<MetricFilter>,
    /// For each interval of so many milliseconds.
    pub interval: Option<i64>,
    /// Milliseconds; traces that began no earlier.
    pub start: Option<i64>,
    /// Milliseconds; traces that began no later.
    pub end: Option<i64>,
    /// At most so many points.
    pub limit: u32,
    /// At most so many values are looked at, since percentiles need them all.
    pub rows: u32,
}

/// One answer: the aggregates of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceMetricPoint {
    /// Beginning of the interval, in milliseconds.
    pub bucket: Option<i64>,
    /// A value for each dimension that was asked for.
    pub dimensions: Vec<String>,
    /// One for each aggregation, named as MLflow names it.
    pub values: Vec<Measure>,
}
