//! Bytes that are stored once, and bytes that nobody needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sealyard_identity::{Administer, Authorized, UserDirectory};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{NewObject, ObjectUse};
use sealyard_vault::{Listed, ObjectId, Vault, VaultError};
use serde::Serialize;
use tokio::time::Instant;

use crate::tasks::{blocking, remove_objects};
use crate::{App, AppError, Caller};

/// Objects that are looked up in one reading of the catalog.
const AT_ONCE: usize = 500;
/// New objects that are compared in one go.
const COMPARED_AT_ONCE: u32 = 100;
/// So often is looked for what others left, and for uploads that are over.
const ROUND: Duration = Duration::from_secs(10 * 60);
/// New objects are compared together: many come at once.
const GATHER: Duration = Duration::from_millis(500);
/// Where several servers store, an object without a row may be one that another is about to write. This old it is none.
const GRACE_SECONDS: i64 = 60 * 60;
/// So long is remembered that an object was removed, so that no row can come to name it: far longer than anything takes.
const REMEMBER_SECONDS: i64 = 30 * 24 * 60 * 60;

/// What was found in the vault, and what was removed or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Objects that are stored.
    pub stored: u64,
    /// Those that nothing refers to.
    pub unused: u64,
    /// What they take, encrypted.
    pub unused_bytes: u64,
    /// Those without a row that are too young to be taken for leftovers.
    pub young: u64,
    /// Uploads in parts that were over and given up.
    pub uploads: u64,
    /// Whether it was only looked.
    pub dry_run: bool,
}

impl App {
    /// Compares new objects, gives up uploads that are over, for as long as the server runs.
    pub async fn run_housekeeping(self: Arc<Self>) {
        let mut next_round = Instant::now() + ROUND;
        self.look_at_rows().await;
        loop {
            // However often new objects wake it, the round comes.
            if tokio::time::timeout_at(next_round, self.tidy.notified()).await.is_ok() {
                tokio::time::sleep(GATHER).await;
            }
            if Instant::now() >= next_round {
                next_round = Instant::now() + ROUND;
                self.look_at_rows().await;
                if let Err(error) = self.give_up_old_uploads().await {
                    tracing::warn!(%error, "uploads that are over could not be removed; it will be tried again");
                }
            }
            if let Err(error) = self.share_equal_objects().await {
                tracing::warn!(%error, "equal objects could not be found; it will be tried again");
            }
        }
    }

    async fn look_at_rows(&self) {
        if let Err(error) = self.look_for_damaged_rows().await {
            tracing::warn!(%error, "the catalog's rows could not be looked at; it will be tried again");
        }
    }

    /// Lets objects of the same content have the same bytes; gives how many gave theirs up.
    ///
    /// This is never part of an upload: how long one takes says nothing of what others stored. Whose bytes shall be shared
    /// is read wholly before, and must be what the catalog says; so nobody is given bytes that are damaged.
    ///
    /// # Errors
    /// [`AppError::Store`]; [`AppError::Vault`] when the storage does not answer.
    pub async fn share_equal_objects(&self) -> Result<u64, AppError> {
        // Objects of all workspaces are read, also of those that another server made.
        self.load_workspace_keys().await?;
        let mut shared = 0;
        let mut tries: BTreeMap<String, u8> = BTreeMap::new();
        loop {
            let found = self.store().read(|tx| Ok::<_, AppError>(tx.new_objects(COMPARED_AT_ONCE)?)).await?;
            let mut fresh = false;
            for new in &found {
                let tried = tries.entry(new.object.clone()).or_default();
                *tried = tried.saturating_add(1);
                fresh |= *tried <= 3;
            }
            if !fresh {
                return Ok(shared);
            }
            shared += self.share_some(found).await?;
        }
    }

    async fn share_some(&self, found: Vec<NewObject>) -> Result<u64, AppError> {
        let (mut good, mut bad) = (BTreeSet::new(), BTreeSet::new());
        for new in &found {
            let Some(twin) = new.twin.clone().filter(|twin| !good.contains(twin) && !bad.contains(twin)) else {
                continue;
            };
            let is_good = self.has_content(&twin, new).await?;
            if is_good {
                good.insert(twin)
            } else {
                bad.insert(twin)
            };
        }
        let now = self.now();
        let given_up = self
            .store()
            .write(move |tx| {
                let mut given_up = Vec::new();
                for twin in &bad {
                    tx.distrust_object(twin)?;
                }
                for new in found {
                    match new.twin {
                        None => tx.keep_object(&new.object)?,
                        Some(twin) if good.contains(&twin) && tx.share_object(&new.object, &twin, now)? => {
                            given_up.push(new.object);
                        }
                        Some(_) => {}
                    }
                }
                Ok::<_, AppError>(given_up)
            })
            .await?;
        let count = given_up.len() as u64;
        remove_objects(&*self.store, &self.vault, ids(given_up)).await;
        Ok(count)
    }

    /// Whether the stored bytes of `object` are what the catalog says of `new`. That the storage does not answer says nothing.
    async fn has_content(&self, object: &str, new: &NewObject) -> Result<bool, AppError> {
        let Ok(id) = object.parse::<ObjectId>() else { return Ok(false) };
        let vault = Vault::clone(&self.vault);
        let (digest, size) = (new.digest, new.size);
        blocking("an object could not be compared", move || {
            let read = vault.open(&id).and_then(|object| Ok((object.size(), object.digest()?)));
            match read {
                Ok(found) => Ok(found == (size, digest)),
                Err(
                    error @ (VaultError::Missing { .. }
                    | VaultError::Authentication { .. }
                    | VaultError::UnknownKey { .. }),
                ) => {
                    tracing::error!(object = %id, %error, "a stored object is not what it should be");
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Removes what nothing refers to.
    ///
    /// # Errors
    /// [`AppError::Store`], [`AppError::Vault`].
    pub async fn collect_garbage(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Administer, UserDirectory>,
        dry_run: bool,
    ) -> Result<Collected, AppError> {
        let collected = self.collect_objects(dry_run).await?;
        if !dry_run {
            let act = Act::ObjectsCollected { removed: collected.unused, bytes: collected.unused_bytes };
            self.record(self.event(caller, Outcome::Done, act)).await?;
        }
        Ok(collected)
    }

    /// Removes what a killed server left: half-written files, and objects that got no row. Uploads may go on meanwhile.
    ///
    /// # Errors
    /// [`AppError::Vault`], [`AppError::Store`].
    pub async fn remove_leftovers(&self) -> Result<(), AppError> {
        self.collect_objects(false).await?;
        self.tidy.notify_one();
        Ok(())
    }

    async fn collect_objects(&self, dry_run: bool) -> Result<Collected, AppError> {
        let mut sum = Collected { dry_run, ..Collected::default() };
        if !dry_run {
            sum.uploads = self.give_up_old_uploads().await?;
            self.release_unused_sharers().await?;
        }
        let vault = Vault::clone(&self.vault);
        let objects = blocking("the vault could not be swept", move || {
            if !dry_run {
                vault.sweep_staging()?;
            }
            let mut objects = Vec::new();
            vault.each_object(&mut |object| objects.push(object))?;
            Ok(objects)
        })
        .await?;
        sum.stored = objects.len() as u64;
        let young = self.now().plus_seconds(if self.vault.is_shared() { -GRACE_SECONDS } else { 0 });
        for some in objects.chunks(AT_ONCE) {
            let names: Vec<String> = some.iter().map(|object| object.id.to_string()).collect();
            let uses = self.store().read(move |tx| Ok::<_, AppError>(tx.object_uses(&names)?)).await?;
            for (object, found) in some.iter().zip(uses) {
                let unused = match found {
                    ObjectUse::InUse => false,
                    ObjectUse::Unknown if self.vault.is_shared() && object.stored > young => {
                        sum.young += 1;
                        false
                    }
                    _ if dry_run => true,
                    found => self.remove_unused(object, found).await?,
                };
                if unused {
                    sum.unused += 1;
                    sum.unused_bytes += object.size;
                }
            }
        }
        if !dry_run {
            let before = self.now().plus_seconds(-REMEMBER_SECONDS);
            self.store().write(move |tx| Ok::<_, AppError>(tx.forget_retired_objects(before)?)).await?;
        }
        Ok(sum)
    }

    /// Asks once more, in a transaction that lets nobody refer to the object from then on, and removes it.
    async fn remove_unused(&self, object: &Listed, found: ObjectUse) -> Result<bool, AppError> {
        let (name, now) = (object.id.to_string(), self.now());
        let unused = match found {
            ObjectUse::Unknown => {
                // Its row may be about to be written here; with this held, none is, so that the upload need not be refused.
                let _nobody_places = self.placing.write().await;
                self.store().write(move |tx| Ok::<_, AppError>(tx.retire_unknown_object(&name, now)?)).await?
            }
            ObjectUse::Unused => {
                let released = self.store().write(move |tx| Ok::<_, AppError>(tx.release_object(&name, now)?)).await?;
                released.contains(&object.id.to_string())
            }
            _ => true,
        };
        if unused {
            remove_objects(&*self.store, &self.vault, vec![object.id]).await;
        }
        Ok(unused)
    }

    async fn release_unused_sharers(&self) -> Result<(), AppError> {
        loop {
            let now = self.now();
            let (count, free) = self
                .store()
                .write(move |tx| {
                    let mut free = Vec::new();
                    let sharers = tx.unused_sharers(COMPARED_AT_ONCE)?;
                    for object in &sharers {
                        free.extend(tx.release_object(object, now)?);
                    }
                    Ok::<_, AppError>((sharers.len(), free))
                })
                .await?;
            remove_objects(&*self.store, &self.vault, ids(free)).await;
            if count < COMPARED_AT_ONCE as usize {
                return Ok(());
            }
        }
    }
}

/// The vault's names in a form that it takes.
pub(crate) fn ids(objects: Vec<String>) -> Vec<ObjectId> {
    objects.iter().filter_map(|object| object.parse().ok()).collect()
}
