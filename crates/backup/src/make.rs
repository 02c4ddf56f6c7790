use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use sealyard_core::{Clock, Digest, ReadAt, Redacted, Rng, durable};
use sealyard_ledger::{Checkpoint, LedgerKey};
use sealyard_store_sql::LedgerReader;
use sealyard_vault::{ObjectBackend, ObjectId};
use serde::Serialize;

use crate::list::{Known, StoredCopy, write_line};
use crate::manifest::{LedgerHead, Manifest, WrappedFor};
use crate::store::{SnapshotName, StoreLock};
use crate::{BackupError, BackupStore, KeyFiles, RecipientKey, sealed};

/// Bytes of a stored object that tell it from what it is when it is wrapped or encrypted anew: its header.
const HEAD: usize = 87;
/// In so many backups each copy is read again once, give or take.
const PARTS: u8 = 16;
/// Objects between two calls of what keeps the hold.
const AT_ONCE: u64 = 200;

/// What is needed to make a backup.
pub struct BackupMaking<'b> {
    /// Where to.
    pub store: &'b BackupStore,
    /// That nobody else has it.
    pub lock: StoreLock,
    /// The backup's name.
    pub name: SnapshotName,
    /// The catalog at one moment.
    pub catalog: LedgerReader,
    /// The stored objects.
    pub objects: Arc<dyn ObjectBackend>,
    /// The server's folder of keys.
    pub keys: PathBuf,
    /// The ledger's key, which signs.
    pub ledger_key: LedgerKey,
    /// Who can read it.
    pub recipients: Vec<RecipientKey>,
    /// What protects the vault's keys.
    pub master_key: String,
    /// The release.
    pub version: String,
    /// Where the machine remembers what it copied.
    pub memory: PathBuf,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
}

/// What was made.
#[derive(Debug, Clone, Serialize)]
pub struct BackupSummary {
    /// Always the same, for programs.
    pub schema: &'static str,
    /// The backup's name.
    pub backup: String,
    /// Objects that the catalog refers to.
    pub objects: u64,
    /// What they take, encrypted.
    pub object_bytes: u64,
    /// Those that were not in the store before.
    pub new_objects: u64,
    /// What those take.
    pub new_bytes: u64,
    /// Objects that the catalog refers to and that are not there.
    pub missing: Vec<String>,
    /// Those that are not there either, but whose copy an earlier backup made: this one has it too.
    pub kept: Vec<String>,
    /// Rows of the catalog.
    pub rows: u64,
    /// Entries of the ledger.
    pub ledger: u64,
}

impl std::fmt::Debug for BackupMaking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackupMaking").field("name", &self.name).finish_non_exhaustive()
    }
}

impl BackupMaking<'_> {
    /// A name for a new backup.
    #[must_use]
    pub fn new_name(clock: &dyn Clock, rng: &dyn Rng) -> SnapshotName {
        SnapshotName::new(clock.now(), rng)
    }

    /// Makes it. `go_on` is told how many objects are done, and keeps the objects from being removed meanwhile.
    ///
    /// # Errors
    /// [`BackupError`]; then there is nothing that looks like a backup.
    pub fn run(self, go_on: &mut dyn FnMut(u64) -> Result<(), BackupError>) -> Result<BackupSummary, BackupError> {
        if self.recipients.is_empty() {
            return Err(BackupError::NoRecipient);
        }
        let _lock = self.lock;
        // Before much is read; what is written are those that are there at the end.
        KeyFiles::read(&self.keys)?.check()?;
        let created = self.clock.now();
        let folder = self.store.pending_folder(&self.name);
        durable::create_private_directory(&folder).map_err(BackupError::io("create", &folder))?;
        let key = Redacted::new(self.rng.bytes::<32>());
        let wrap = |recipient: &RecipientKey| {
            let wrapped =
                recipient.wrap(&key, &*self.rng).ok_or_else(|| BackupError::NotAKey(recipient.to_string()))?;
            Ok(WrappedFor { recipient: recipient.to_string(), wrapped: hex::encode(wrapped) })
        };
        let recipients = self.recipients.iter().map(wrap).collect::<Result<_, BackupError>>()?;

        // The catalog first: it says which objects there must be.
        let (catalog, dump) =
            sealed::write(&folder, "catalog", &key, &*self.rng, |mut out| Ok(self.catalog.dump(&mut out)?))?;
        let mut wanted: Vec<(ObjectId, Digest, u64)> = Vec::new();
        self.catalog.each_stored_object(&mut |object, digest, size| {
            // A name that is none of an object can have no bytes; whoever verifies the catalog finds it.
            if let Ok(id) = object.parse() {
                wanted.push((id, digest, size));
            }
            Ok(())
        })?;
        let ledger = head(&self.catalog, &self.ledger_key)?;
        // The database need not keep that moment any longer.
        drop(self.catalog);

        let mut sum = BackupSummary {
            schema: "sealyard.backup/1",
            backup: self.name.to_string(),
            objects: 0,
            object_bytes: 0,
            new_objects: 0,
            new_bytes: 0,
            missing: Vec::new(),
            kept: Vec::new(),
            rows: dump.rows,
            ledger: ledger.as_ref().map_or(0, |head| head.size),
        };
        let mut known = Known::read(&self.memory);
        let [turn] = self.rng.bytes::<1>();
        let (objects, ()) = sealed::write(&folder, "objects", &key, &*self.rng, |out| {
            for (object, digest, size) in wanted {
                if sum.objects.is_multiple_of(AT_ONCE) {
                    go_on(sum.objects)?;
                }
                let (stored, stored_size) =
                    copy(self.store, &*self.objects, object, &mut known, &mut sum, (turn, &*self.rng))?;
                write_line(out, &StoredCopy { object, digest, size, stored, stored_size })?;
            }
            Ok(())
        })?;
        let files = KeyFiles::read(&self.keys)?;
        files.check()?;
        let (keys, ()) = sealed::write(&folder, "keys", &key, &*self.rng, |out| files.write_to(out))?;

        let manifest = Manifest {
            backup: self.name.to_string(),
            created,
            version: self.version,
            database: dump.header.database,
            schema: dump.header.schema,
            catalog,
            objects,
            keys,
            object_count: sum.objects,
            object_bytes: sum.object_bytes,
            missing: sum.missing.len() as u64,
            recipients,
            ledger,
            master_key: self.master_key,
        };
        let path = folder.join("manifest");
        durable::write(&path, manifest.sign(&self.ledger_key)?.as_bytes(), 0o600)
            .map_err(BackupError::io("write", &path))?;
        let place = self.store.folder(&self.name);
        fs::rename(&folder, &place).map_err(BackupError::io("write", &place))?;
        durable::sync_parent(&place).map_err(BackupError::io("write", &place))?;
        if let Err(error) = known.write(&self.memory) {
            tracing::warn!(%error, "what was copied could not be remembered; the next backup reads it again");
        }
        Ok(sum)
    }
}

fn head(catalog: &LedgerReader, key: &LedgerKey) -> Result<Option<LedgerHead>, BackupError> {
    let Some(newest) = catalog.checkpoints()?.pop() else { return Ok(None) };
    let verifier = key.verifier();
    let checkpoint = Checkpoint::open(&newest.note, &verifier)
        .map_err(|error| BackupError::refused("backup.ledger", format!("the ledger's newest checkpoint: {error}")))?;
    Ok(Some(LedgerHead { size: checkpoint.size, checkpoint: newest.note, verifier_key: verifier.to_string() }))
}

/// Copies an object unless the store has it.
fn copy(
    store: &BackupStore,
    objects: &dyn ObjectBackend,
    object: ObjectId,
    known: &mut Known,
    sum: &mut BackupSummary,
    (turn, rng): (u8, &dyn Rng),
) -> Result<(Option<Digest>, u64), BackupError> {
    sum.objects += 1;
    let failed = |source| BackupError::Io { act: "read", path: objects.place(&object).into(), source };
    let stored = match objects.open(&object) {
        Ok(stored) => stored,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            // What an earlier backup has of it must not get lost because it is gone here.
            if let Some((digest, size)) = known.last(object)
                && store.has_intact(&digest, size)
            {
                sum.object_bytes += size;
                sum.kept.push(object.to_string());
                return Ok((Some(digest), size));
            }
            sum.missing.push(object.to_string());
            return Ok((None, 0));
        }
        Err(error) => return Err(failed(error)),
    };
    let size = stored.size();
    sum.object_bytes += size;
    let mut head = vec![0; HEAD.min(usize::try_from(size).unwrap_or(HEAD))];
    stored.read_exact_at(0, &mut head).map_err(failed)?;
    let head = Digest::of(&head);
    if let Some(digest) = known.copy(object, head, size)
        && if is_looked_at(&digest, turn) { store.has_intact(&digest, size) } else { store.has(&digest, size) }
    {
        return Ok((Some(digest), size));
    }
    let mut from = FromStart { stored: &*stored, at: 0 };
    let (digest, copied, new) = store.put_object(&mut from, rng)?;
    if copied != size {
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    sum.new_objects += u64::from(new);
    sum.new_bytes += if new { size } else { 0 };
    known.insert(object, head, digest, size);
    Ok((Some(digest), size))
}

/// Whether it is a copy's turn to be read again: a part of them each time, so that one that was damaged is found and made anew while
/// the object is there.
fn is_looked_at(digest: &Digest, turn: u8) -> bool {
    digest.as_bytes().first().is_some_and(|first| first % PARTS == turn % PARTS)
}

struct FromStart<'s> {
    stored: &'s dyn ReadAt,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stored.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use sealyard_core::SystemRng;
    use sealyard_vault::{Keyring, LocalBackend, Vault};

    use super::*;

    fn no_sum() -> BackupSummary {
        BackupSummary {
            schema: "",
            backup: String::new(),
            objects: 0,
            object_bytes: 0,
            new_objects: 0,
            new_bytes: 0,
            missing: Vec::new(),
            kept: Vec::new(),
            rows: 0,
            ledger: 0,
        }
    }

    #[test]
    fn what_is_damaged_is_copied_anew_and_what_is_gone_is_taken_from_before() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::open_or_create(&folder.path().join("key"), &SystemRng).unwrap();
        let vault = Vault::open_or_create(&folder.path().join("vault"), keyring, Arc::new(SystemRng)).unwrap();
        let mut pending = vault.begin().unwrap();
        pending.write_all(b"content").unwrap();
        let sealed = pending.seal().unwrap();
        vault.commit(&sealed).unwrap();
        let mut objects = Vec::new();
        vault.each_object(&mut |listed| objects.push(listed.id)).unwrap();
        let id = objects[0];
        let backend = LocalBackend::open_or_create(&folder.path().join("vault")).unwrap();
        let store = BackupStore::open_or_create(&folder.path().join("backups")).unwrap();
        let mut known = Known::default();
        let mut make = |turn: u8| {
            let mut sum = no_sum();
            let copied = copy(&store, &backend, id, &mut known, &mut sum, (turn, &SystemRng)).unwrap();
            (copied, sum)
        };
        let ((stored, size), first) = make(0);
        let (stored, turn) = (stored.unwrap(), stored.unwrap().as_bytes()[0] % PARTS);
        assert_eq!((first.new_objects, first.object_bytes), (1, size));
        // The same length, other bytes: seen when it is its turn.
        let path = store.object_path(&stored);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[90] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert_eq!(make(turn + 1).1.new_objects, 0);
        assert_eq!(fs::read(&path).unwrap(), bad);
        assert_eq!(make(turn).1.new_objects, 1);
        assert_eq!(fs::read(&path).unwrap(), good);
        // Gone from the server, but copied before.
        assert!(backend.delete(&id).unwrap());
        let (copied, sum) = make(0);
        assert_eq!((copied, sum.kept, sum.missing.len()), ((Some(stored), size), vec![id.to_string()], 0));
        fs::write(&path, &bad).unwrap();
        let (copied, sum) = make(turn + 1);
        assert_eq!((copied, sum.kept.len(), sum.missing), ((None, 0), 0, vec![id.to_string()]), "a bad copy is none");
    }
}
