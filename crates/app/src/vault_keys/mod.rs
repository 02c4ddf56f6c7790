//! The vault's keys: which there are, a new one, and what is done to put objects under it.
//!
//! The keys themselves are kept by a [`KeyKeeper`], which is no part of the catalog. So that no key is used without an entry in
//! the ledger, the catalog notes which key and which master key the ledger knows; a difference is written at the start.

mod work;
mod workspaces;

use std::sync::Arc;

use sealyard_identity::{Administer, Authorized, ServerWide};
use sealyard_ledger::{Act, Outcome};
use sealyard_vault::{KeyKeeper, Keyring};
use serde::Serialize;
use tokio::sync::{Mutex, Notify};

pub use work::{VaultWork, VaultWorkKind};

use crate::{App, AppError, Caller};

/// The newest key that the ledger has an entry of.
const KNOWN_KEY: &str = "vault-key";
/// The master key that the ledger has an entry of.
const KNOWN_MASTER: &str = "vault-master";

/// What keeps the keys, and the work that is done with them.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    keeper: Option<Arc<dyn KeyKeeper>>,
    /// One change at a time.
    changing: Mutex<()>,
    wake: Notify,
}

impl Keys {
    pub(crate) fn new(keeper: Arc<dyn KeyKeeper>) -> Self {
        Self { keeper: Some(keeper), ..Self::default() }
    }
}

/// One of the vault's keys.
#[derive(Debug, Clone, Serialize)]
pub struct VaultKey {
    /// Its id.
    pub id: String,
    /// Whether new objects are under it.
    pub newest: bool,
}

/// How the vault's keys stand.
#[derive(Debug, Clone, Serialize)]
pub struct VaultStatus {
    /// What protects them.
    pub master: String,
    /// The keys, the oldest first.
    pub keys: Vec<VaultKey>,
    /// What is being done with them, or was done last.
    pub work: Option<VaultWork>,
}

impl App {
    fn keeper(&self) -> Result<&Arc<dyn KeyKeeper>, AppError> {
        let none =
            || AppError::Conflict("this server does not keep its keys in a way that lets them be changed".into());
        self.vault_keys.keeper.as_ref().ok_or_else(none)
    }

    /// Writes an entry of each key and master key that came into use since the last one.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn note_vault_keys(&self) -> Result<(), AppError> {
        self.note_vault_keys_as(&Caller::system()).await
    }

    async fn note_vault_keys_as(&self, caller: &Caller) -> Result<(), AppError> {
        let Ok(keeper) = self.keeper() else { return Ok(()) };
        let (key, master) = (self.vault.keyring().newest().to_string(), keeper.master());
        let (app, caller) = (self.clone(), caller.clone());
        self.store()
            .write(move |tx| {
                let known = tx.setting(KNOWN_KEY)?;
                let known_master = tx.setting(KNOWN_MASTER)?;
                let mut acts = Vec::new();
                match &known {
                    None => acts.push(Act::VaultKeyCreated { key: key.clone(), master: master.clone() }),
                    Some(previous) if *previous != key => {
                        acts.push(Act::VaultKeyRotated { key: key.clone(), previous: previous.clone() });
                    }
                    Some(_) => {}
                }
                if let Some(previous) = known_master.filter(|known| *known != master) {
                    acts.push(Act::VaultMasterChanged { master: master.clone(), previous });
                }
                for act in acts {
                    tx.record(&app.event(&caller, Outcome::Done, act))?;
                }
                tx.put_setting(KNOWN_KEY, &key)?;
                Ok::<_, AppError>(tx.put_setting(KNOWN_MASTER, &master)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// How the vault's keys stand.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn vault_status(&self, _may: &Authorized<Administer, ServerWide>) -> Result<VaultStatus, AppError> {
        let ring = self.vault.keyring();
        let newest = ring.newest();
        let keys = ring.keys().map(|(id, _)| VaultKey { id: id.to_string(), newest: id == newest }).collect();
        let master = self.keeper().map_or_else(|_| "none".to_owned(), |keeper| keeper.master());
        Ok(VaultStatus { master, keys, work: self.vault_work().await? })
    }

    /// Makes a new key. What is written from now on is under it; all that is there stays readable, and is not touched.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when the new key could not be kept: then the old one wraps on.
    pub async fn rotate_vault_key(
        &self,
        caller: &Caller,
        may: &Authorized<Administer, ServerWide>,
    ) -> Result<VaultStatus, AppError> {
        let keeper = Arc::clone(self.keeper()?);
        let changing = self.vault_keys.changing.lock().await;
        let ring = Keyring::clone(&self.vault.keyring()).with_new_key(&*self.rng);
        if let Err(error) = keeper.save(&ring).await {
            tracing::error!(%error, "the new key of the vault could not be kept");
            return Err(AppError::Conflict(format!("the new key could not be kept, so the old one wraps on: {error}")));
        }
        self.vault.use_keyring(ring);
        // Where this fails, the next start writes it.
        self.note_vault_keys_as(caller).await?;
        drop(changing);
        self.vault_status(may).await
    }
}
