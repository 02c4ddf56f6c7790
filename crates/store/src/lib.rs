//! Repository traits and the one transaction of the catalog.
//!
//! A backend implements [`Store`]. Everything that happens to the catalog happens in a closure over one
//! [`Transaction`]: what it wrote, its ledger events and its artifact rows are committed together, or not at all.
//!
//! ```ignore
//! let run = store.write(move |tx| {
//!     let run = tx.create_run(&new)?;
//!     tx.record(&event)?;          // the outbox row of the ledger
//!     Ok(run)
//! }).await?;
//! ```
//!
//! The closures are synchronous on purpose: an embedded database answers in microseconds, so a writer thread that
//! runs many of them under one commit (group commit) is faster than many small asynchronous transactions. A closure
//! that fails is undone alone; the others of its group are kept.
#![forbid(unsafe_code)]

pub mod backup_hold;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
pub mod import;
pub mod ledger;
pub mod ledger_index;
pub mod model;
mod repository;
mod scoped;

pub use error::StoreError;
pub use repository::account_security::AccountSecurity;
pub use repository::artifacts::Artifacts;
pub use repository::assessments::Assessments;
pub use repository::cosignatures::Cosignatures;
pub use repository::datasets::DatasetSummaries;
pub use repository::evaluation_datasets::EvaluationDatasets;
pub use repository::evidence::EvidenceRecords;
pub use repository::experiments::Experiments;
pub use repository::figures::Figures;
pub use repository::gateway::Gateway;
pub use repository::groups::Groups;
pub use repository::histories::MetricHistories;
pub use repository::identities::Identities;
pub use repository::import::Import;
pub use repository::integrity::{DamagedRow, Integrity, SEAL_FORM};
pub use repository::issues::Issues;
pub use repository::ledger::LedgerRecords;
pub use repository::ledger_index::LedgerIndex;
pub use repository::logged_models::LoggedModels;
pub use repository::objects::Objects;
pub use repository::once::Once;
pub use repository::personal::PersonalRecords;
pub use repository::registry::Registry;
pub use repository::roles::Roles;
pub use repository::runs::Runs;
pub use repository::scorers::Scorers;
pub use repository::sealed::{SEALED_COLUMNS, SealedColumn, SealedValue, SealedValues};
pub use repository::sessions::Sessions;
pub use repository::settings::{BACKUP_HOLD, Settings};
pub use repository::traces::Traces;
pub use repository::uploads::Uploads;
pub use repository::version_records::VersionRecords;
pub use repository::webhooks::Webhooks;
pub use repository::workspace_keys::{WorkspaceKey, WorkspaceKeys};
pub use repository::workspaces::Workspaces;
pub use scoped::InWorkspace;

use tokio::sync::oneshot;

/// All repositories over one transaction.
pub trait Transaction:
    Experiments
    + Runs
    + LoggedModels
    + Registry
    + Artifacts
    + EvidenceRecords
    + Identities
    + AccountSecurity
    + Sessions
    + Figures
    + Import
    + Roles
    + Groups
    + Integrity
    + LedgerRecords
    + LedgerIndex
    + Cosignatures
    + PersonalRecords
    + Settings
    + Once
    + Webhooks
    + DatasetSummaries
    + MetricHistories
    + Issues
    + VersionRecords
    + Objects
    + Uploads
    + Traces
    + Assessments
    + EvaluationDatasets
    + Scorers
    + Gateway
    + Workspaces
    + SealedValues
    + WorkspaceKeys
{
    /// From here on the transaction is in this workspace: what it is asked by a name or id is of this one, and what it makes
    /// comes to be in it. A transaction begins in the default workspace.
    fn enter(&mut self, workspace: i64);
}

/// A unit of work. It reports failure so that the backend undoes it.
pub type Work = Box<dyn FnOnce(&mut dyn Transaction) -> Result<(), Rollback> + Send>;

/// A piece of [`Work`] failed and what it wrote must be undone; its submitter has the reason.
#[derive(Debug, Clone, Copy)]
pub struct Rollback;

/// What a backend provides.
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Runs `work` on a consistent snapshot; writing fails. `done` is told when it has run.
    fn submit_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>);

    /// The same for work that looks up a few rows by their keys. A backend may keep it clear of long searches.
    fn submit_short_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        self.submit_read(work, done);
    }

    /// Runs `work` with the right to write. `done` is told once it is durable, or that it was undone.
    fn submit_write(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>);

    /// A number that has moved before anybody is told of a commit in which this store wrote who is who: accounts, tokens, second
    /// factors, lock-outs. What was read after it was asked holds as long as it stands still, as far as this process goes: what
    /// others write to the same database does not move it. `None` where nothing may be remembered.
    fn people_version(&self) -> Option<u64> {
        None
    }
}

impl dyn Store {
    /// Reads from a consistent snapshot.
    ///
    /// # Errors
    /// The closure's own error, or the backend's.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    {
        run(work, |work, done| self.submit_read(work, done)).await
    }

    /// Reads a few rows by their keys, as [`Store::submit_short_read`] does: who asks must not have to wait for what others
    /// search.
    ///
    /// # Errors
    /// The closure's own error, or the backend's.
    pub async fn read_short<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    {
        run(work, |work, done| self.submit_short_read(work, done)).await
    }

    /// Writes; returns once everything the closure wrote is durable.
    ///
    /// # Errors
    /// The closure's own error, in which case nothing was written, or the backend's.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    {
        run(work, |work, done| self.submit_write(work, done)).await
    }
}

async fn run<T, E, F>(work: F, submit: impl FnOnce(Work, oneshot::Sender<Result<(), StoreError>>)) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let (done, committed) = oneshot::channel();
    submit(
        Box::new(move |transaction| {
            let result = work(transaction);
            let outcome = if result.is_ok() { Ok(()) } else { Err(Rollback) };
            let _ = answer.send(result);
            outcome
        }),
        done,
    );
    let committed = committed.await.map_err(|_| StoreError::Stopped)?;
    match answered.await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(value)) => committed.map(|()| value).map_err(E::from),
        Err(_) => Err(committed.err().unwrap_or(StoreError::Stopped).into()),
    }
}
