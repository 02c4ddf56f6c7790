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

/// What was kept last; `None` before the first.
fn read(path: &Path) -> Result<Option<String>, ServerError> {
    let failed = |source| ServerError::File { what: "read", path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(metadata) if metadata.len() > LARGEST => Err(failed(std::io::ErrorKind::FileTooLarge.into())),
        Ok(_) => std::fs::read_to_string(path).map(Some).map_err(failed),
    }
}

/// What is wrong with a log that does not continue what was kept, with the sizes of both.
fn refused(found: HeadCheck, path: &Path) -> Option<(u64, u64, String)> {
    let path = path.display();
    match found {
        HeadCheck::Continues => None,
        HeadCheck::Behind { kept, size } => {
            Some((kept, size, format!("it has {size} entries, but had {kept} when {path} was written")))
        }
        HeadCheck::Rewritten { kept } => {
            Some((kept, kept, format!("its first {kept} entries are not those that {path} was signed for")))
        }
        _ => Some((0, 0, format!("{path} is no checkpoint of this ledger"))),
    }
}

/// Refuses a catalog whose log is no continuation of the head that was kept, unless that is accepted.
pub(crate) async fn check(app: &App, keys: &Path, accept: bool) -> Result<(), ServerError> {
    let path = path_in(keys);
    let Some(kept) = read(&path)? else { return Ok(()) };
    let (found, _) = app.compare_head(&kept).await?;
    let Some((kept, size, why)) = refused(found, &path) else { return Ok(()) };
    if !accept {
        return Err(ServerError::LedgerRollback(why));
    }
    tracing::error!(why, "the ledger was put back, and --accept-ledger-rollback was given");
    app.accept_ledger_rollback(kept, size).await?;
    app.sequence().await?;
    // Whatever was kept before: that is what was accepted.
    let Some(note) = app.checkpoint_to_keep().await? else { return Ok(()) };
    write(&path, &note)
}

/// Writes the newest checkpoint in place of the one that is there, or was there when this was `last` done, if it continues
/// that. Gives what is there now. A head that does not is no reason to forget the one that does: it is the proof.
pub(crate) async fn keep(app: &App, keys: &Path, last: Option<&str>) -> Result<Option<String>, ServerError> {
    let path = path_in(keys);
    let there = read(&path)?;
    let kept = there.as_deref().or(last);
    let note = match kept {
        None => app.checkpoint_to_keep().await?,
        Some(kept) => {
            let (found, note) = app.compare_head(kept).await?;
            if let Some((.., why)) = refused(found, &path) {
                return Err(ServerError::LedgerRollback(why));
            }
            note
        }
    };
    if let Some(note) = note.as_ref().filter(|note| there.as_ref() != Some(*note)) {
        write(&path, note)?;
    }
    Ok(note)
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
    let (mut last, mut said) = (None, String::new());
    loop {
        match keep(&app, &keys, last.as_deref()).await {
            Ok(note) => last = note.or(last),
            Err(ServerError::LedgerRollback(why)) => {
                if said != why {
                    tracing::error!(
                        why,
                        "THE LEDGER WAS PUT BACK OR EXCHANGED while the server ran: its head is not kept"
                    );
                    said = why;
                }
            }
            Err(error) => tracing::warn!(%error, "the head of the ledger could not be kept; it will be tried again"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
