use crate::StoreError;
use crate::model::{
    NewTrace, Pair, SpanBatch, Trace, TraceDeletion, TraceMetricPoint, TraceMetricQuery, TracePage, TraceQuery,
    TraceState,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Traces and their spans.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Traces {
    /// Makes the trace, or completes one that its spans made before. One of another experiment is
    /// `AlreadyExists`.
    fn put_trace(&mut self, new: &NewTrace) -> Result<Trace>;
    fn trace(&mut self, id: &str) -> Result<Option<Trace>>;
    /// Only the experiment of a trace: what the authorizer needs.
    fn experiment_of_trace(&mut self, id: &str) -> Result<Option<String>>;
    /// Adds spans to their trace. A trace of another experiment is `AlreadyExists`; one that gets too many is a `Conflict`.
    fn put_spans(&mut self, batch: &SpanBatch) -> Result<()>;
    /// The content of all spans: roots first, then by start.
    fn spans(&mut self, trace_id: &str) -> Result<Vec<String>>;
    /// Bytes of what [`Self::spans`] would give, for all of these traces together.
    fn size_of_spans(&mut self, trace_ids: &[String]) -> Result<u64>;
    fn end_trace(&mut self, id: &str, ended: i64, state: TraceState, metadata: &[Pair], tags: &[Pair])
    -> Result<Trace>;
    /// Replaces the value of a tag that is there.
    fn set_trace_tag(&mut self, id: &str, key: &str, value: &str) -> Result<()>;
    fn delete_trace_tag(&mut self, id: &str, key: &str) -> Result<()>;
    /// The traces need not be there yet: clients link before they have sent them.
    fn link_traces_to_run(&mut self, trace_ids: &[String], run_id: &str) -> Result<()>;
    /// Each is a prompt's name and version.
    fn link_prompts_to_trace(&mut self, trace_id: &str, prompts: &[(String, String)]) -> Result<()>;
    fn search_traces(&mut self, query: &TraceQuery) -> Result<TracePage>;
    /// How many traces a search would find; its order and page are not looked at.
    fn count_traces(&mut self, query: &TraceQuery) -> Result<u64>;
    /// The ids that a deletion means, oldest first.
    fn traces_to_delete(&mut self, deletion: &TraceDeletion) -> Result<Vec<String>>;
    /// Removes the traces with all that belongs to them except artifacts; gives how many there were.
    fn delete_traces(&mut self, ids: &[String]) -> Result<u64>;
    fn trace_metrics(&mut self, query: &TraceMetricQuery) -> Result<Vec<TraceMetricPoint>>;
}
