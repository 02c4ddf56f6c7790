//! Backups of a data directory, made while a server has it open or while none has, and restored to a new one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_backup::{
    BackupError, BackupMaking, BackupReport, BackupStore, BackupSummary, CatalogTarget, KeyFiles, Opened, RecipientKey,
    RecoveryKey, SnapshotName, StoreLock, check_vault, open_catalog, restore_objects,
};
use sealyard_core::{Clock, Redacted, Rng, durable};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome, VerifierKey};
use sealyard_master_key::WrappedKeys;
use sealyard_store::backup_hold::{with_hold, without_hold};
use sealyard_store::model::WorkspaceDeletion;
use sealyard_store::{BACKUP_HOLD, Store, StoreError, Transaction};
use sealyard_store_sql::{LedgerReader, PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};
use sealyard_vault::{ArtifactsUrl, ArtifactsUrlError, Keyring, LocalBackend, ObjectBackend};
use tokio::runtime::Handle;

use crate::settings::Settings;
use crate::wiring::open_vault;
use crate::{DataDirectory, ServerError, master_key};

/// So long objects are kept that the catalog gives up, from each time that the backup says that it is still at it.
const HOLD_SECONDS: i64 = 60 * 60;
/// So many damaged objects are named in the ledger.
const MOST_NAMED: usize = 100;
/// It says so again when less than this is left.
const RENEW_SECONDS: i64 = 30 * 60;

/// Is told what is being done, and how far it is.
type Progress = Box<dyn FnMut(&str, u64) + Send>;

/// A backup to be made.
#[derive(Debug)]
pub struct Backup {
    /// The data directory; a server may have it open.
    pub data_directory: PathBuf,
    /// The PostgreSQL database of its catalog, if it is not in the data directory, and its password if that is not in the URL.
    pub database: Option<(Redacted<String>, Option<Redacted<String>>)>,
    /// Where its artifacts are, if not in the data directory.
    pub artifacts: Option<ArtifactsUrl>,
    /// The directory of the backups.
    pub to: PathBuf,
    /// Files of the public halves of recovery keys; without any, `keys/recovery.pub` of the data directory.
    pub recipients: Vec<PathBuf>,
}

fn database_url(named: &(Redacted<String>, Option<Redacted<String>>)) -> Result<PostgresUrl, StoreError> {
    let url = PostgresUrl::parse(named.0.expose())?;
    Ok(match &named.1 {
        Some(password) => url.with_password(password),
        None => url,
    })
}

fn file(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ServerError {
    let path = path.to_owned();
    move |source| ServerError::File { what, path, source }
}

fn recipient(path: &Path) -> Result<RecipientKey, ServerError> {
    let text = std::fs::read_to_string(path).map_err(file("read the recovery key", path))?;
    RecipientKey::from_text(&text).map_err(|_| BackupError::NotAKey(path.display().to_string()).into())
}

impl Backup {
    /// Makes it; `say` is told how many objects are done.
    ///
    /// # Errors
    /// [`ServerError`]; then there is nothing that looks like a backup.
    pub async fn run(
        self,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        say: Box<dyn FnMut(u64) + Send>,
    ) -> Result<BackupSummary, ServerError> {
        let keys = self.data_directory.join("keys");
        let recipients = self.recipients()?;
        let store = self.catalog(&clock).await?;
        let objects = self.objects()?;
        let origin_file = keys.join("ledger.origin");
        let origin = std::fs::read_to_string(&origin_file).map_err(file("read", &origin_file))?;
        let ledger_key = LedgerKey::open(&keys.join("ledger.key"), origin.trim())
            .map_err(|error| ServerError::Key(error.to_string()))?;
        let master_key = match WrappedKeys::read(&keys.join("vault.keys"))? {
            Some(wrapped) => wrapped.master().to_owned(),
            None => "file".to_owned(),
        };
        // Before the hold: a backup that can't begin does nothing to one that is being made.
        let to = self.to.clone();
        let locked = tokio::task::spawn_blocking(move || {
            let store = BackupStore::open_or_create(&to)?;
            let lock = store.lock()?;
            Ok::<_, BackupError>((store, lock))
        });
        let locked = locked.await.map_err(|_| StoreError::Stopped)??;
        let name = BackupMaking::new_name(&*clock, &*rng);
        let shown: Vec<String> = recipients.iter().map(ToString::to_string).collect();
        // On record before anything leaves, and held before the catalog is looked at.
        let hold = Hold { store: Arc::clone(&store), clock: Arc::clone(&clock), name: name.to_string(), until: 0 };
        let begun = event(&*clock, Act::BackupBegun { backup: name.to_string(), recipients: shown });
        let until = hold.next();
        let (own, now) = (name.to_string(), clock.now().as_millis());
        store
            .write(move |tx| {
                let held = tx.setting(BACKUP_HOLD)?.unwrap_or_default();
                tx.put_setting(BACKUP_HOLD, &with_hold(&held, &own, until, now))?;
                tx.record(&begun)
            })
            .await?;
        let hold = Hold { until, ..hold };
        let own = name.to_string();
        let made = self
            .make(locked, objects, recipients, ledger_key, master_key, name, hold, (Arc::clone(&clock), rng), say)
            .await;
        let act = match &made {
            Ok(sum) => Some(Act::BackupMade {
                backup: sum.backup.clone(),
                objects: sum.objects,
                missing: sum.missing.len() as u64,
            }),
            Err(_) => None,
        };
        let ended = act.map(|act| event(&*clock, act));
        let over = store
            .write(move |tx| {
                let held = tx.setting(BACKUP_HOLD)?.unwrap_or_default();
                tx.put_setting(BACKUP_HOLD, &without_hold(&held, &own))?;
                ended.as_ref().map_or(Ok(()), |ended| tx.record(ended))
            })
            .await;
        let made = made?;
        over?;
        Ok(made)
    }

    #[allow(clippy::too_many_arguments, reason = "each is a part of the one thing that is made")]
    async fn make(
        self,
        (store, lock): (BackupStore, StoreLock),
        objects: Arc<dyn ObjectBackend>,
        recipients: Vec<RecipientKey>,
        ledger_key: LedgerKey,
        master_key: String,
        name: SnapshotName,
        mut hold: Hold,
        (clock, rng): (Arc<dyn Clock>, Arc<dyn Rng>),
        mut say: Box<dyn FnMut(u64) + Send>,
    ) -> Result<BackupSummary, ServerError> {
        let runtime = Handle::current();
        let work = move || {
            let catalog = match &self.database {
                Some(named) => LedgerReader::connect(&database_url(named)?)?,
                None => LedgerReader::open(&DataDirectory::catalog_in(&self.data_directory))?,
            };
            let place = std::path::absolute(&self.to).unwrap_or(self.to);
            let memory = sealyard_core::Digest::of(place.as_os_str().as_encoded_bytes()).to_hex();
            let memory = self.data_directory.join(format!("backup-{}.copied", memory.get(..16).unwrap_or_default()));
            let making = BackupMaking {
                store: &store,
                lock,
                name,
                catalog,
                objects,
                keys: self.data_directory.join("keys"),
                ledger_key,
                recipients,
                master_key,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                memory,
                clock,
                rng,
            };
            making.run(&mut |done| {
                say(done);
                runtime.block_on(hold.go_on())
            })
        };
        let made = tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)?;
        Ok(made?)
    }

    fn recipients(&self) -> Result<Vec<RecipientKey>, ServerError> {
        let own = self.data_directory.join("keys").join("recovery.pub");
        let files = match self.recipients.as_slice() {
            [] if own.exists() => vec![own],
            [] => return Err(BackupError::NoRecipient.into()),
            files => files.to_vec(),
        };
        files.iter().map(|path| recipient(path)).collect()
    }

    fn objects(&self) -> Result<Arc<dyn ObjectBackend>, ServerError> {
        let local = |path: &Path| LocalBackend::open_or_create(path).map_err(file("open", path));
        Ok(match &self.artifacts {
            None => Arc::new(local(&self.data_directory.join("vault"))?),
            Some(ArtifactsUrl::Directory(path)) => Arc::new(local(path)?),
            Some(url) => {
                let backend = url.clone().remote(Handle::current())?;
                Arc::new(backend.ok_or_else(|| ArtifactsUrlError::Malformed(url.to_string()))?)
            }
        })
    }

    /// The catalog to write to. It must have this release's schema already: a backup changes nothing of it.
    async fn catalog(&self, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Store>, ServerError> {
        let (database, directory, clock) = (self.database.clone(), self.data_directory.clone(), Arc::clone(clock));
        let opened = tokio::task::spawn_blocking(move || {
            let path = DataDirectory::catalog_in(&directory);
            let note = DataDirectory::database_note_in(&directory);
            let schema = match &database {
                Some(named) => LedgerReader::connect(&database_url(named)?)?.schema()?,
                None if note.exists() => {
                    let there = std::fs::read_to_string(&note).unwrap_or_default();
                    return Err(ServerError::DatabaseNotNamed(there.trim().to_owned()));
                }
                None if !path.exists() => return Err(ServerError::NoDataDirectory(directory)),
                None => LedgerReader::open(&path)?.schema()?,
            };
            if schema != LedgerReader::known_schema() {
                return Err(ServerError::OtherSchema);
            }
            let store: Arc<dyn Store> = match &database {
                Some(named) => Arc::new(PostgresStore::open(&database_url(named)?, PostgresOptions::new(clock))?),
                None => Arc::new(SqliteStore::open(&path, SqliteOptions::new(clock))?),
            };
            Ok(store)
        });
        opened.await.map_err(|_| StoreError::Stopped)?
    }
}

fn event(clock: &dyn Clock, act: Act) -> Event {
    Event {
        time: clock.now(),
        actor: "system".to_owned(),
        source: None,
        request_id: None,
        in_workspace: None,
        outcome: Outcome::Done,
        act,
    }
}

/// Deletes a workspace that shall not come back, with the key that it has in the backup.
async fn leave_out(store: &dyn Store, clock: &dyn Clock, name: String) -> Result<(), ServerError> {
    let deleted = event(clock, Act::WorkspaceDeleted { name: name.clone(), mode: "cascade".to_owned() });
    let moment = clock.now();
    store
        .write(move |tx| {
            let missing = || StoreError::NotFound { kind: "workspace", id: name.clone() };
            let number = tx.workspace_named(&name)?.ok_or_else(missing)?.number;
            tx.delete_workspace(&name, WorkspaceDeletion::Cascade)?;
            tx.record(&deleted)?;
            if let Some(key) = tx.destroy_workspace_key(number)? {
                let act = Act::WorkspaceKeyDestroyed { workspace: name.clone(), key };
                tx.record(&Event { time: moment, act, ..deleted })?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(())
}

/// Keeps objects from being removed.
struct Hold {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    name: String,
    until: i64,
}

impl Hold {
    fn next(&self) -> i64 {
        self.clock.now().plus_seconds(HOLD_SECONDS).as_millis()
    }

    async fn go_on(&mut self) -> Result<(), BackupError> {
        if self.until > self.clock.now().plus_seconds(RENEW_SECONDS).as_millis() {
            return Ok(());
        }
        let (until, now, name) = (self.next(), self.clock.now().as_millis(), self.name.clone());
        let renew = move |tx: &mut dyn Transaction| -> Result<(), StoreError> {
            let held = tx.setting(BACKUP_HOLD)?.unwrap_or_default();
            tx.put_setting(BACKUP_HOLD, &with_hold(&held, &name, until, now))
        };
        self.store.write(renew).await?;
        self.until = until;
        Ok(())
    }
}

/// A backup to be restored, or only looked at.
#[derive(Debug)]
pub struct Restore {
    /// The directory of the backups.
    pub from: PathBuf,
    /// Which one; the newest by default.
    pub backup: Option<String>,
    /// The file of a recovery key.
    pub recovery_key: PathBuf,
    /// The ledger's public key, as somebody kept it.
    pub verifier_key: Option<String>,
    /// A checkpoint of the ledger, as somebody kept it.
    pub checkpoint: Option<String>,
    /// Restore although another backup, or the checkpoint, is known to be younger.
    pub force_older: bool,
    /// Restore what is whole, without what is damaged.
    pub without_damaged: bool,
    /// The settings of the server, where they say what protects the vault's keys.
    pub settings: Settings,
    /// The master key of the environment.
    pub master_key: Option<Redacted<String>>,
}

/// Where a backup is restored to.
#[derive(Debug)]
pub struct RestoreTo {
    /// The new data directory: there must be nothing at its place, or an empty folder.
    pub data_directory: PathBuf,
    /// An empty PostgreSQL database for the catalog, and its password if that is not in the URL.
    pub database: Option<(Redacted<String>, Option<Redacted<String>>)>,
    /// Where artifacts go, if not into the data directory.
    pub artifacts: Option<ArtifactsUrl>,
    /// Workspaces that are not restored: they were deleted for good since the backup was made.
    pub without: Vec<String>,
}

impl Restore {
    /// Looks at everything in the backup and, when nothing is wrong with it and there is a place, restores it. The report says
    /// what is wrong; nothing is restored then.
    ///
    /// # Errors
    /// [`ServerError`] when it could not be looked at or restored to the end.
    pub async fn run(
        self,
        to: Option<RestoreTo>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        mut say: Progress,
    ) -> Result<BackupReport, ServerError> {
        if let Some(to) = &to {
            to.check()?;
        }
        let text = durable::read_private(&self.recovery_key).map_err(file("read", &self.recovery_key))?;
        let not_a_key = || BackupError::NotAKey(self.recovery_key.display().to_string());
        let text = text.ok_or_else(not_a_key)?;
        let recovery =
            RecoveryKey::from_text(str::from_utf8(&text).map_err(|_| not_a_key())?).map_err(|_| not_a_key())?;
        let verifier: Option<VerifierKey> = self
            .verifier_key
            .as_deref()
            .map(|text| text.trim().parse())
            .transpose()
            .map_err(|error| ServerError::Key(format!("the ledger's public key can't be read: {error}")))?;
        let store = Arc::new(BackupStore::open(&self.from)?);
        let name = self.backup.as_deref().map(SnapshotName::parse).transpose()?;
        let ring = {
            let opened = Opened::open(&store, name.as_ref(), &recovery, verifier.as_ref())?;
            // A name that was mistyped is not found out after all has been copied.
            let without = to.as_ref().map_or(&[][..], |to| &to.without);
            if !without.is_empty()
                && let Some(id) = opened.unknown_workspaces(without)?.pop()
            {
                return Err(StoreError::NotFound { kind: "workspace", id }.into());
            }
            let ring = self.ring(&opened.keys()?, &clock, &rng).await?;
            opened.with_workspace_keys(ring)?
        };
        let (ring, key_problems) = ring;
        let verifying = (Arc::clone(&store), ring.clone(), Arc::clone(&rng));
        let (kept, forced, without_damaged) = (self.checkpoint.clone(), self.force_older, self.without_damaged);
        let work = move || {
            let (store, ring, rng) = verifying;
            let opened = Opened::open(&store, name.as_ref(), &recovery, verifier.as_ref())?;
            let known: Vec<String> = kept.into_iter().chain(opened.newest_known()?).collect();
            let mut go_on = |done| say("looked at", done);
            let mut report = opened.verify(&known, Some(ring.clone()), Arc::clone(&rng), &mut go_on)?;
            report.add_keys(key_problems);
            // What is overruled is written into the restored ledger. That a log was rewritten is never overruled.
            let overruled = forced && report.overrule(|problem| problem.rule == "ledger.rollback");
            if without_damaged && report.others == 0 {
                report.overrule(|problem| problem.damaged.is_some());
            }
            let backup = report.backup.clone();
            Ok::<_, BackupError>((report, overruled, (recovery, verifier, SnapshotName::parse(&backup)?), say))
        };
        let looked = tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)?;
        let (report, overruled, (recovery, verifier, name), say) = looked?;
        if let Some(to) = to
            && report.ok
        {
            let opened = OpenedBackup { store, recovery, verifier, name };
            to.fill(opened, ring, (overruled, &report), (clock, rng), say).await?;
        }
        Ok(report)
    }

    /// The vault's keys: they are in the backup, plain within what the recovery key opens, or wrapped by a master key.
    async fn ring(&self, keys: &KeyFiles, clock: &Arc<dyn Clock>, rng: &Arc<dyn Rng>) -> Result<Keyring, ServerError> {
        if let Some(wrapped) = keys.get("vault.keys") {
            let wrapped = WrappedKeys::parse(Path::new("keys/vault.keys"), wrapped.expose())?;
            let master =
                master_key::named(&self.settings, self.master_key.as_ref(), Arc::clone(clock), Arc::clone(rng))?;
            let master = master.ok_or_else(|| ServerError::MasterKeyNotNamed(wrapped.master().to_owned()))?;
            return Ok(wrapped.unwrap(&*master).await?);
        }
        let text =
            keys.text("master.key").ok_or_else(|| ServerError::Key("the backup has no key of a vault".to_owned()))?;
        Keyring::from_text(text).map_err(ServerError::Key)
    }
}

struct OpenedBackup {
    store: Arc<BackupStore>,
    recovery: RecoveryKey,
    verifier: Option<VerifierKey>,
    name: SnapshotName,
}

impl RestoreTo {
    fn check(&self) -> Result<(), ServerError> {
        let path = &self.data_directory;
        match std::fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                None => Ok(()),
                Some(_) => Err(ServerError::NotEmpty(path.clone())),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(file("look into", path)(error)),
        }
    }

    /// Everything goes into a folder beside, which gets the directory's name at the end: what was interrupted is no data
    /// directory.
    async fn fill(
        self,
        backup: OpenedBackup,
        ring: Keyring,
        (forced, report): (bool, &BackupReport),
        (clock, rng): (Arc<dyn Clock>, Arc<dyn Rng>),
        mut say: Progress,
    ) -> Result<(), ServerError> {
        let absolute = std::path::absolute(&self.data_directory).map_err(file("find", &self.data_directory))?;
        let mut beside = absolute.clone().into_os_string();
        beside.push(".restoring");
        let beside = PathBuf::from(beside);
        if beside.symlink_metadata().is_ok() {
            // Of a restore that was stopped, by its look; one that goes on has its lock, and anything else is somebody's.
            let is_left = beside.join("keys").is_dir() && beside.join("lock").is_file();
            let is_empty = std::fs::read_dir(&beside).map_err(file("look into", &beside))?.next().is_none();
            if !is_left && !is_empty {
                return Err(ServerError::NotEmpty(beside));
            }
            let _lock = DataDirectory::open(&beside)?;
            std::fs::remove_dir_all(&beside).map_err(file("remove", &beside))?;
        }
        let directory = DataDirectory::open(&beside)?;
        let vault = open_vault(&directory, self.artifacts.clone(), ring, Arc::clone(&rng)).await?;
        let (database, keys, catalog) = (self.database.clone(), directory.keys(), directory.catalog());
        let name = backup.name.clone();
        let moment = Arc::clone(&clock);
        let damaged = report.damaged.clone();
        let mut lacking: Vec<String> = damaged.iter().map(ToString::to_string).collect();
        let keys_lacking = report.overruled.iter().filter(|problem| problem.rule == "backup.workspace-key");
        lacking.extend(keys_lacking.filter_map(|problem| problem.damaged.clone()));
        let work = move || {
            let opened = Opened::open(&backup.store, Some(&backup.name), &backup.recovery, backup.verifier.as_ref())?;
            check_vault(&opened, &vault)?;
            opened.keys()?.write(&keys)?;
            restore_objects(&opened, &vault, &damaged, &mut |done| say("restored", done))?;
            let url = database.as_ref().map(database_url).transpose()?;
            let target = url.as_ref().map_or(CatalogTarget::Sqlite(&catalog), CatalogTarget::Postgres);
            open_catalog(&opened, &target)?;
            let store: Arc<dyn Store> = match &url {
                Some(url) => Arc::new(PostgresStore::open(url, PostgresOptions::new(moment))?),
                None => Arc::new(SqliteStore::open(&catalog, SqliteOptions::new(moment))?),
            };
            Ok::<_, BackupError>((store, url))
        };
        let (store, url) = tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)??;
        let restored = event(&*clock, {
            let damaged_count = lacking.len() as u64;
            lacking.truncate(MOST_NAMED);
            Act::BackupRestored { backup: name.to_string(), forced, damaged: lacking, damaged_count }
        });
        store.write(move |tx| tx.record(&restored)).await?;
        for name in self.without {
            leave_out(&*store, &*clock, name).await?;
        }
        drop(store);
        if let Some(url) = url {
            let note = DataDirectory::database_note_in(directory.root());
            durable::write(&note, format!("{url}\n").as_bytes(), 0o600).map_err(file("write", &note))?;
        }
        match std::fs::remove_dir(&absolute) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file("replace", &absolute)(error));
            }
            _ => {}
        }
        std::fs::rename(&beside, &absolute).map_err(file("write", &absolute))?;
        durable::sync_parent(&absolute).map_err(file("write", &absolute))
    }
}
