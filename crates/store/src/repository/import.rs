use crate::StoreError;
use crate::import::SourceExperiment;
use crate::model::{ImportRefusal, ScorerVersion, Span};

type Result<T> = std::result::Result<T, StoreError>;

/// What takes over another store's ids and numbers. Everything else is imported by the functions that clients' writes use.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Import {
    /// Makes the experiment under its own id, active. One of that id that is there already becomes it; one of another id
    /// with that name is `AlreadyExists`.
    fn import_experiment(&mut self, experiment: &SourceExperiment) -> Result<()>;
    /// The next version of the model has a number above `last`.
    fn reserve_versions(&mut self, name: &str, last: u32) -> Result<()>;
    /// Puts spans into a trace that is there, and nothing else: what they say of the trace is there already, as it was.
    fn import_spans(&mut self, trace_id: &str, spans: &[Span]) -> Result<()>;
    /// The content of one span.
    fn span_content(&mut self, trace_id: &str, span_id: &str) -> Result<Option<String>>;
    /// The runs and the prompt versions that a trace is linked to, the latter as `name/version`; each in order.
    fn links_of_trace(&mut self, trace_id: &str) -> Result<(Vec<String>, Vec<String>)>;
    /// Makes the version of a scorer under its own number and id. One that is there already stays as it is.
    fn import_scorer(&mut self, scorer: &ScorerVersion) -> Result<()>;
    /// Notes what an import did not take in; of each thing the first note stays.
    fn add_import_refusal(&mut self, refusal: &ImportRefusal) -> Result<()>;
    fn is_import_refused(&mut self, what: &str) -> Result<bool>;
    fn count_import_refusals(&mut self) -> Result<u64>;
    /// The first ones, as they were noted.
    fn import_refusals(&mut self, limit: u32) -> Result<Vec<ImportRefusal>>;
    /// Whether nobody has put anything in yet: no experiment but the default one, and nothing in that.
    fn holds_nothing(&mut self) -> Result<bool>;
}
