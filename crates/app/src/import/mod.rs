//! Taking over an existing tracking store with its artifacts.
//!
//! Everything goes where clients' writes go: rows by the repositories, files through the upload path with its scan, models
//! through the scan of the folder as a whole. What is refused there is refused here, and told.
//!
//! How far it came stands in the catalog, written in the transactions of what it speaks of. So an import that was stopped at
//! any moment goes on from there, and doubles nothing.

mod artifacts;
mod datasets;
mod files;
mod finish;
mod issues;
pub(crate) mod json;
mod metrics;
mod progress;
mod registry;
mod report;
mod scorers;
mod traces;
mod tracking;
mod users;
mod verify;
mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sealyard_store::Transaction;
use sealyard_store::import::{ImportSource, SourceIdentity, SourceUser};
use tokio::runtime::Handle;

use crate::{App, AppError, Caller};
use files::Files;
use progress::{Phase, Place, refusal_name};
pub use report::{ImportReport, Refused, TableCheck};
use report::{LISTED, Refusals, Verified};

/// Things of a page: large enough that a commit's cost does not count, small enough to be in memory.
const PAGE: u32 = 200;

/// Where the catalog keeps what the comparison of both sides found.
const VERIFIED: &str = "import.verified";
/// Refusals that wait for the next step's transaction at most.
const WAITING_REFUSALS: usize = 500;

/// How an import is done.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The folder that the source's artifacts lie in; nothing outside of it is read. `None` imports no artifacts.
    pub artifacts: Option<PathBuf>,
    /// Users of the source.
    pub users: Vec<SourceUser>,
    /// Set from outside to stop at the next good moment.
    pub stop: Arc<AtomicBool>,
}

/// One import at work. It has a thread of its own: the source is read there, and the catalog and the vault are waited for.
struct Import {
    app: Arc<App>,
    source: Box<dyn ImportSource>,
    identity: SourceIdentity,
    files: Option<Files>,
    users: Vec<SourceUser>,
    caller: Caller,
    handle: Handle,
    stop: Arc<AtomicBool>,
    say: Box<dyn FnMut(&str) + Send>,
    place: Place,
}

impl App {
    /// Imports `source`, or goes on with an import of it that was stopped. `say` is told what is done now.
    ///
    /// # Errors
    /// [`AppError::Conflict`] for a catalog that holds anything else; [`AppError::Store`] and [`AppError::Vault`] when
    /// reading or writing fails. What was done until then stays, and the next call goes on.
    pub async fn import(
        self: &Arc<Self>,
        source: Box<dyn ImportSource>,
        options: ImportOptions,
        say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<ImportReport, AppError> {
        let (done, told) = tokio::sync::oneshot::channel();
        let (app, handle) = (Arc::clone(self), Handle::current());
        std::thread::Builder::new()
            .name("import".into())
            .spawn(move || {
                let outcome = Import::begin(app, source, &options, handle, say).and_then(Import::run);
                let _ = done.send(outcome);
            })
            .map_err(|error| AppError::internal("no thread could be made", error))?;
        told.await.map_err(|error| AppError::internal("the import broke", error))?
    }
}

impl Import {
    fn begin(
        app: Arc<App>,
        mut source: Box<dyn ImportSource>,
        options: &ImportOptions,
        handle: Handle,
        say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<Self, AppError> {
        let identity = source.identity()?;
        let files = options.artifacts.as_deref().map(Files::open).transpose()?;
        let place = handle.block_on(Place::read(&app, &identity))?;
        // In the order of the note of how far it came.
        let mut users = options.users.clone();
        users.sort_by(|first, second| first.name.cmp(&second.name));
        Ok(Self {
            app,
            source,
            identity,
            files,
            users,
            caller: Caller::system(),
            handle,
            stop: Arc::clone(&options.stop),
            say,
            place,
        })
    }

    fn run(mut self) -> Result<ImportReport, AppError> {
        self.users_not_too_late()?;
        let tables = self.source.tables()?;
        let already = self.place.phase == Phase::Done;
        let mut verified = None;
        while self.place.phase != Phase::Done && !self.stopped() {
            match self.place.phase {
                Phase::Experiments => self.experiments()?,
                Phase::Runs => self.runs()?,
                Phase::LoggedModels => self.logged_models()?,
                Phase::Metrics => self.metrics()?,
                Phase::RunArtifacts => self.run_artifacts()?,
                Phase::ModelArtifacts => self.model_artifacts()?,
                Phase::Registry => self.registry()?,
                Phase::Traces => self.traces()?,
                Phase::TraceArtifacts => self.trace_artifacts()?,
                Phase::Scorers => self.scorers()?,
                Phase::Datasets => self.datasets()?,
                Phase::Issues => self.issues()?,
                Phase::Webhooks => self.webhooks()?,
                Phase::Users => self.users()?,
                Phase::Verification => verified = Some(self.verify()?),
                Phase::Lifecycles => self.lifecycles()?,
                Phase::Done => {}
            }
        }
        let kept = self.read(|tx| Ok(tx.setting(VERIFIED)?))?;
        let kept = kept.map(|text| serde_json::from_str::<Verified>(&text));
        let kept =
            kept.transpose().map_err(|error| AppError::internal("an import's verification can't be read", error))?;
        let refusals =
            self.read(|tx| Ok(Refusals { first: tx.import_refusals(LISTED)?, count: tx.count_import_refusals()? }))?;
        let verified = verified.or(kept).unwrap_or_default();
        let finished = self.place.phase == Phase::Done;
        let mut report = ImportReport::new(&self.identity, &tables, verified, refusals, finished, already);
        report.to_do.extend(self.to_do_for_users()?);
        Ok(report)
    }

    /// Whether this was refused, by this call or one before.
    fn is_refused(&self, what: &str) -> Result<bool, AppError> {
        let name = refusal_name(what);
        self.read(move |tx| Ok(tx.is_import_refused(&name)?))
    }

    /// Writes what was refused when it is much, without going further.
    fn note_refusals(&mut self, place: &mut Place) -> Result<(), AppError> {
        if place.refused.len() < WAITING_REFUSALS {
            return Ok(());
        }
        let refused = std::mem::take(&mut place.refused);
        self.write(Place { refused, ..self.place.clone() }, |_| Ok(()))
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn say(&mut self, text: &str) {
        (self.say)(text);
    }

    /// Writes `work` together with where the import is then.
    fn write<T: Send + 'static>(
        &mut self,
        place: Place,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let kept = place.clone();
        let done = self.handle.block_on(self.app.store().write(move |tx| {
            let value = work(tx)?;
            kept.write(tx)?;
            Ok::<_, AppError>(value)
        }))?;
        self.app.sequencer.notify();
        self.place = place.written();
        Ok(done)
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.handle.block_on(self.app.store().read(work))
    }

    /// Notes that the next phase begins.
    fn next_phase(&mut self) -> Result<(), AppError> {
        let place = self.place.next_phase();
        self.write(place, |_| Ok(()))
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("place", &self.place).finish_non_exhaustive()
    }
}
