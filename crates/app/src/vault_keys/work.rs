//! Wrapping or encrypting everything anew, in the background: it goes on where it was when the server stopped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sealyard_core::Timestamp;
use sealyard_identity::{Administer, Authorized, ServerWide};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::SEALED_COLUMNS;
use sealyard_vault::{ObjectId, Sealer, Vault, VaultError};
use serde::{Deserialize, Serialize};

use super::VaultStatus;
use crate::tasks::blocking;
use crate::{App, AppError, Caller};

/// Where the catalog keeps how far it came.
const SETTING: &str = "vault-work";
/// Objects between two notes of that.
const AT_ONCE: usize = 32;
/// Rows of a sealed column between two.
const ROWS: u32 = 200;
/// So long a server that does the work has it for itself without writing of it.
const LEASE_SECONDS: i64 = 120;
/// How often is looked whether another server left work undone.
const LOOK: Duration = Duration::from_secs(60);

/// What is done to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VaultWorkKind {
    /// The data keys are wrapped with the newest key; the content stays as it is.
    Rewrap,
    /// The content is encrypted under new data keys.
    Reencrypt,
}

impl VaultWorkKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Rewrap => "rewrap",
            Self::Reencrypt => "reencrypt",
        }
    }
}

/// How far it came.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VaultWork {
    /// What is done.
    pub kind: VaultWorkKind,
    /// The key that all shall be under.
    pub key: String,
    /// Objects that there are to look at.
    pub total: u64,
    /// Those that were looked at.
    pub done: u64,
    /// Those, and sealed values, that were written anew.
    pub changed: u64,
    /// Those that could not be: they are as they were.
    pub failed: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Objects up to this one are done.
    #[serde(default)]
    after: Option<ObjectId>,
    /// Whether the sealed values are.
    #[serde(default)]
    values_done: bool,
    /// Who does it, and until when nobody else takes it over.
    #[serde(default)]
    worker: String,
    #[serde(default)]
    lease: i64,
}

impl App {
    pub(super) async fn vault_work(&self) -> Result<Option<VaultWork>, AppError> {
        let text = self.store().read(|tx| Ok::<_, AppError>(tx.setting(SETTING)?)).await?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| AppError::internal("what is done with the vault's keys can't be read", error))
    }

    /// Begins to put everything under the newest key. It is done in the background; [`App::vault_status`] tells how far it is.
    ///
    /// # Errors
    /// [`AppError::Conflict`] while such work is under way.
    pub async fn begin_vault_work(
        &self,
        caller: &Caller,
        may: &Authorized<Administer, ServerWide>,
        kind: VaultWorkKind,
    ) -> Result<VaultStatus, AppError> {
        let key = self.vault.keyring().newest().to_string();
        let work = VaultWork {
            kind,
            key: key.clone(),
            total: 0,
            done: 0,
            changed: 0,
            failed: 0,
            started: self.now(),
            ended: None,
            after: None,
            values_done: false,
            worker: String::new(),
            lease: 0,
        };
        let text = to_text(&work)?;
        let event = self.event(caller, Outcome::Done, Act::VaultWorkBegun { what: kind.name().to_owned(), key });
        self.store()
            .write(move |tx| {
                let before = tx.setting(SETTING)?.and_then(|text| serde_json::from_str::<VaultWork>(&text).ok());
                if before.is_some_and(|before| before.ended.is_none()) {
                    return Err(AppError::Conflict("the vault's objects are being rewritten already".to_owned()));
                }
                tx.put_setting(SETTING, &text)?;
                Ok(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        self.vault_keys.wake.notify_one();
        self.vault_status(may).await
    }

    /// Does such work for as long as the server runs.
    pub async fn run_vault_work(self: Arc<Self>) {
        let worker = self.rng.hex_id();
        loop {
            match self.do_vault_work(&worker).await {
                Ok(()) => drop(tokio::time::timeout(LOOK, self.vault_keys.wake.notified()).await),
                Err(error) => {
                    tracing::warn!(%error, "the vault's objects could not be rewritten; it will be tried again");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    async fn do_vault_work(&self, worker: &str) -> Result<(), AppError> {
        let Some(mut work) = self.vault_work().await?.filter(|work| work.ended.is_none()) else { return Ok(()) };
        if work.worker != worker && work.lease > self.now().as_millis() {
            return Ok(());
        }
        work.worker = worker.to_owned();
        if !self.note_vault_work(&mut work).await? {
            return Ok(());
        }
        if work.key != self.vault.keyring().newest().to_string() {
            // Rotated again meanwhile: all shall be under that one.
            work.key = self.vault.keyring().newest().to_string();
            (work.after, work.values_done, work.done) = (None, false, 0);
        }
        if !work.values_done {
            self.renew_sealed_values(&mut work).await?;
            work.values_done = true;
        }
        self.load_workspace_keys().await?;
        let vault = Vault::clone(&self.vault);
        let mut objects = BTreeSet::new();
        let all = blocking("the vault could not be listed", move || {
            vault.each_object(&mut |object| {
                objects.insert(object.id);
            })?;
            Ok(objects)
        })
        .await?;
        work.total = all.len() as u64;
        let left: Vec<ObjectId> = all.into_iter().filter(|id| work.after.is_none_or(|after| *id > after)).collect();
        for some in left.chunks(AT_ONCE) {
            self.wait_for_backups().await?;
            let (vault, some, kind) = (Vault::clone(&self.vault), some.to_vec(), work.kind);
            work.after = some.last().copied();
            work.done += some.len() as u64;
            let (changed, failed) =
                blocking("objects could not be rewritten", move || rewrite(&vault, &some, kind)).await?;
            work.changed += changed;
            work.failed += failed;
            if !self.note_vault_work(&mut work).await? {
                return Ok(());
            }
        }
        work.ended = Some(self.now());
        let act = Act::VaultWorkEnded {
            what: work.kind.name().to_owned(),
            key: work.key.clone(),
            changed: work.changed,
            failed: work.failed,
        };
        let outcome = if work.failed == 0 { Outcome::Done } else { Outcome::Failed };
        let (event, text) = (self.event(&Caller::system(), outcome, act), to_text(&work)?);
        self.store()
            .write(move |tx| {
                tx.put_setting(SETTING, &text)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Writes how far it came; false when another server has taken it over.
    async fn note_vault_work(&self, work: &mut VaultWork) -> Result<bool, AppError> {
        work.lease = self.now().plus_seconds(LEASE_SECONDS).as_millis();
        let (text, worker, now) = (to_text(work)?, work.worker.clone(), self.now().as_millis());
        self.store()
            .write(move |tx| {
                let there = tx.setting(SETTING)?.and_then(|text| serde_json::from_str::<VaultWork>(&text).ok());
                if there.is_none_or(|there| there.worker != worker && there.lease > now) {
                    return Ok(false);
                }
                tx.put_setting(SETTING, &text)?;
                Ok::<_, AppError>(true)
            })
            .await
    }

    /// Puts what is sealed in the catalog under the newest key.
    async fn renew_sealed_values(&self, work: &mut VaultWork) -> Result<(), AppError> {
        for column in SEALED_COLUMNS {
            let sealer = self.vault.sealer(column.purpose);
            let mut after = String::new();
            loop {
                let (from, sealer) = (after.clone(), sealer.clone());
                let (last, changed, failed) = self
                    .store()
                    .write(move |tx| {
                        let found = tx.sealed_values(column, &from, ROWS)?;
                        let last = found.last().map(|(row, _)| row.clone());
                        let (mut changed, mut failed) = (0, 0);
                        for (row, old) in found {
                            match renewed(&sealer, column.text, &row, &old) {
                                Ok(None) => {}
                                Ok(Some(new)) => changed += u64::from(tx.replace_sealed(column, &row, &old, &new)?),
                                Err(error) => {
                                    tracing::error!(table = column.table, %row, %error, "a sealed value can't be opened");
                                    failed += 1;
                                }
                            }
                        }
                        Ok::<_, AppError>((last, changed, failed))
                    })
                    .await?;
                work.changed += changed;
                work.failed += failed;
                let Some(last) = last else { break };
                after = last;
            }
        }
        Ok(())
    }
}

fn renewed(sealer: &Sealer, is_text: bool, row: &str, old: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
    if !is_text {
        return sealer.renewed(row, old);
    }
    let sealed = str::from_utf8(old).ok().and_then(Sealer::from_text).ok_or(VaultError::Secret)?;
    Ok(sealer.renewed(row, &sealed)?.map(|new| Sealer::to_text(&new).into_bytes()))
}

/// How many were rewritten, and how many could not be. That the storage does not answer is no answer: it is tried again.
fn rewrite(vault: &Vault, objects: &[ObjectId], kind: VaultWorkKind) -> Result<(u64, u64), AppError> {
    let (mut changed, mut failed) = (0, 0);
    for id in objects {
        let done = match kind {
            VaultWorkKind::Rewrap => vault.rewrap(id),
            VaultWorkKind::Reencrypt => vault.reencrypt(id).map(|()| true),
        };
        match done {
            Ok(done) => changed += u64::from(done),
            // Deleted since it was listed.
            Err(VaultError::Missing { .. }) => {}
            Err(error @ (VaultError::Authentication { .. } | VaultError::UnknownKey { .. })) => {
                tracing::error!(object = %id, %error, "a stored object is not what it should be, and is left as it is");
                failed += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((changed, failed))
}

fn to_text(work: &VaultWork) -> Result<String, AppError> {
    serde_json::to_string(work).map_err(|error| AppError::internal("what is done could not be written", error))
}
