//! Uploads in parts: begun, sent part by part with capabilities of their own, and put together or given up.
//!
//! Each part is an encrypted object by itself. Only when all are there are they put together into one, which is hashed
//! and scanned like any upload before anybody can see it.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use sealyard_core::{Digest, Hasher, ReadAt as _, Timestamp, TreePath};
use sealyard_identity::{Edit, WorkspaceName};
use sealyard_ledger::{Act, Outcome};
use sealyard_scan_model::Scanner;
use sealyard_store::Transaction;
use sealyard_store::model::{ArtifactOwner, PartedUpload, UploadPart, UploadState};
use sealyard_vault::Vault;

use super::upload::{Arrived, Upload, of_vault};
use super::{ArtifactProof, PIECE, full_path};
use crate::housekeeping::ids;
use crate::objects::{Objects, unreadable};
use crate::tasks::{blocking, remove_if_unused, remove_objects, to_its_end};
use crate::{App, AppError, Caller};

/// More parts no service takes, and no client asks for.
pub const MOST_PARTS: u32 = 10_000;
/// Uploads that one principal may have under way.
const MOST_UPLOADS: u64 = 1000;
/// A capability for a part is good for so long.
const CAPABILITY_SECONDS: i64 = 60 * 60;
/// An upload that was not put together by then is over.
const UPLOAD_SECONDS: i64 = 24 * 60 * 60;
const PURPOSE: &str = "sealyard upload part v1";

/// An upload in parts that began: its id, and for each part what lets its bearer send it.
#[derive(Debug, Clone)]
pub struct PartedUploadBegun {
    /// Names the upload.
    pub id: String,
    /// One for each part, in order.
    pub capabilities: Vec<String>,
}

/// A part as whoever completes the upload names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPart {
    /// Its number, from 1.
    pub number: u32,
    /// What the server said of it when it arrived: its digest.
    pub tag: String,
}

fn message(workspace: &WorkspaceName, upload: &str, number: u32, expires: i64) -> String {
    if workspace.is_default() {
        format!("{upload}|{number}|{expires}")
    } else {
        format!("{upload}|{number}|{expires}|{workspace}")
    }
}

/// When a capability ends, its MAC, and the workspace that it is for.
fn read_capability(text: &str) -> Option<(i64, &str, WorkspaceName)> {
    let (expires, mac) = text.split_once('.')?;
    let (mac, workspace) = match mac.split_once('.') {
        Some((mac, name)) => (mac, WorkspaceName::new(name).ok()?),
        None => (mac, WorkspaceName::default()),
    };
    Some((expires.parse().ok()?, mac, workspace))
}

fn refused(reason: impl Into<String>) -> AppError {
    AppError::refused("artifact.parts", reason)
}

impl App {
    /// Begins an upload in parts.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Conflict`], [`AppError::Invalid`] for a number of parts that can't be.
    pub async fn begin_parted_upload(
        &self,
        caller: &Caller,
        proof: impl Into<ArtifactProof<'_, Edit>> + Send,
        owner: ArtifactOwner,
        path: TreePath,
        parts: u32,
    ) -> Result<PartedUploadBegun, AppError> {
        self.check_owner(proof.into(), &owner).await?;
        if matches!(owner, ArtifactOwner::Trace(_) | ArtifactOwner::Loose) {
            let message = "only files of runs and logged models are uploaded in parts";
            return Err(AppError::Invalid(message.to_owned()));
        }
        if parts == 0 || parts > MOST_PARTS {
            return Err(AppError::Invalid(format!("num_parts must be from 1 to {MOST_PARTS}")));
        }
        let id = self.rng.hex_id();
        let now = self.now();
        let event =
            self.event(caller, Outcome::Done, Act::UploadBegun { path: full_path(&owner, path.as_str()), parts });
        let upload = PartedUpload {
            id: id.clone(),
            owner,
            path,
            parts,
            created_by: caller.actor().to_owned(),
            created: now,
            state: UploadState::Open,
        };
        self.store()
            .write(move |tx| {
                if tx.count_open_uploads(&upload.created_by)? >= MOST_UPLOADS {
                    return Err(AppError::Conflict(format!("more than {MOST_UPLOADS} uploads are under way")));
                }
                tx.begin_upload(&upload)?;
                Ok(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        let expires = now.plus_seconds(CAPABILITY_SECONDS).as_millis();
        let capability = |number| {
            let mac = self.vault.mac(PURPOSE, message(self.workspace(), &id, number, expires).as_bytes());
            if self.workspace().is_default() {
                format!("{expires}.{mac}")
            } else {
                format!("{expires}.{mac}.{}", self.workspace())
            }
        };
        let capabilities = (1..=parts).map(capability).collect();
        Ok(PartedUploadBegun { id, capabilities })
    }

    /// Whether the capability is one that this server, or one with the same keys, gave for this part and is still good. Gives
    /// the workspace that it was given in.
    fn check_capability(&self, upload: &str, number: u32, capability: &str) -> Result<WorkspaceName, AppError> {
        let (expires, mac, workspace) = read_capability(capability).ok_or(AppError::Unauthenticated)?;
        let is_ours = self.vault.is_mac(PURPOSE, message(&workspace, upload, number, expires).as_bytes(), mac);
        if is_ours && self.now().as_millis() < expires { Ok(workspace) } else { Err(AppError::Unauthenticated) }
    }

    /// Takes a part in. The capability is all that is asked for; it was given to somebody who might upload.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], [`AppError::NotFound`], [`AppError::Conflict`], [`AppError::Refused`] above `limit`.
    pub async fn put_part<S, E>(
        &self,
        capability: &str,
        id: &str,
        number: u32,
        limit: u64,
        body: S,
    ) -> Result<Digest, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let workspace = self.check_capability(id, number, capability)?;
        self.by_capability(workspace).await?.put_part_here(id, number, limit, body).await
    }

    async fn put_part_here<S, E>(&self, id: &str, number: u32, limit: u64, body: S) -> Result<Digest, AppError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::error::Error + Send + Sync + 'static,
    {
        let wanted = id.to_owned();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.upload(&wanted)?)).await?;
        let upload = found.filter(|upload| number >= 1 && number <= upload.parts && !self.is_over(upload));
        let upload = upload.ok_or_else(|| AppError::NotFound { kind: "upload", id: id.to_owned() })?;
        if upload.state != UploadState::Open {
            return Err(AppError::Conflict("the upload takes no parts any more".to_owned()));
        }
        let pending = self.stream_in(limit, body).await?;
        let sealed = blocking("a part could not be kept", move || Ok(pending.seal()?)).await?;
        let (store, vault, placing) = (Arc::clone(&self.store), Arc::clone(&self.vault), Arc::clone(&self.placing));
        let (id, digest, now) = (id.to_owned(), sealed.digest, self.now());
        to_its_end("a part broke", async move {
            let _placing = placing.read().await;
            let object = sealed.id;
            let part = UploadPart { number, object: object.to_string(), digest, size: sealed.size };
            let target = Arc::clone(&vault);
            blocking("a part could not be kept", move || Ok(target.commit(&sealed)?)).await?;
            let written = store
                .write(move |tx| {
                    let replaced = tx.put_upload_part(&id, &part, limit, now)?;
                    release(tx, replaced.into_iter().collect(), now)
                })
                .await;
            match written {
                Ok(free) => remove_objects(&*store, &vault, ids(free)).await,
                Err(error) => {
                    remove_if_unused(&*store, &vault, object, now).await;
                    return Err(error);
                }
            }
            Ok(())
        })
        .await?;
        Ok(digest)
    }

    fn is_over(&self, upload: &PartedUpload) -> bool {
        upload.created.plus_seconds(UPLOAD_SECONDS) <= self.now()
    }

    /// The upload that `caller` began for this file; anything else is not there.
    async fn own_upload(
        &self,
        caller: &Caller,
        owner: &ArtifactOwner,
        path: &TreePath,
        id: &str,
    ) -> Result<PartedUpload, AppError> {
        let wanted = id.to_owned();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.upload(&wanted)?)).await?;
        let own = found.filter(|upload| {
            upload.owner == *owner
                && upload.path == *path
                && upload.created_by == caller.actor()
                && !self.is_over(upload)
        });
        own.ok_or_else(|| AppError::NotFound { kind: "upload", id: id.chars().take(64).collect() })
    }

    /// Puts the parts together, scans the file and makes it visible. A second time it only says that it is done. Goes on when
    /// whoever asked is gone, so that a client which gave up waiting finds it done when it asks again.
    ///
    /// # Errors
    /// As for an upload; `artifact.parts` when the parts are not the ones that arrived.
    pub async fn complete_parted_upload(
        self: &Arc<Self>,
        caller: &Caller,
        proof: impl Into<ArtifactProof<'_, Edit>> + Send,
        upload: Upload,
        id: &str,
        named: &[NamedPart],
    ) -> Result<(), AppError> {
        self.check_owner(proof.into(), &upload.owner).await?;
        let parted = self.own_upload(caller, &upload.owner, &upload.path, id).await?;
        if parted.state == UploadState::Done {
            return Ok(());
        }
        let (app, caller, id, named) = (Arc::clone(self), caller.clone(), id.to_owned(), named.to_vec());
        to_its_end("an upload could not be completed", async move {
            app.complete_once(&caller, upload, &id, &parted, &named).await
        })
        .await
    }

    /// Completes an upload, unless somebody is at it; opens it again if that fails.
    async fn complete_once(
        &self,
        caller: &Caller,
        upload: Upload,
        id: &str,
        parted: &PartedUpload,
        named: &[NamedPart],
    ) -> Result<(), AppError> {
        let wanted = id.to_owned();
        let (took, parts) = self
            .store()
            .write(move |tx| {
                let took = tx.set_upload_state(&wanted, UploadState::Open, UploadState::Completing)?;
                Ok::<_, AppError>((took, tx.upload_parts(&wanted)?))
            })
            .await?;
        if !took {
            return Err(AppError::Conflict("the upload is being completed already".to_owned()));
        }
        let completed = match check_parts(parted.parts, named, &parts, upload.limit) {
            Ok(()) => self.complete(caller, upload, id, parts).await,
            Err(error) => Err(self.refuse_upload(caller, &upload, None, error).await),
        };
        if let Err(error) = &completed {
            let (wanted, now) = (id.to_owned(), self.now());
            let is_final = error.rules().iter().any(|rule| rule.starts_with("scan:"));
            let undone = self
                .store()
                .write(move |tx| {
                    if is_final {
                        let parts = tx.remove_upload(&wanted)?;
                        return release(tx, parts, now);
                    }
                    tx.set_upload_state(&wanted, UploadState::Completing, UploadState::Open)?;
                    Ok::<_, AppError>(Vec::new())
                })
                .await;
            match undone {
                Ok(free) => remove_objects(&*self.store, &self.vault, ids(free)).await,
                Err(error) => tracing::warn!(%error, "an upload that failed could not be opened again"),
            }
        }
        completed
    }

    async fn complete(
        &self,
        caller: &Caller,
        upload: Upload,
        id: &str,
        parts: Vec<UploadPart>,
    ) -> Result<(), AppError> {
        let place = self.place_to_scan().await?;
        let objects = Objects::new(Vault::clone(&self.vault), Arc::clone(&self.store));
        let (vault, scanner) = (Arc::clone(&self.vault), Arc::clone(&self.scanner));
        let name = upload.path.as_str().to_owned();
        let under = self.part;
        let arrived = blocking("an upload broke", move || {
            let _place = place;
            assemble(&vault, under, &scanner, &objects, &name, &parts)
        })
        .await?;
        let (id, now) = (id.to_owned(), self.now());
        self.finish_upload(caller, upload, arrived, move |tx| {
            if !tx.set_upload_state(&id, UploadState::Completing, UploadState::Done)? {
                return Err(AppError::Conflict("the upload was given up meanwhile".to_owned()));
            }
            let parts = tx.remove_upload_parts(&id)?;
            release(tx, parts, now)
        })
        .await?;
        Ok(())
    }

    /// Gives an upload up, with the parts that arrived.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] for one that is done or being completed.
    pub async fn abort_parted_upload(
        &self,
        caller: &Caller,
        proof: impl Into<ArtifactProof<'_, Edit>> + Send,
        owner: &ArtifactOwner,
        path: &TreePath,
        id: &str,
    ) -> Result<(), AppError> {
        self.check_owner(proof.into(), owner).await?;
        self.own_upload(caller, owner, path, id).await?;
        let event = self.event(caller, Outcome::Done, Act::UploadAborted { path: full_path(owner, path.as_str()) });
        let (id, now) = (id.to_owned(), self.now());
        let free = self
            .store()
            .write(move |tx| {
                if !tx.set_upload_state(&id, UploadState::Open, UploadState::Open)? {
                    return Err(AppError::Conflict("the upload is done, or being completed".to_owned()));
                }
                let parts = tx.remove_upload(&id)?;
                tx.record(&event)?;
                release(tx, parts, now)
            })
            .await?;
        remove_objects(&*self.store, &self.vault, ids(free)).await;
        self.sequencer.notify();
        Ok(())
    }

    /// Opens the uploads again that were being completed when a server was killed. Where another server is about to complete
    /// one, it finds that out when it is done, and its client asks again.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn reopen_uploads(&self) -> Result<u64, AppError> {
        self.store().write(|tx| Ok::<_, AppError>(tx.reopen_uploads()?)).await
    }

    /// Removes uploads whose time is over; gives how many.
    pub(crate) async fn give_up_old_uploads(&self) -> Result<u64, AppError> {
        let mut count = 0;
        loop {
            let now = self.now();
            // A while longer than they take parts, so that none is taken away from under its completion.
            let before = now.plus_seconds(-2 * UPLOAD_SECONDS);
            let (given_up, free) = self
                .store()
                .write(move |tx| {
                    let mut free = Vec::new();
                    let old = tx.uploads_begun_before(before, 100)?;
                    for id in &old {
                        let parts = tx.remove_upload(id)?;
                        free.extend(release(tx, parts, now)?);
                    }
                    Ok::<_, AppError>((old.len() as u64, free))
                })
                .await?;
            remove_objects(&*self.store, &self.vault, ids(free)).await;
            count += given_up;
            if given_up < 100 {
                return Ok(count);
            }
        }
    }
}

fn release(tx: &mut dyn Transaction, objects: Vec<String>, now: Timestamp) -> Result<Vec<String>, AppError> {
    let mut free = Vec::new();
    for object in objects {
        free.extend(tx.release_object(&object, now)?);
    }
    Ok(free)
}

/// All parts, in order, each the one that arrived.
fn check_parts(count: u32, named: &[NamedPart], arrived: &[UploadPart], limit: u64) -> Result<(), AppError> {
    if named.len() != count as usize || arrived.len() != named.len() {
        return Err(refused(format!(
            "the upload has {count} parts, {} arrived and {} are named",
            arrived.len(),
            named.len()
        )));
    }
    for (expected, (named, arrived)) in (1..).zip(named.iter().zip(arrived)) {
        if named.number != expected || arrived.number != expected {
            return Err(refused("the parts are not numbered from 1 on, each once and in order"));
        }
        if named.tag.trim_matches('"') != arrived.digest.to_hex() {
            return Err(refused(format!("the ETag of part {expected} is not the one of what arrived")));
        }
    }
    if arrived.iter().fold(0_u64, |sum, part| sum.saturating_add(part.size)) > limit {
        return Err(AppError::refused("artifact.size", format!("it is larger than {limit} bytes")));
    }
    Ok(())
}

/// Writes the parts one behind the other into a new object, in the memory of a piece, and scans it.
fn assemble(
    vault: &Vault,
    under: Option<sealyard_vault::KeyId>,
    scanner: &Scanner,
    objects: &Objects,
    name: &str,
    parts: &[UploadPart],
) -> Result<Arrived, AppError> {
    let mut pending = vault.begin_in(under)?;
    let mut buffer = vec![0; PIECE];
    for part in parts {
        let id = part.object.parse().map_err(|error| AppError::internal("a row names no object", error))?;
        let stored = objects.open(id)?;
        let mut hasher = Hasher::default();
        let mut offset = 0;
        loop {
            let count = stored.read_at(offset, &mut buffer).map_err(unreadable)?;
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            hasher.update(read);
            pending.write_all(read).map_err(of_vault)?;
            offset += count as u64;
        }
        if offset != part.size || hasher.finish() != part.digest {
            return Err(AppError::refused("artifact.digest", "the content of a part was exchanged"));
        }
    }
    let sealed = pending.seal()?;
    let report = vault.open_sealed(&sealed).map(|object| scanner.scan_arrival(name, &object))?;
    Ok(Arrived { sealed, report })
}

/// A capability, as far as it is read before its MAC is looked at.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_capability(text: &str) {
    if let Some((_, mac, workspace)) = read_capability(text) {
        assert!(!mac.contains('.') && !workspace.as_str().contains('|'), "{text:?} has two meanings");
    }
}

/// The parts that a request names, for an upload of as many, of which they are the ones that arrived.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_parts(named: &[NamedPart]) {
    let count = u32::try_from(named.len()).unwrap_or(u32::MAX);
    let arrived: Vec<UploadPart> = (1..)
        .zip(named)
        .map(|(number, part)| UploadPart {
            number,
            object: String::new(),
            digest: Digest::from_hex(part.tag.trim_matches('"')).unwrap_or_else(|_| Digest::of(b"")),
            size: u64::MAX / 2,
        })
        .collect();
    let sum = arrived.iter().fold(0_u64, |sum, part| sum.saturating_add(part.size));
    let checked = check_parts(count, named, &arrived, u64::MAX / 2);
    let in_order = (1..).zip(named).all(|(number, part)| part.number == number);
    assert!(checked.is_err() || (in_order && sum <= u64::MAX / 2), "parts that can't be put together were taken");
}
