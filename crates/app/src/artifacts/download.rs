use std::io;
use std::sync::Arc;

use bytes::Bytes;
use sealyard_core::{Digest, Hasher, ReadAt as _, TreePath, Verdict};
use sealyard_identity::{Authorized, ExperimentId, Read};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::model::{Artifact, ArtifactOwner};
use sealyard_vault::{Object, ObjectId, VaultError};
use tokio::sync::mpsc;

use super::{PIECE, full_path, of_vault};
use crate::tasks::blocking;
use crate::{App, AppError, Caller};

/// How many pieces may wait between the disk and the network.
const PIECES_UNDER_WAY: usize = 4;
/// The rule that refuses bytes which are not the recorded ones.
const EXCHANGED: &str = "artifact.digest";

/// A stored file, ready to be streamed.
#[derive(Debug)]
pub struct Download {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 that the plain bytes should have.
    pub digest: Digest,
    /// The bytes. An error ends the stream short, so that a client sees a broken transfer and never wrong bytes.
    pub pieces: mpsc::Receiver<io::Result<Bytes>>,
}

/// What the catalog says of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    /// Whether other bytes are held back here; else the reader finds out, as a loader does that believes nobody.
    pub(crate) enforced: bool,
}

impl App {
    /// Opens a file for a stock client: an unsafe one is not given out, and bytes whose digest is not the recorded one
    /// end the stream before its last piece.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Denied`], [`AppError::Refused`], [`AppError::Vault`].
    pub async fn download(
        &self,
        caller: &Caller,
        authorized: &Authorized<Read, ExperimentId>,
        owner: &ArtifactOwner,
        path: &TreePath,
    ) -> Result<Download, AppError> {
        self.check_owner(authorized.principal(), owner, authorized.resource()).await?;
        let name = full_path(owner, path.as_str());
        let event = |rule| self.event(caller, Outcome::Refused, Act::ArtifactUnreadable { path: name.clone(), rule });
        let mut missed = None;
        loop {
            let artifact = self.artifact(owner, path).await?;
            if artifact.verdict == Verdict::Unsafe {
                self.record(event("artifact.verdict".to_owned())).await?;
                return Err(AppError::refused("artifact.verdict", format!("{path} was found to be unsafe")));
            }
            let expected = Expected { digest: artifact.digest, size: artifact.size, enforced: true };
            match self.stream_object(&artifact.object, expected, event(EXCHANGED.to_owned())).await {
                // Replaced by another upload since its row was read; the new row names the new object.
                Err(AppError::Vault(VaultError::Missing { .. })) if missed.as_ref() != Some(&artifact.object) => {
                    missed = Some(artifact.object);
                }
                result => return result,
            }
        }
    }

    async fn artifact(&self, owner: &ArtifactOwner, path: &TreePath) -> Result<Artifact, AppError> {
        let (wanted, below) = (owner.clone(), path.as_str().to_owned());
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.artifact(&wanted, &below)?)).await?;
        found.ok_or_else(|| AppError::NotFound { kind: "artifact", id: path.to_string() })
    }

    /// Streams an object of the vault. The first piece is read before this returns, so that an object that can't be read
    /// is an answer and not a broken transfer. `unreadable` is the event for what goes wrong; its rule is filled in.
    pub(crate) async fn stream_object(
        &self,
        object: &str,
        expected: Expected,
        unreadable: Event,
    ) -> Result<Download, AppError> {
        let id: ObjectId = object.parse().map_err(|error| AppError::internal("a row names no object", error))?;
        let vault = Arc::clone(&self.vault);
        let begun = blocking("an object could not be read", move || {
            let mut pieces = Pieces { object: vault.open(&id)?, expected, hasher: Hasher::default(), offset: 0 };
            let size = pieces.object.size();
            if expected.enforced && size != expected.size {
                return Err(exchanged());
            }
            let first = pieces.next()?;
            Ok((pieces, first, size))
        });
        let (pieces, first, size) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                if let Some(event) = with_rule(unreadable, &error) {
                    self.record(event).await?;
                }
                return Err(error);
            }
        };
        let (sender, receiver) = mpsc::channel(PIECES_UNDER_WAY);
        let (store, sequencer) = (Arc::clone(&self.store), self.sequencer.clone());
        tokio::spawn(async move {
            let Err(error) = send(pieces, first, &sender).await else { return };
            if let Some(event) = with_rule(unreadable, &error) {
                match store.write(move |tx| Ok::<_, AppError>(tx.record(&event)?)).await {
                    Ok(()) => sequencer.notify(),
                    Err(error) => tracing::error!(%error, "an unreadable object could not be put into the ledger"),
                }
            }
            let _ = sender.send(Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string()))).await;
        });
        // Whoever checks for themselves gets what there is, however long it is.
        let size = if expected.enforced { expected.size } else { size };
        Ok(Download { size, digest: expected.digest, pieces: receiver })
    }
}

/// A thread is taken for each piece and not for the whole transfer: slow clients must not use them up.
async fn send(mut pieces: Pieces, first: Vec<u8>, sender: &mpsc::Sender<io::Result<Bytes>>) -> Result<(), AppError> {
    let mut ready = first;
    loop {
        if sender.send(Ok(ready.into())).await.is_err() || pieces.is_over() {
            return Ok(());
        }
        (pieces, ready) = blocking("an object could not be read", move || {
            let next = pieces.next()?;
            Ok((pieces, next))
        })
        .await?;
    }
}

/// An object's bytes in order, hashed on the way.
struct Pieces {
    object: Object,
    expected: Expected,
    hasher: Hasher,
    offset: u64,
}

impl Pieces {
    fn is_over(&self) -> bool {
        self.offset >= self.object.size()
    }

    /// The next piece. The last one is given only when the whole is what it should be.
    fn next(&mut self) -> Result<Vec<u8>, AppError> {
        let left = self.object.size().saturating_sub(self.offset);
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        self.object.read_exact_at(self.offset, &mut piece).map_err(of_vault)?;
        self.hasher.update(&piece);
        self.offset = self.offset.saturating_add(piece.len() as u64);
        if self.is_over() && self.expected.enforced {
            let digest = std::mem::take(&mut self.hasher).finish();
            if digest != self.expected.digest {
                return Err(exchanged());
            }
        }
        Ok(piece)
    }
}

fn exchanged() -> AppError {
    AppError::refused(EXCHANGED, "the content was exchanged")
}

/// The event with the rule that `error` is about; `None` when no rule refused and it only broke.
fn with_rule(mut event: Event, error: &AppError) -> Option<Event> {
    let found = match error {
        AppError::Vault(VaultError::Missing { .. }) => "vault.missing".to_owned(),
        error => error.rules().into_iter().next()?,
    };
    if let Act::ArtifactUnreadable { rule, .. } = &mut event.act {
        *rule = found;
    }
    Some(event)
}
