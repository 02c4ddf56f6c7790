use crate::StoreError;
use crate::import::SourceExperiment;

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
    /// Whether nobody has put anything in yet: no run, no model, no experiment but the default one.
    fn holds_nothing(&mut self) -> Result<bool>;
}
