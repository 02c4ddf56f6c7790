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
/// All keys that were the newest once, as the ledger has it, so that none of them becomes the newest again.
const USED_KEYS: &str = "vault-keys-used";
/// The master key that the ledger has an entry of.
const KNOWN_MASTER: &str = "vault-master";

/// What keeps the keys, and the work that is done with them.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    keeper: Option<Arc<dyn KeyKeeper>>,
    /// One change at a time.
    changing: Mutex<()>,
    wake: Notify,
    /// What kept this server from taking over newer keys, so that it is told once.
    trouble: std::sync::Mutex<Option<String>>,
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
    /// [`AppError::Conflict`] when another server made a key that this one lacks, or when an older key is in the newest one's place;
    /// [`AppError::Store`].
    pub async fn note_vault_keys(&self) -> Result<(), AppError> {
        self.note_vault_keys_as(&Caller::system()).await
    }

    async fn note_vault_keys_as(&self, caller: &Caller) -> Result<(), AppError> {
        let Ok(keeper) = self.keeper() else { return Ok(()) };
        let ring = self.vault.keyring();
        let (key, master) = (ring.newest().to_string(), keeper.master());
        let (app, caller) = (self.clone(), caller.clone());
        self.store()
            .write(move |tx| {
                let known = tx.setting(KNOWN_KEY)?;
                let known_master = tx.setting(KNOWN_MASTER)?;
                // Else this would be taken for a change back to an older key.
                if let Some(missing) =
                    known.as_ref().filter(|known| !ring.keys().any(|(id, _)| id.to_string() == **known))
                {
                    return Err(lacks(missing));
                }
                let used = tx.setting(USED_KEYS)?.unwrap_or_default();
                if let Some(newest) = known.as_ref().filter(|known| **known != key)
                    && used.split(' ').any(|used| used == key)
                {
                    return Err(replaced(&key, newest));
                }
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
                // Those before it as well: a catalog of an earlier release knows only the newest.
                let older = ring.keys().map(|(id, _)| id.to_string()).take_while(|id| *id != key);
                let new: Vec<String> =
                    older.chain([key.clone()]).filter(|id| !used.split(' ').any(|used| used == id)).collect();
                if !new.is_empty() {
                    let all = used.split(' ').filter(|used| !used.is_empty()).chain(new.iter().map(String::as_str));
                    tx.put_setting(USED_KEYS, &all.collect::<Vec<_>>().join(" "))?;
                }
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
    /// [`AppError::Conflict`] when the new key could not be kept, or this server lacks one that another made: then the old one wraps on.
    pub async fn rotate_vault_key(
        &self,
        caller: &Caller,
        may: &Authorized<Administer, ServerWide>,
    ) -> Result<VaultStatus, AppError> {
        let keeper = Arc::clone(self.keeper()?);
        let changing = self.vault_keys.changing.lock().await;
        self.take_newer_keys(&keeper).await;
        let ring = self.vault.keyring();
        let known = self.store().read(|tx| Ok::<_, AppError>(tx.setting(KNOWN_KEY)?)).await?;
        // Two servers that each made keys of their own would have no file of all of them.
        if let Some(missing) = known.filter(|known| !ring.keys().any(|(id, _)| id.to_string() == *known)) {
            return Err(lacks(&missing));
        }
        let ring = Keyring::clone(&ring).with_new_key(&*self.rng);
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

    /// Does what other servers on the catalog and the vault did with keys: takes in those that they made, where the file of keys
    /// was brought here, and forgets those of workspaces that they deleted. Call it every second or so.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn follow_vault_keys(&self) -> Result<(), AppError> {
        if let Ok(keeper) = self.keeper() {
            let _one = self.vault_keys.changing.lock().await;
            self.take_newer_keys(keeper).await;
        }
        self.forget_destroyed_workspace_keys().await
    }

    /// What is kept is taken only if nothing that is in use is missing in it: the keys in memory stay as they are else.
    async fn take_newer_keys(&self, keeper: &Arc<dyn KeyKeeper>) {
        let ring = self.vault.keyring();
        let trouble = match keeper.newer(&ring).await {
            Ok(None) => None,
            Ok(Some(kept)) if ring.contains(kept.newest()) && kept.newest() != ring.newest() => Some(format!(
                "the file of the vault's keys has the key {} in the newest one's place, which an older one was: it is not used",
                kept.newest()
            )),
            Ok(Some(kept)) if kept.has_all_of(&ring) => {
                tracing::info!(key = %kept.newest(), "the vault has a new key, which another server made");
                self.vault.use_keyring(kept);
                None
            }
            Ok(Some(kept)) => Some(format!(
                "the file of the vault's keys has the new key {} and lacks some that are in use: it is not used",
                kept.newest()
            )),
            Err(error) => Some(format!("the file of the vault's keys can't be read: {error}")),
        };
        let mut told = self.vault_keys.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(trouble) = trouble.as_ref().filter(|trouble| told.as_ref() != Some(trouble)) {
            tracing::error!("{trouble}");
        }
        *told = trouble;
    }
}

/// A key that is not used any more may be known to somebody: what is written from now on must not be under it.
fn replaced(key: &str, newest: &str) -> AppError {
    AppError::Conflict(format!(
        "the vault's newest key is said to be {key}, which {newest} replaced: the file of keys is an old one, or its lines were put into another order"
    ))
}

fn lacks(key: &str) -> AppError {
    AppError::Conflict(format!(
        "another server made the vault's key {key}, which this one does not have: copy keys/vault.keys, or keys/master.key, from there"
    ))
}
