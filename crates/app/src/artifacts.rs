//! Files that clients upload and download.

use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use sealyard_core::{Digest, Hasher, ReadAt as _, TreePath, Verdict};
use sealyard_identity::{Authorized, Edit, ExperimentId, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_scan::SubjectReport;
use sealyard_store::model::{Artifact, ArtifactOwner};
use sealyard_vault::{SealedObject, Vault};
use tokio::sync::mpsc;

use crate::{App, AppError, Caller};

/// How many pieces of a body may wait between the network and the disk.
const PIECES_UNDER_WAY: usize = 8;
/// How much is decrypted at a time for a download.
const PIECE: usize = 256 * 1024;

/// Where an upload goes.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What it will belong to. Its experiment must be the authorized one; [`App::upload`] checks.
    pub owner: ArtifactOwner,
    /// Where below the owner's artifact root.
    pub path: TreePath,
    /// At most so many bytes.
    pub limit: u64,
}

/// A stored file, ready to be streamed.
#[derive(Debug)]
pub struct Download {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the plain bytes.
    pub digest: Digest,
    /// The bytes. An error ends the stream short, so that a client sees a broken transfer and never wrong bytes.
    pub pieces: mpsc::Receiver<io::Result<Bytes>>,
}

/// One line of a listing: a file, or a directory that holds some.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArtifactListing {
    /// Path from the owner's artifact root.
    pub path: String,
    /// `None` for a directory.
    pub size: Option<u64>,
}

/// The object as it lies in the pending area, and what the scan said of it.
struct Arrived {
    sealed: SealedObject,
    report: SubjectReport,
}

impl App {
    /// Takes a file in: encrypts and hashes it as it arrives, scans it while nobody can see it, then makes object, row
    /// and ledger event visible together.
    ///
    /// # Errors
    /// [`AppError::Refused`] with the scan's rules for an unsafe file, which is dropped; `artifact.size` above the limit;
    /// [`AppError::Conflict`] for a finalised model; [`AppError::Denied`] when the owner is in another experiment.
    pub async fn upload<S, E>(
        &self,
        caller: &Caller,
        authorized: &Authorized<Edit, ExperimentId>,
        upload: Upload,
        body: S,
    ) -> Result<Artifact, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        self.check_owner(&upload.owner, authorized.resource()).await?;
        let arrived = self.receive(&upload, body).await?;
        let Arrived { sealed, report } = arrived;
        if report.verdict == Verdict::Unsafe {
            self.vault.discard(&sealed)?;
            return Err(self.refuse_upload(caller, &upload, sealed.digest, &report).await?);
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
        self.vault.commit(&sealed)?;
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
        let row = artifact.clone();
        let written = self
            .store()
            .write(move |tx| {
                let replaced = tx.put_artifact(&row)?;
                let unused = match replaced {
                    Some(object) if !tx.object_is_referenced(&object)? => Some(object),
                    _ => None,
                };
                tx.record(&event)?;
                Ok::<_, AppError>(unused)
            })
            .await;
        match written {
            Ok(replaced) => {
                self.sequencer.notify();
                if let Some(object) = replaced.and_then(|object| object.parse().ok()) {
                    self.vault.delete(&object)?;
                }
                Ok(artifact)
            }
            Err(error) => {
                self.vault.delete(&sealed.id)?;
                Err(error)
            }
        }
    }

    /// Streams `body` into a pending object and scans it there.
    async fn receive<S, E>(&self, upload: &Upload, body: S) -> Result<Arrived, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let (pieces, mut arriving) = mpsc::channel::<Bytes>(PIECES_UNDER_WAY);
        let vault = Arc::clone(&self.vault);
        let scanner = Arc::clone(&self.scanner);
        let name = upload.path.as_str().to_owned();
        let (whole, is_whole) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::task::spawn_blocking(move || -> Result<Option<Arrived>, AppError> {
            let mut pending = vault.begin()?;
            while let Some(piece) = arriving.blocking_recv() {
                pending
                    .write_all(&piece)
                    .map_err(|error| AppError::internal("the vault could not be written", error))?;
            }
            // A body that broke off must not become an object.
            if is_whole.blocking_recv().is_err() {
                return Ok(None);
            }
            let sealed = pending.seal()?;
            let scanned = vault.open_sealed(&sealed).map(|object| scanner.scan_file(&name, &object));
            match scanned {
                Ok(report) => Ok(Some(Arrived { sealed, report })),
                Err(error) => {
                    vault.discard(&sealed)?;
                    Err(error.into())
                }
            }
        });
        let mut left = upload.limit;
        let mut body = std::pin::pin!(body);
        let mut broken = None;
        while let Some(piece) = body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    broken = Some(AppError::Invalid(format!("the upload broke off: {error}")));
                    break;
                }
            };
            let Some(rest) = left.checked_sub(piece.len() as u64) else {
                broken = Some(AppError::refused("artifact.size", format!("it is larger than {} bytes", upload.limit)));
                break;
            };
            left = rest;
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        if broken.is_none() {
            let _ = whole.send(());
        } else {
            drop(whole);
        }
        drop(pieces);
        let arrived = task.await.map_err(|error| AppError::internal("an upload broke", error))??;
        match (broken, arrived) {
            (Some(error), _) => Err(error),
            (None, Some(arrived)) => Ok(arrived),
            (None, None) => Err(AppError::Invalid("the upload broke off".to_owned())),
        }
    }

    async fn refuse_upload(
        &self,
        caller: &Caller,
        upload: &Upload,
        digest: Digest,
        report: &SubjectReport,
    ) -> Result<AppError, AppError> {
        let error = scan_refusal(std::slice::from_ref(report));
        if let AppError::Refused { rule, reason } = &error {
            let act = Act::ArtifactRefused {
                path: full_path(&upload.owner, upload.path.as_str()),
                digest: Some(digest),
                rule: rule.clone(),
                reason: reason.clone(),
            };
            self.record(self.event(caller, Outcome::Refused, act)).await?;
        }
        Ok(error)
    }

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
        self.check_owner(owner, authorized.resource()).await?;
        let (wanted, below) = (owner.clone(), path.as_str().to_owned());
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.artifact(&wanted, &below)?)).await?;
        let Some(artifact) = found else {
            return Err(AppError::NotFound { kind: "artifact", id: path.to_string() });
        };
        if artifact.verdict == Verdict::Unsafe {
            return Err(AppError::refused("artifact.verdict", format!("{path} was found to be unsafe")));
        }
        match self.stream_object(&artifact.object, artifact.digest, artifact.size, true) {
            Ok(download) => Ok(download),
            Err(error) => {
                if let Some(rule) = error.rules().into_iter().next() {
                    let act = Act::ArtifactUnreadable { path: full_path(owner, path.as_str()), rule };
                    self.record(self.event(caller, Outcome::Refused, act)).await?;
                }
                Err(error)
            }
        }
    }

    /// Streams an object of the vault. With `check` the last piece is held back until the digest is right; without, the
    /// reader checks for itself, as a loader does that believes nobody.
    pub(crate) fn stream_object(
        &self,
        object: &str,
        digest: Digest,
        size: u64,
        check: bool,
    ) -> Result<Download, AppError> {
        let id = object.parse().map_err(|error| AppError::internal("a row names no object", error))?;
        let object = self.vault.open(&id)?;
        // The first piece is read before anything is answered: the commonest damage becomes a clear error.
        let mut first = vec![0; PIECE.min(usize::try_from(object.size()).unwrap_or(PIECE))];
        object.read_exact_at(0, &mut first).map_err(|error| unreadable(&id, error))?;
        let (sender, pieces) = mpsc::channel(PIECES_UNDER_WAY);
        tokio::task::spawn_blocking(move || {
            let mut hasher = Hasher::default();
            let mut offset = 0;
            let mut held = Some(first);
            while let Some(piece) = held.take() {
                hasher.update(&piece);
                offset += piece.len() as u64;
                let left = object.size().saturating_sub(offset);
                if left > 0 {
                    let mut next = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
                    if let Err(error) = object.read_exact_at(offset, &mut next) {
                        let _ = sender.blocking_send(Err(error));
                        return;
                    }
                    held = Some(next);
                } else if check && (offset != size || std::mem::take(&mut hasher).finish() != digest) {
                    let wrong =
                        io::Error::new(io::ErrorKind::InvalidData, "artifact.digest: the content was exchanged");
                    let _ = sender.blocking_send(Err(wrong));
                    return;
                }
                if sender.blocking_send(Ok(piece.into())).is_err() {
                    return;
                }
            }
        });
        Ok(Download { size, digest, pieces })
    }

    /// What lies directly below `directory`, as MLflow lists artifacts: directories and files by path.
    ///
    /// # Errors
    /// [`AppError::Denied`] when the owner is in another experiment.
    pub async fn list_artifacts(
        &self,
        authorized: &Authorized<Read, ExperimentId>,
        owner: &ArtifactOwner,
        directory: Option<&TreePath>,
    ) -> Result<Vec<ArtifactListing>, AppError> {
        self.check_owner(owner, authorized.resource()).await?;
        let prefix = directory.map_or_else(String::new, |path| path.as_str().to_owned());
        let (owner, below) = (owner.clone(), prefix.clone());
        let artifacts = self.store().read(move |tx| Ok::<_, AppError>(tx.artifacts_below(&owner, &below)?)).await?;
        let mut listing = std::collections::BTreeSet::new();
        for artifact in artifacts {
            let path = artifact.path.as_str();
            let rest = match prefix.as_str() {
                "" => path,
                prefix => match path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) {
                    Some(rest) => rest,
                    None => continue,
                },
            };
            let start = path.len() - rest.len();
            listing.insert(match rest.find('/') {
                Some(end) => {
                    ArtifactListing { path: path.get(..start + end).unwrap_or_default().to_owned(), size: None }
                }
                None => ArtifactListing { path: path.to_owned(), size: Some(artifact.size) },
            });
        }
        Ok(listing.into_iter().collect())
    }

    /// Removes the file at `path`, or all files below it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] for a finalised model.
    pub async fn delete_artifacts(
        &self,
        caller: &Caller,
        authorized: &Authorized<Edit, ExperimentId>,
        owner: &ArtifactOwner,
        path: &TreePath,
    ) -> Result<(), AppError> {
        self.check_owner(owner, authorized.resource()).await?;
        let full = full_path(owner, path.as_str());
        let event = self.event(caller, Outcome::Done, Act::ArtifactDeleted { path: full.clone() });
        let (owner, path) = (owner.clone(), path.as_str().to_owned());
        let unused = self
            .store()
            .write(move |tx| {
                let gone = tx.artifacts_below(&owner, &path)?;
                if tx.delete_artifacts_below(&owner, &path)? == 0 {
                    return Err(AppError::NotFound { kind: "artifact", id: full });
                }
                tx.record(&event)?;
                let mut unused = Vec::new();
                for artifact in gone {
                    if !tx.object_is_referenced(&artifact.object)? {
                        unused.push(artifact.object);
                    }
                }
                Ok(unused)
            })
            .await?;
        self.sequencer.notify();
        for object in unused.iter().filter_map(|object| object.parse().ok()) {
            self.vault.delete(&object)?;
        }
        Ok(())
    }

    /// The experiment that an owner's grants hang on, if there is such an owner.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn experiment_of(&self, owner: &ArtifactOwner) -> Result<Option<String>, AppError> {
        let owner = owner.clone();
        self.store()
            .read(move |tx| {
                Ok::<_, AppError>(match owner {
                    ArtifactOwner::Run(id) => tx.experiment_of_run(&id)?,
                    ArtifactOwner::LoggedModel(id) => tx.logged_model(&id)?.map(|model| model.experiment_id),
                })
            })
            .await
    }

    /// A proof for one experiment is none for an owner in another.
    async fn check_owner(&self, owner: &ArtifactOwner, experiment: &ExperimentId) -> Result<(), AppError> {
        match self.experiment_of(owner).await? {
            Some(found) if found == experiment.as_str() => Ok(()),
            _ => Err(AppError::Denied {
                rule: "authorization",
                action: "access".to_owned(),
                resource: full_path(owner, ""),
            }),
        }
    }
}

fn unreadable(id: &sealyard_vault::ObjectId, error: io::Error) -> AppError {
    match error.downcast::<sealyard_vault::VaultError>() {
        Ok(error) => AppError::Vault(error),
        Err(error) => AppError::internal("an object could not be read", format!("{id}: {error}")),
    }
}

/// What a client is told of an unsafe file or folder: each rule once, then the first findings.
pub(crate) fn scan_refusal(reports: &[SubjectReport]) -> AppError {
    let mut rules: Vec<&str> = Vec::new();
    let mut reasons = Vec::new();
    for finding in reports.iter().flat_map(|report| &report.findings) {
        if Verdict::of(finding.severity) < Verdict::Unsafe {
            continue;
        }
        if !rules.contains(&finding.rule.as_str()) {
            rules.push(&finding.rule);
        }
        if reasons.len() < 3 {
            reasons.push(format!("{} at {}", finding.message, finding.location.display()));
        }
    }
    AppError::refused(format!("scan:{}", rules.join(",")), reasons.join("; "))
}

/// How events name an artifact.
pub(crate) fn full_path(owner: &ArtifactOwner, path: &str) -> String {
    match owner {
        ArtifactOwner::Run(id) => format!("runs:/{id}/{path}"),
        ArtifactOwner::LoggedModel(id) => format!("models:/{id}/{path}"),
    }
}

/// Opens each object of `files` for the scanner.
pub(crate) fn open_files(
    vault: &Vault,
    files: &[(TreePath, String)],
) -> Result<Vec<(TreePath, Arc<dyn sealyard_core::ReadAt>)>, AppError> {
    let mut opened = Vec::with_capacity(files.len());
    for (path, object) in files {
        let id = object.parse().map_err(|error| AppError::internal("a row names no object", error))?;
        let object: Arc<dyn sealyard_core::ReadAt> = Arc::new(vault.open(&id)?);
        opened.push((path.clone(), object));
    }
    Ok(opened)
}
