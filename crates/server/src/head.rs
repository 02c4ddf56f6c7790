//! `keys/ledger.checkpoint`: the head of the ledger, beside the keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sealyard_app::{App, HeadCheck};
use sealyard_core::durable;

use crate::ServerError;

/// So often it is written at most. A rollback by less than that can't be seen here; witnesses see it.
const EVERY: Duration = Duration::from_secs(5);
/// No checkpoint is larger.
const LARGEST: u64 = 64 << 10;

pub(crate) fn path_in(keys: &Path) -> PathBuf {
    keys.join("ledger.checkpoint")
}

/// Refuses a catalog whose log is no continuation of the head that was kept, unless that is accepted.
pub(crate) async fn check(app: &App, keys: &Path, accept: bool) -> Result<(), ServerError> {
    let path = path_in(keys);
    let read = |source| ServerError::File { what: "read", path: path.clone(), source };
    let kept = match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(read(error)),
        Ok(metadata) if metadata.len() > LARGEST => return Err(read(std::io::ErrorKind::FileTooLarge.into())),
        Ok(_) => std::fs::read_to_string(&path).map_err(read)?,
    };
    let found = app.check_kept_checkpoint(&kept).await?;
    let (kept, size, why) = match found {
        HeadCheck::Continues => return Ok(()),
        HeadCheck::Behind { kept, size } => {
            (kept, size, format!("it has {size} entries, but had {kept} when {} was written", path.display()))
        }
        HeadCheck::Rewritten { kept } => {
            (kept, kept, format!("its first {kept} entries are not those that {} was signed for", path.display()))
        }
        _ => (0, 0, format!("{} is no checkpoint of this ledger", path.display())),
    };
    if !accept {
        return Err(ServerError::LedgerRollback(why));
    }
    tracing::error!(why, "the ledger was put back, and --accept-ledger-rollback was given");
    app.accept_ledger_rollback(kept, size).await?;
    app.sequence().await?;
    keep(app, keys).await
}

/// Writes the newest checkpoint there.
pub(crate) async fn keep(app: &App, keys: &Path) -> Result<(), ServerError> {
    let Some(note) = app.checkpoint_to_keep().await? else { return Ok(()) };
    write(&path_in(keys), &note)
}

fn write(path: &Path, note: &str) -> Result<(), ServerError> {
    durable::write(path, note.as_bytes(), 0o600).map_err(|source| ServerError::File {
        what: "write",
        path: path.to_owned(),
        source,
    })
}

/// Keeps it for as long as the server runs.
pub(crate) async fn follow(app: Arc<App>, keys: PathBuf) {
    let path = path_in(&keys);
    let mut last = String::new();
    loop {
        match app.checkpoint_to_keep().await {
            Ok(Some(note)) if note != last => match write(&path, &note) {
                Ok(()) => last = note,
                Err(error) => {
                    tracing::warn!(%error, "the head of the ledger could not be kept; it will be tried again")
                }
            },
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the head of the ledger could not be read; it will be tried again"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
