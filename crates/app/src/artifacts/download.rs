use std::io;
use std::sync::Arc;

use bytes::Bytes;
use sealyard_core::{Digest, Hasher, ReadAt as _, TreePath, Verdict};
use sealyard_identity::Read;
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::model::{Artifact, ArtifactOwner};
use sealyard_vault::{ObjectId, Vault, VaultError};
use tokio::sync::mpsc;

use super::{ArtifactProof, PIECE, full_path};
use crate::objects::{Objects, StoredFile, unreadable};
use crate::tasks::blocking;
use crate::{App, AppError, Caller};

/// How many pieces may wait between the disk and the network.
const PIECES_UNDER_WAY: usize = 2;
/// The rule that refuses bytes which are not the recorded ones.
const EXCHANGED: &str = "artifact.digest";

/// A stored file, ready to be streamed.
#[derive(Debug)]
pub struct Download {
    /// How many bytes come.
    pub size: u64,
    /// Where in the file they begin; 0 for all of it.
    pub start: u64,
    /// How large the file is.
    pub total: u64,
    /// Whether a part was asked for.
    pub partial: bool,
    /// SHA-256 that the plain bytes should have.
    pub digest: Digest,
    /// The bytes. An error ends the stream short, so that a client sees a broken transfer and never wrong bytes.
    pub pieces: mpsc::Receiver<io::Result<Bytes>>,
}

/// Which bytes of a file somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// All.
    #[default]
    All,
    /// From the first to the last of these places, or to the end.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

impl Wanted {
    /// Start and length in a file of this size; `None` when no byte of it is meant.
    fn within(self, size: u64) -> Option<(u64, u64)> {
        match self {
            Self::All => Some((0, size)),
            Self::From(start, last) if start < size => {
                let end = last.map_or(size, |last| last.saturating_add(1).min(size));
                Some((start, end.checked_sub(start).filter(|length| *length > 0)?))
            }
            Self::Last(count) if count > 0 && size > 0 => Some((size.saturating_sub(count), count.min(size))),
            _ => None,
        }
    }
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
        proof: impl Into<ArtifactProof<'_, Read>> + Send,
        owner: &ArtifactOwner,
        path: &TreePath,
    ) -> Result<Download, AppError> {
        self.download_range(caller, proof, owner, path, Wanted::All).await
    }

    /// Like [`Self::download`], for some of the bytes. Each of them is authenticated by the vault; only whoever asks for
    /// all has them compared with the recorded digest as well.
    ///
    /// # Errors
    /// As [`Self::download`]; [`AppError::Unsatisfiable`] when the file has none of the bytes.
    pub async fn download_range(
        &self,
        caller: &Caller,
        proof: impl Into<ArtifactProof<'_, Read>> + Send,
        owner: &ArtifactOwner,
        path: &TreePath,
        wanted: Wanted,
    ) -> Result<Download, AppError> {
        self.check_owner(proof.into(), owner).await?;
        let name = full_path(owner, path.as_str());
        let event = |rule| self.event(caller, Outcome::Refused, Act::ArtifactUnreadable { path: name.clone(), rule });
        let mut missed = None;
        loop {
            let artifact = self.artifact(owner, path).await?;
            if artifact.verdict == Verdict::Unsafe {
                self.record_refusal(event("artifact.verdict".to_owned())).await?;
                return Err(AppError::refused("artifact.verdict", format!("{path} was found to be unsafe")));
            }
            let expected = Expected { digest: artifact.digest, size: artifact.size, enforced: true };
            match self.stream_some(&artifact.object, expected, wanted, event(EXCHANGED.to_owned())).await {
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
        self.stream_some(object, expected, Wanted::All, unreadable).await
    }

    async fn stream_some(
        &self,
        object: &str,
        expected: Expected,
        wanted: Wanted,
        unreadable: Event,
    ) -> Result<Download, AppError> {
        let id: ObjectId = object.parse().map_err(|error| AppError::internal("a row names no object", error))?;
        let objects = Objects::new(Vault::clone(&self.vault), Arc::clone(&self.store));
        let begun = blocking("an object could not be read", move || {
            let object = objects.open(id)?;
            let total = object.size();
            if expected.enforced && total != expected.size {
                return Err(exchanged());
            }
            let (start, length) = wanted.within(total).ok_or(AppError::Unsatisfiable { size: total })?;
            let hasher = (expected.enforced && length == total).then(Hasher::default);
            let mut pieces = Pieces { object, expected, hasher, offset: start, end: start.saturating_add(length) };
            let first = pieces.next()?;
            // So a small file of wrong content is an answer too.
            if pieces.is_over()
                && let Some(mut hasher) = pieces.hasher.take()
            {
                hasher.update(&first);
                if hasher.finish() != expected.digest {
                    return Err(exchanged());
                }
            }
            Ok((pieces, first, (start, length, total)))
        });
        let (pieces, first, (start, size, total)) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                if let Some(event) = with_rule(unreadable, &error) {
                    self.record_refusal(event).await?;
                }
                return Err(error);
            }
        };
        if let Act::ArtifactUnreadable { path, .. } = &unreadable.act {
            let path = path.clone();
            self.note_read(unreadable.clone(), &path, size).await?;
        }
        let (sender, receiver) = mpsc::channel(PIECES_UNDER_WAY);
        let refusals = self.refusals();
        tokio::spawn(async move {
            let Err(error) = send(pieces, first, &sender).await else { return };
            if let Some(event) = with_rule(unreadable, &error)
                && let Err(error) = refusals.record(event).await
            {
                tracing::error!(%error, "an unreadable object could not be put into the ledger");
            }
            let _ = sender.send(Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string()))).await;
        });
        let partial = wanted != Wanted::All;
        Ok(Download { size, start, total, partial, digest: expected.digest, pieces: receiver })
    }
}

/// A thread is taken for each piece and not for the whole transfer: slow clients must not use them up. One piece is hashed
/// while the next is read. The last is given only when the whole is what it should be.
async fn send(mut pieces: Pieces, first: Bytes, sender: &mpsc::Sender<io::Result<Bytes>>) -> Result<(), AppError> {
    let mut hashing = pieces.hasher.take();
    let digest = pieces.expected.digest;
    let mut ready = first;
    loop {
        let is_last = pieces.is_over();
        let hashed = async {
            let Some(mut hasher) = hashing.take() else { return Ok(None) };
            let piece = ready.clone();
            let hash = move || {
                hasher.update(&piece);
                Ok(Some(hasher))
            };
            blocking("an object could not be read", hash).await
        };
        if is_last {
            if hashed.await?.is_some_and(|hasher| hasher.finish() != digest) {
                return Err(exchanged());
            }
            let _ = sender.send(Ok(ready)).await;
            return Ok(());
        }
        // Sent first: it waits for the client, and nothing is read ahead of one that takes nothing.
        if sender.send(Ok(ready.clone())).await.is_err() {
            return Ok(());
        }
        let read = blocking("an object could not be read", move || {
            let next = pieces.next()?;
            Ok((pieces, next))
        });
        let (hasher, read) = tokio::join!(hashed, read);
        hashing = hasher?;
        (pieces, ready) = read?;
    }
}

/// An object's bytes in order, hashed on the way where all of them are read.
struct Pieces {
    object: StoredFile,
    expected: Expected,
    hasher: Option<Hasher>,
    offset: u64,
    end: u64,
}

impl Pieces {
    const fn is_over(&self) -> bool {
        self.offset >= self.end
    }

    fn next(&mut self) -> Result<Bytes, AppError> {
        let left = self.end.saturating_sub(self.offset);
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        self.object.read_exact_at(self.offset, &mut piece).map_err(unreadable)?;
        self.offset = self.offset.saturating_add(piece.len() as u64);
        Ok(piece.into())
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
