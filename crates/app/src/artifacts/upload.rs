use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use sealyard_core::{Digest, TreePath, Verdict};
use sealyard_identity::Edit;
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_scan::SubjectReport;
use sealyard_store::model::{Artifact, ArtifactOwner};
use sealyard_store::{Store, Transaction};
use sealyard_vault::{PendingObject, SealedObject, Vault, VaultError};
use tokio::task::JoinHandle;

use super::{ArtifactProof, PIECE, full_path, scan_refusal};
use crate::housekeeping::ids;
use crate::tasks::{blocking, remove_if_unused, remove_objects, to_its_end};
use crate::{App, AppError, Caller};

/// Where an upload goes.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What it will belong to. The proof must be for it; [`App::upload`] checks.
    pub owner: ArtifactOwner,
    /// Where below the owner's artifact root.
    pub path: TreePath,
    /// At most so many bytes.
    pub limit: u64,
}

/// The object as it lies in the pending area, and what the scan said of it.
pub(super) struct Arrived {
    pub(super) sealed: SealedObject,
    pub(super) report: SubjectReport,
}

impl App {
    /// Takes a file in: encrypts and hashes it as it arrives, scans it while nobody can see it, then makes object, row
    /// and ledger event visible together.
    ///
    /// # Errors
    /// [`AppError::Refused`] with the scan's rules for an unsafe file, which is dropped; `artifact.size` above the limit;
    /// [`AppError::Conflict`] for a finalised model or what became part of a version; [`AppError::Denied`] when the owner
    /// is in another experiment.
    pub async fn upload<S, E>(
        &self,
        caller: &Caller,
        proof: impl Into<ArtifactProof<'_, Edit>> + Send,
        upload: Upload,
        body: S,
    ) -> Result<Artifact, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        self.check_owner(proof.into(), &upload.owner).await?;
        self.take_in(caller, upload, body).await
    }

    /// [`Self::upload`] for one who needs no proof: an importer that holds the data directory itself.
    pub(crate) async fn take_in<S, E>(&self, caller: &Caller, upload: Upload, body: S) -> Result<Artifact, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let arrived = match self.receive(&upload, body).await {
            Ok(arrived) => arrived,
            Err(error) => return Err(self.refuse_upload(caller, &upload, None, error).await),
        };
        self.finish_upload(caller, upload, arrived, |_| Ok(Vec::new())).await
    }

    /// Drops what is unsafe; makes everything else visible, in one transaction with `more`, which gives objects that are
    /// not needed from then on.
    pub(super) async fn finish_upload(
        &self,
        caller: &Caller,
        upload: Upload,
        arrived: Arrived,
        more: impl FnOnce(&mut dyn Transaction) -> Result<Vec<String>, AppError> + Send + 'static,
    ) -> Result<Artifact, AppError> {
        let Arrived { sealed, report } = arrived;
        if report.verdict == Verdict::Unsafe {
            let digest = sealed.digest;
            let vault = Arc::clone(&self.vault);
            blocking("an object could not be dropped", move || Ok(vault.discard(&sealed)?)).await?;
            let error = scan_refusal(std::slice::from_ref(&report));
            return Err(self.refuse_upload(caller, &upload, Some(digest), error).await);
        }
        let artifact = Artifact {
            owner: upload.owner,
            path: upload.path,
            object: sealed.id.to_string(),
            digest: sealed.digest,
            size: sealed.size,
            verdict: report.verdict,
            created: self.now(),
            created_by: caller.actor().to_owned(),
        };
        let event = self.event(
            caller,
            Outcome::Done,
            Act::ArtifactUploaded {
                path: full_path(&artifact.owner, artifact.path.as_str()),
                digest: artifact.digest,
                size: artifact.size,
                verdict: artifact.verdict.to_string(),
            },
        );
        let (store, vault) = (Arc::clone(&self.store), Arc::clone(&self.vault));
        let (row, placing) = (artifact.clone(), Arc::clone(&self.placing));
        to_its_end("an upload broke", async move {
            // An object has no row yet when it comes to be: nobody may take it for a leftover.
            let _placing = placing.read().await;
            keep(&store, &vault, sealed, row, event, more).await
        })
        .await?;
        self.sequencer.notify();
        self.tidy.notify_one();
        Ok(artifact)
    }

    /// Streams `body` into a pending object and scans it there. What is dropped on the way leaves nothing.
    async fn receive<S, E>(&self, upload: &Upload, body: S) -> Result<Arrived, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let pending = self.stream_in(upload.limit, body).await?;
        let vault = Arc::clone(&self.vault);
        let scanner = Arc::clone(&self.scanner);
        let name = upload.path.as_str().to_owned();
        let place = self.place_to_scan().await?;
        blocking("an upload broke", move || {
            // Held by the work and not by the one who waits for it, who may be gone long before it ends.
            let _place = place;
            let sealed = pending.seal()?;
            let report = vault.open_sealed(&sealed).map(|object| scanner.scan_arrival(&name, &object))?;
            Ok(Arrived { sealed, report })
        })
        .await
    }

    /// Encrypts and hashes `body` into a pending object as it comes.
    pub(super) async fn stream_in<S, E>(&self, limit: u64, body: S) -> Result<PendingObject, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let (vault, part) = (Arc::clone(&self.vault), self.part);
        let mut writing = Writing::begin(move || Ok((vault.begin_in(part)?, Vec::new())));
        let read = take_in(&mut writing, limit, body).await;
        // Waited for in any case: what is given up is gone when this returns.
        let written = writing.wait().await;
        read?;
        Ok(written?.0)
    }

    /// Puts a refusal into the ledger. If that fails, that is the answer.
    pub(super) async fn refuse_upload(
        &self,
        caller: &Caller,
        upload: &Upload,
        digest: Option<Digest>,
        error: AppError,
    ) -> AppError {
        let AppError::Refused { rule, reason } = &error else { return error };
        let act = Act::ArtifactRefused {
            path: full_path(&upload.owner, upload.path.as_str()),
            digest,
            rule: rule.clone(),
            reason: reason.clone(),
        };
        match self.record_refusal(self.event(caller, Outcome::Refused, act)).await {
            Ok(()) => error,
            Err(error) => error,
        }
    }
}

/// Copied together, and a thread taken only for each full piece: a client that sends slowly or by single bytes holds neither a
/// thread nor much memory. While a piece is written the next one comes in.
async fn take_in<S, E>(writing: &mut Writing, limit: u64, body: S) -> Result<(), AppError>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut left = limit;
    let mut body = std::pin::pin!(body);
    let mut buffer = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| AppError::Invalid(format!("the upload broke off: {error}")))?;
        let Some(rest) = left.checked_sub(piece.len() as u64) else {
            return Err(AppError::refused("artifact.size", format!("it is larger than {} bytes", limit)));
        };
        left = rest;
        buffer.extend_from_slice(&piece);
        if buffer.len() >= PIECE {
            buffer = writing.go_on(buffer).await?;
        }
    }
    writing.go_on(buffer).await.map(drop)
}

/// What a write gives back: the object, and memory to use again.
type Written = Result<(PendingObject, Vec<u8>), AppError>;

/// An object that is written, one piece after the other, on threads for that. Nothing is in it once a write failed.
struct Writing(Option<JoinHandle<Written>>);

impl Writing {
    fn begin(work: impl FnOnce() -> Written + Send + 'static) -> Self {
        Self(Some(tokio::task::spawn_blocking(work)))
    }

    async fn wait(&mut self) -> Written {
        let broken = || AppError::internal("an upload broke", io::Error::from(io::ErrorKind::BrokenPipe));
        let work = self.0.take().ok_or_else(broken)?;
        work.await.map_err(|error| AppError::internal("an upload broke", error))?
    }

    /// Begins to write `piece` once what is under way is over; gives memory for the next one.
    async fn go_on(&mut self, mut piece: Vec<u8>) -> Result<Vec<u8>, AppError> {
        let (mut pending, buffer) = self.wait().await?;
        *self = Self::begin(move || {
            pending.write_all(&piece).map_err(of_vault)?;
            piece.clear();
            Ok((pending, piece))
        });
        Ok(buffer)
    }
}

/// The vault's own error, where it came through [`std::io`].
pub(crate) fn of_vault(error: io::Error) -> AppError {
    match error.downcast::<VaultError>() {
        Ok(error) => AppError::Vault(error),
        Err(error) => AppError::internal("an object could not be read or written", error),
    }
}

/// The object first, then its row and event together; what was replaced goes last.
async fn keep(
    store: &Arc<dyn Store>,
    vault: &Arc<Vault>,
    sealed: SealedObject,
    row: Artifact,
    event: Event,
    more: impl FnOnce(&mut dyn Transaction) -> Result<Vec<String>, AppError> + Send + 'static,
) -> Result<(), AppError> {
    let (id, now) = (sealed.id, row.created);
    let target = Arc::clone(vault);
    blocking("an upload broke", move || Ok(target.commit(&sealed)?)).await?;
    let written = store
        .write(move |tx| {
            let replaced = tx.put_artifact(&row)?;
            // A trace's data come with every trace: data, and no act of its own.
            if !matches!(row.owner, ArtifactOwner::Trace(_)) {
                tx.record(&event)?;
            }
            let mut free = more(tx)?;
            if let Some(object) = replaced {
                free.extend(tx.release_object(&object, now)?);
            }
            Ok::<_, AppError>(free)
        })
        .await;
    match written {
        Ok(free) => {
            remove_objects(&**store, vault, ids(free)).await;
            Ok(())
        }
        Err(error) => {
            remove_if_unused(&**store, vault, id, now).await;
            Err(error)
        }
    }
}
