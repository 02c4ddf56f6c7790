//! Which database has the catalog.

use std::sync::{Arc, Weak};
use std::time::Duration;

use sealyard_app::App;
use sealyard_core::{Clock, Redacted, Rng, durable};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{PostgresOptions, PostgresStore, PostgresUrl, RowSeals, SqliteOptions, SqliteStore};
use sealyard_vault::Vault;

use crate::{DataDirectory, ServerError, seal};

/// Opens the catalog of `directory`: in `database`, or in SQLite in the directory itself. A directory keeps to the one kind, so
/// that no forgotten option starts an empty catalog beside the full one.
pub(crate) async fn open(
    directory: &DataDirectory,
    database: Option<&Redacted<String>>,
    password: Option<&Redacted<String>>,
    clock: Arc<dyn Clock>,
    vault: &Vault,
    rng: &dyn Rng,
) -> Result<(Arc<dyn Store>, seal::Noted), ServerError> {
    let seals = RowSeals::default();
    let store = open_unsealed(directory, database, password, clock, seals.clone()).await?;
    let noted = seal::prepare(directory, &*store, &seals, vault, rng).await?;
    Ok((store, noted))
}

async fn open_unsealed(
    directory: &DataDirectory,
    database: Option<&Redacted<String>>,
    password: Option<&Redacted<String>>,
    clock: Arc<dyn Clock>,
    seals: RowSeals,
) -> Result<Arc<dyn Store>, ServerError> {
    let note = DataDirectory::database_note_in(directory.root());
    let file = |what| {
        let path = note.clone();
        move |source| ServerError::File { what, path, source }
    };
    let Some(database) = database else {
        return match std::fs::read_to_string(&note) {
            Ok(there) => Err(ServerError::DatabaseNotNamed(there.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let options = SqliteOptions { seals, ..SqliteOptions::new(clock) };
                Ok(Arc::new(SqliteStore::open(&directory.catalog(), options)?))
            }
            Err(error) => Err(file("read")(error)),
        };
    };
    if directory.catalog().exists() {
        return Err(ServerError::TwoCatalogs(directory.catalog()));
    }
    let mut url = PostgresUrl::parse(database.expose())?;
    if let Some(password) = password {
        url = url.with_password(password);
    }
    let shown = format!("{url}\n");
    // Connecting waits, which no thread of the runtime may do.
    let options = PostgresOptions { seals, ..PostgresOptions::new(clock) };
    let store = tokio::task::spawn_blocking(move || PostgresStore::open(&url, options))
        .await
        .map_err(|_| StoreError::Stopped)??;
    durable::write(&note, shown.as_bytes(), 0o600).map_err(file("write"))?;
    Ok(Arc::new(store))
}

/// How soon a change of grants that another server made takes effect here.
const FOLLOW: Duration = Duration::from_secs(1);

/// Reads the grants again and again, where several servers share a database, for as long as the app is there. When they can't
/// be read, nothing is allowed by the old ones.
pub(crate) async fn follow_others(app: Weak<App>) {
    loop {
        tokio::time::sleep(FOLLOW).await;
        let Some(app) = app.upgrade() else { return };
        if let Err(error) = app.reload_grants().await {
            tracing::warn!(%error, "the grants could not be read");
        }
        if let Err(error) = app.follow_vault_keys().await {
            tracing::warn!(%error, "the keys of workspaces could not be looked up");
        }
    }
}
