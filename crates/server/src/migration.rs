//! Importing an MLflow store into a data directory, without serving.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sealyard_app::{App, AppError, ImportOptions, ImportReport, LoadedPolicy};
use sealyard_core::{Clock, Redacted, Rng};
use sealyard_store::StoreError;
use sealyard_store::import::ImportSource;
use sealyard_store_sql::{MlflowSource, PostgresUrl, read_mlflow_users};
use sealyard_vault::ArtifactsUrl;

use crate::wiring::{build, open_vault};
use crate::{DataDirectory, ServerError};
use crate::{catalog, master_key};

/// The database to import from.
#[derive(Debug, Clone)]
pub enum MigrationSource {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, and its password if that is not in the URL.
    Postgres(Redacted<String>, Option<Redacted<String>>),
}

/// What is imported, and whereto.
#[derive(Debug)]
pub struct Migration {
    /// The database.
    pub source: MigrationSource,
    /// The data directory; made if it is not there. No server may have it open.
    pub data_directory: PathBuf,
    /// The SQLite database of the source's users.
    pub users: Option<PathBuf>,
    /// The folder of the source's artifacts.
    pub artifacts: Option<PathBuf>,
    /// The PostgreSQL database of the new server, if its catalog is not in the data directory.
    pub database: Option<Redacted<String>>,
    /// Its password, if that is not in the URL.
    pub database_password: Option<Redacted<String>>,
    /// Where the new server keeps artifacts, if not in the data directory.
    pub vault: Option<ArtifactsUrl>,
    /// The policy of the server that will use the data directory: aliases that it protects are not taken over.
    pub policy: Option<PathBuf>,
    /// Only look at the source.
    pub dry_run: bool,
    /// Set to stop at the next good moment.
    pub stop: Arc<AtomicBool>,
}

impl Migration {
    /// Imports, or goes on with an import that was stopped. `say` is told what is done now.
    ///
    /// # Errors
    /// [`ServerError`]; what was done until then stays, and the next call goes on from there.
    pub async fn run(
        self,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<ImportReport, ServerError> {
        let policy = self.policy.as_deref().map(LoadedPolicy::read).transpose()?;
        let source: Box<dyn ImportSource> = match self.source {
            MigrationSource::Sqlite(path) => Box::new(MlflowSource::open_sqlite(&path)?),
            MigrationSource::Postgres(url, password) => {
                let mut url = PostgresUrl::parse(url.expose())?;
                if let Some(password) = &password {
                    url = url.with_password(password);
                }
                let opened = tokio::task::spawn_blocking(move || MlflowSource::open_postgres(&url)).await;
                Box::new(opened.map_err(|_| StoreError::Stopped)??)
            }
        };
        let users = match self.users {
            Some(path) => {
                let read = tokio::task::spawn_blocking(move || read_mlflow_users(&path)).await;
                read.map_err(|_| StoreError::Stopped)??
            }
            None => Vec::new(),
        };
        if self.dry_run {
            let mut source = source;
            let looked = tokio::task::spawn_blocking(move || ImportReport::dry_run(&mut *source)).await;
            return Ok(looked.map_err(|_| StoreError::Stopped)??);
        }
        let directory = DataDirectory::open(&self.data_directory)?;
        let (ring, _keeper) = master_key::open(&directory, None, &*rng).await?;
        let vault = open_vault(&directory, self.vault, ring, Arc::clone(&rng)).await?;
        let (database, password) = (self.database.as_ref(), self.database_password.as_ref());
        let (store, _) = catalog::open(&directory, database, password, Arc::clone(&clock), &vault, &*rng).await?;
        let app = Arc::new(build(&directory, store, vault, policy, clock, rng).await?);
        let sequencing = tokio::spawn(Arc::clone(&app).run_sequencer());
        let options = ImportOptions { artifacts: self.artifacts, users, stop: self.stop };
        let outcome = app.import(source, options, say).await;
        sequencing.abort();
        let written = write_out(&app).await;
        // Of two failures the import's is told.
        let report = outcome?;
        written?;
        Ok(report)
    }
}

/// Makes entries of all that the import tells the ledger: it is read before a server runs on this data directory.
async fn write_out(app: &App) -> Result<(), AppError> {
    app.write_counted_refusals().await?;
    while app.sequence().await? > 0 {}
    Ok(())
}
