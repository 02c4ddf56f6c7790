//! The keys of workspaces: each but the default one has its own, and what is uploaded in it is under that.
//!
//! A key is random, and kept in the catalog alone, sealed by the vault. Deleting a workspace for good destroys it, in the
//! transaction that deletes the rest: then whoever has the disk, the bucket and every key of the vault can't read what was in it.

use sealyard_core::Redacted;
use sealyard_ledger::{Act, Outcome};
use sealyard_store::{StoreError, WorkspaceKey};
use sealyard_vault::{KeyId, VaultError};

use crate::{App, AppError, Caller};

const PURPOSE: &str = "workspace-key";

impl App {
    /// Takes in the keys of all workspaces: those of other servers may have come since. While one of them is not as it was written,
    /// or was put back after it had been destroyed, none is taken in, which is told as damage.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn load_workspace_keys(&self) -> Result<(), AppError> {
        match self.all_workspace_keys().await {
            Ok(keys) => keys.iter().for_each(|key| {
                if let Err(error) = self.take_workspace_key(key) {
                    tracing::error!(workspace = key.workspace, %error, "the key of a workspace can't be opened");
                }
            }),
            Err(error @ StoreError::Damaged { .. }) => {
                tracing::error!(%error, "no key of a workspace is taken in; hint: sealyard doctor");
            }
            Err(error) => return Err(error.into()),
        }
        // One that was destroyed while this looked was taken in after it had been forgotten.
        self.forget_destroyed_workspace_keys().await
    }

    async fn all_workspace_keys(&self) -> Result<Vec<WorkspaceKey>, StoreError> {
        let read = || self.store().read_short(|tx| tx.workspace_keys());
        match read().await {
            // Another server's change in the moment in which this began to read is seen by the next look.
            Err(StoreError::Damaged { .. }) => read().await,
            outcome => outcome,
        }
    }

    /// Forgets the keys of workspaces that another server destroyed.
    pub(crate) async fn forget_destroyed_workspace_keys(&self) -> Result<(), AppError> {
        // Looked up before the catalog is: what comes in meanwhile is of a row that this read may not see.
        let held: Vec<KeyId> = self.vault.keyring().scoped().collect();
        if held.is_empty() {
            return Ok(());
        }
        // Not only while all is well: one row too many must not keep every destroyed key in memory.
        let kept = self.store().read_short(|tx| Ok::<_, AppError>(tx.intact_workspace_keys()?)).await?;
        for id in held {
            let text = id.to_string();
            if !kept.iter().any(|key| key.key == text) {
                tracing::info!(key = %id, "the key of a workspace was destroyed by another server, and is forgotten here");
                self.vault.forget_scoped_key(id);
            }
        }
        Ok(())
    }

    fn held(&self, key: &WorkspaceKey) -> Option<KeyId> {
        KeyId::from_text(&key.key).filter(|id| self.vault.keyring().is_scoped(*id))
    }

    fn take_workspace_key(&self, key: &WorkspaceKey) -> Result<KeyId, AppError> {
        if let Some(id) = self.held(key) {
            return Ok(id);
        }
        let bytes = self.vault.sealer(PURPOSE).open(&key.key, &key.sealed)?;
        let bytes: [u8; 32] = bytes.expose().as_slice().try_into().map_err(|_| VaultError::Secret)?;
        let id = self.vault.add_scoped_key(Redacted::new(bytes));
        // It is named in the row, which the seal is bound to.
        if id.to_string() == key.key { Ok(id) } else { Err(VaultError::Secret.into()) }
    }

    /// The key of the workspace with this number, which is made when it has none.
    pub(crate) async fn key_of_workspace(&self, name: &str, number: i64) -> Result<KeyId, AppError> {
        let found = self.store().read_short(move |tx| Ok::<_, AppError>(tx.workspace_key(number)?)).await?;
        if let Some(key) = found {
            if let Some(id) = self.held(&key) {
                return Ok(id);
            }
            // A key that was put back is told by all of them together, and only what was looked at together is taken.
            let all = self.all_workspace_keys().await?;
            let key = all.iter().find(|key| key.workspace == number).ok_or_else(|| crate::workspaces::missing(name))?;
            let id = self.take_workspace_key(key)?;
            self.forget_destroyed_workspace_keys().await?;
            return self.held(key).map(|_| id).ok_or_else(|| crate::workspaces::missing(name));
        }
        let bytes = Redacted::new(self.rng.bytes::<32>());
        let id = KeyId::of(bytes.expose()).to_string();
        let sealed = self.vault.sealer(PURPOSE).seal(&id, bytes.expose())?;
        let act = Act::WorkspaceKeyCreated { workspace: name.to_owned(), key: id.clone() };
        let (event, now) = (self.event(&Caller::system(), Outcome::Done, act), self.now());
        let name = name.to_owned();
        let key = self
            .store()
            .write(move |tx| {
                // Another server may have deleted it since its name was looked up.
                if tx.workspace_named(&name)?.is_none_or(|workspace| workspace.number != number) {
                    return Err(crate::workspaces::missing(&name));
                }
                let new = WorkspaceKey { workspace: number, key: id, sealed };
                let kept = tx.put_workspace_key(&new, now)?;
                if kept == new {
                    tx.record(&event)?;
                }
                Ok::<_, AppError>(kept)
            })
            .await?;
        self.sequencer.notify();
        self.take_workspace_key(&key)
    }
}
