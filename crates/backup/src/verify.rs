use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::sync::Arc;

use sealyard_core::{Digest, ReadAt, Redacted, Rng};
use sealyard_ledger::{Checkpoint, Entry, VerifierKey, verify};
use sealyard_store::StoreError;
use sealyard_store_sql::{DumpItem, DumpReader};
use sealyard_vault::{Keyring, Listed, ObjectBackend, ObjectId, Staged, Vault, VaultError};
use serde::Serialize;

use crate::columns::Columns;
use crate::hashing::digest_of_file;
use crate::manifest::Manifest;
use crate::store::SnapshotName;
use crate::{BackupError, BackupStore, KeyFiles, RecoveryKey, StoredCopy, list, sealed};

/// Most problems that are listed; a backup with more is no less broken.
pub(crate) const MOST_PROBLEMS: usize = 1000;

/// What an examination found.
#[derive(Debug, Clone, Serialize)]
pub struct BackupReport {
    /// Always the same, for programs.
    pub schema: &'static str,
    /// Whether there is no problem.
    pub ok: bool,
    /// The backup's name.
    pub backup: String,
    /// Its objects.
    pub objects: u64,
    /// Those whose content was decrypted and compared with the catalog's digest.
    pub compared: u64,
    /// Entries of the ledger.
    pub ledger: u64,
    /// What is wrong.
    pub problems: Vec<BackupProblem>,
    /// What is wrong too, and was overruled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overruled: Vec<BackupProblem>,
    /// The objects that are damaged or not there, all of them.
    #[serde(skip)]
    pub damaged: BTreeSet<ObjectId>,
    /// How many problems are not of one object, or of one workspace's key.
    #[serde(skip)]
    pub others: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupProblem {
    /// Its name, such as `backup.object`.
    pub rule: &'static str,
    /// What was found, and of what.
    pub detail: String,
    /// The object, or the key of a workspace, that is damaged: all else can be restored without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damaged: Option<String>,
}

impl BackupReport {
    fn add(&mut self, rule: &'static str, detail: String) {
        self.others += 1;
        self.push(BackupProblem { rule, detail, damaged: None });
    }

    fn add_object(&mut self, rule: &'static str, object: ObjectId, detail: String) {
        self.damaged.insert(object);
        self.push(BackupProblem { rule, detail, damaged: Some(object.to_string()) });
    }

    /// Takes up what was found of the workspaces' keys.
    pub fn add_keys(&mut self, problems: Vec<BackupProblem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    fn push(&mut self, problem: BackupProblem) {
        self.ok = false;
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Overrules what `which` chooses. It stays in the report; says whether there was any.
    pub fn overrule(&mut self, which: impl Fn(&BackupProblem) -> bool) -> bool {
        let (overruled, problems): (Vec<_>, Vec<_>) = self.problems.drain(..).partition(which);
        self.problems = problems;
        self.others -= (overruled.iter().filter(|problem| problem.damaged.is_none()).count() as u64).min(self.others);
        let any = !overruled.is_empty();
        self.overruled.extend(overruled);
        // What was not listed, because there are too many, is only of objects then.
        self.ok = self.problems.is_empty() && self.others == 0;
        any
    }
}

/// A backup whose key was opened and whose manifest is signed.
#[derive(Debug)]
pub struct Opened<'s> {
    pub(crate) store: &'s BackupStore,
    pub(crate) name: SnapshotName,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The key that checks what the ledger signed.
    pub verifier: VerifierKey,
    pub(crate) key: Redacted<[u8; 32]>,
}

impl<'s> Opened<'s> {
    /// Opens a backup, or the newest. `verifier` is the ledger's public key as somebody kept it; without it the backup's own
    /// word is taken.
    ///
    /// # Errors
    /// [`BackupError::Refused`] when the manifest is not signed by that key, or a part is not the one that was signed;
    /// [`BackupError::OtherKey`].
    pub fn open(
        store: &'s BackupStore,
        name: Option<&SnapshotName>,
        recovery: &RecoveryKey,
        verifier: Option<&VerifierKey>,
    ) -> Result<Self, BackupError> {
        let name = match name {
            Some(name) => name.clone(),
            None => store.snapshots()?.pop().ok_or_else(|| BackupError::NoBackups(store.root().to_owned()))?,
        };
        let note = store.manifest(&name)?;
        let verifier = match verifier {
            Some(verifier) => verifier.clone(),
            None => own_verifier(&note)?,
        };
        let manifest = Manifest::open(&note, &verifier)?;
        if manifest.backup != name.to_string() {
            let detail = format!("the manifest is of the backup {:?}", manifest.backup);
            return Err(BackupError::refused("backup.manifest", detail));
        }
        let id = recovery.recipient().to_string();
        let wrapped = manifest.recipients.iter().filter(|wrapped| wrapped.recipient == id);
        let key = wrapped.filter_map(|wrapped| recovery.unwrap(&hex::decode(&wrapped.wrapped).ok()?)).next();
        let key = key.ok_or(BackupError::OtherKey(id))?;
        let opened = Self { store, name, manifest, verifier, key };
        opened.check_parts()?;
        Ok(opened)
    }

    fn check_parts(&self) -> Result<(), BackupError> {
        let parts =
            [("catalog", &self.manifest.catalog), ("objects", &self.manifest.objects), ("keys", &self.manifest.keys)];
        for (name, part) in parts {
            let path = self.store.folder(&self.name).join(name);
            let refused = |what: &str| BackupError::refused("backup.part", format!("{} {what}", path.display()));
            let digest = match digest_of_file(&path, part.size) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(refused("is missing")),
                result => result.map_err(BackupError::io("read", &path))?,
            };
            if digest != Some(part.sha256) {
                return Err(refused("is not the file that the manifest was signed over"));
            }
        }
        Ok(())
    }

    /// The server's files of keys.
    ///
    /// # Errors
    /// [`BackupError::Refused`].
    pub fn keys(&self) -> Result<KeyFiles, BackupError> {
        KeyFiles::read_from(sealed::read(&self.store.folder(&self.name), "keys", &self.key)?)
    }

    /// Shows each line of the list of objects.
    ///
    /// # Errors
    /// [`BackupError::Refused`], and those of `visit`.
    pub fn each_object(&self, visit: &mut dyn FnMut(StoredCopy) -> Result<(), BackupError>) -> Result<(), BackupError> {
        list::each(sealed::read(&self.store.folder(&self.name), "objects", &self.key)?, visit)
    }

    /// The catalog's dump.
    ///
    /// # Errors
    /// [`BackupError::Refused`], [`BackupError::Store`].
    pub fn dump(&self) -> Result<DumpReader<impl io::Read + use<>>, BackupError> {
        Ok(DumpReader::new(sealed::read(&self.store.folder(&self.name), "catalog", &self.key)?)?)
    }

    /// The largest checkpoint of the same log that the store's backups have.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn newest_known(&self) -> Result<Option<String>, BackupError> {
        let mut newest: Option<(u64, String)> = None;
        for name in self.store.snapshots()? {
            let Ok(manifest) = Manifest::open(&self.store.manifest(&name)?, &self.verifier) else { continue };
            let Some(head) = manifest.ledger else { continue };
            let Ok(checkpoint) = Checkpoint::open(&head.checkpoint, &self.verifier) else { continue };
            if newest.as_ref().is_none_or(|(size, _)| *size < checkpoint.size) {
                newest = Some((checkpoint.size, head.checkpoint));
            }
        }
        Ok(newest.map(|(_, note)| note))
    }

    /// Reads everything in it, without writing anything: the ledger with every hash, against the checkpoints that are `known`;
    /// every stored object's bytes; and with the vault's keys every object's content, against the catalog's digest.
    ///
    /// # Errors
    /// [`BackupError`] when it could not be looked at to its end. What is wrong with it stands in the report.
    pub fn verify(
        &self,
        known: &[String],
        ring: Option<Keyring>,
        rng: Arc<dyn Rng>,
        go_on: &mut dyn FnMut(u64),
    ) -> Result<BackupReport, BackupError> {
        let mut report = BackupReport {
            schema: "sealyard.restore/1",
            ok: true,
            backup: self.name.to_string(),
            objects: 0,
            compared: 0,
            ledger: 0,
            problems: Vec::new(),
            overruled: Vec::new(),
            damaged: BTreeSet::new(),
            others: 0,
        };
        let mut wanted = self.verify_catalog(known, &mut report)?;
        let mut copies = Vec::new();
        self.each_object(&mut |copy| {
            let expected = wanted.remove(&copy.object);
            if expected != Some((copy.digest, copy.size)) {
                report.add("backup.catalog", format!("object {} is not as the catalog names it", copy.object));
            }
            copies.push(copy);
            Ok(())
        })?;
        for object in wanted.into_keys() {
            report
                .add("backup.missing", format!("object {object} stands in the catalog but not in the list of objects"));
        }
        let vault = match ring {
            Some(ring) => Some(self.vault(&copies, ring, rng)?),
            None => None,
        };
        for copy in copies {
            go_on(report.objects);
            report.objects += 1;
            if self.verify_object(&copy, &mut report)?
                && let Some((vault, _)) = &vault
            {
                verify_content(vault, &copy, &mut report)?;
            }
        }
        Ok(report)
    }

    /// The ledger in the catalog; gives the objects that the catalog refers to.
    fn verify_catalog(
        &self,
        known: &[String],
        report: &mut BackupReport,
    ) -> Result<BTreeMap<ObjectId, (Digest, u64)>, BackupError> {
        let (mut notes, mut wanted) = (Vec::new(), BTreeMap::new());
        let mut dump = self.dump()?;
        let mut current = Columns::default();
        while let Some(item) = dump.next_item()? {
            match item {
                DumpItem::Table(table) => current = Columns::of(&table),
                DumpItem::Row(row) => match current.table.as_str() {
                    "ledger_checkpoints" => notes.extend(current.text(&row, "note")),
                    "stored_objects" => {
                        let state = current.text(&row, "state").unwrap_or_default();
                        let object = current.text(&row, "object").and_then(|text| text.parse::<ObjectId>().ok());
                        let digest = current.blob(&row, "digest").and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
                        let size = current.integer(&row, "size").and_then(|size| u64::try_from(size).ok());
                        match (object, digest, size) {
                            _ if ["shared", "retired"].contains(&state.as_str()) => {}
                            (Some(object), Some(digest), Some(size)) => {
                                wanted.insert(object, (Digest::from_bytes(digest), size));
                            }
                            _ => report.add("backup.catalog", "a row of a stored object is none".to_owned()),
                        }
                    }
                    _ => {}
                },
            }
        }
        // Of several checkpoints that were kept, the log must continue each.
        for external in known.iter().map(Some).chain(known.is_empty().then_some(None)) {
            let entries = Entries { dump: self.dump()?, columns: Columns::default() };
            let found = verify(entries, &notes, &self.verifier, external.map(String::as_str))?;
            report.ledger = found.size;
            for problem in found.problems {
                if !report.problems.iter().any(|other| other.detail == problem.detail) {
                    report.add(problem.rule, problem.detail);
                }
            }
        }
        if let Some(head) = &self.manifest.ledger
            && head.size != report.ledger
        {
            let detail =
                format!("the manifest names a log of {} entries, but the catalog has {}", head.size, report.ledger);
            report.add("backup.ledger", detail);
        }
        Ok(wanted)
    }

    /// The stored form; says whether its content is worth a look.
    fn verify_object(&self, copy: &StoredCopy, report: &mut BackupReport) -> Result<bool, BackupError> {
        let Some(stored) = copy.stored else {
            let detail = format!("object {} was not there any more when the backup was made", copy.object);
            report.add_object("backup.missing", copy.object, detail);
            return Ok(false);
        };
        let path = self.store.object_path(&stored);
        let digest = match digest_of_file(&path, copy.stored_size) {
            Ok(digest) => digest,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let detail = format!("object {} is missing: {}", copy.object, path.display());
                report.add_object("backup.missing", copy.object, detail);
                return Ok(false);
            }
            Err(error) => return Err(BackupError::io("read", path)(error)),
        };
        if digest != Some(stored) {
            let detail = format!("object {} is not what was copied: {}", copy.object, path.display());
            report.add_object("backup.object", copy.object, detail);
            return Ok(false);
        }
        Ok(true)
    }

    /// A vault that reads from the backup. Its staging area is a temporary folder in which nothing is ever put.
    fn vault(&self, copies: &[StoredCopy], ring: Keyring, rng: Arc<dyn Rng>) -> Result<(Vault, Scratch), BackupError> {
        let places = copies.iter().filter_map(|copy| Some((copy.object, self.store.object_path(&copy.stored?))));
        let marker = format!("sealyard-vault v1\nkey {}\n", ring.newest()).into_bytes();
        let backend = Arc::new(Copies { places: places.collect(), marker });
        let scratch = Scratch(std::env::temp_dir().join(format!("sealyard-verify-{}", rng.hex_id())));
        let vault = Vault::with_backend(&self.store.root().display().to_string(), &scratch.0, backend, ring, rng)?;
        Ok((vault, scratch))
    }
}

/// The key that a manifest names, for who has no other.
fn own_verifier(note: &str) -> Result<VerifierKey, BackupError> {
    let refused = || {
        BackupError::refused(
            "backup.manifest",
            "the manifest names no key that checks it; name one with --verifier-key",
        )
    };
    let named = Manifest::unverified(note)?.ledger.ok_or_else(refused)?.verifier_key;
    named.parse().map_err(|_| refused())
}

fn verify_content(vault: &Vault, copy: &StoredCopy, report: &mut BackupReport) -> Result<(), BackupError> {
    report.compared += 1;
    match vault.open(&copy.object).and_then(|object| Ok((object.size(), object.digest()?))) {
        Ok(found) if found == (copy.size, copy.digest) => Ok(()),
        Ok(_) => {
            let detail = format!("the content of object {} has another digest than the catalog says", copy.object);
            report.add_object("backup.digest", copy.object, detail);
            Ok(())
        }
        Err(error @ (VaultError::Authentication { .. } | VaultError::UnknownKey { .. })) => {
            report.add_object("vault.authentication", copy.object, error.to_string());
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The ledger's entries in a dump.
struct Entries<R> {
    dump: DumpReader<R>,
    columns: Columns,
}

impl<R: io::Read> Iterator for Entries<R> {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.dump.next_item() {
                Ok(Some(DumpItem::Table(table))) => self.columns = Columns::of(&table),
                Ok(Some(DumpItem::Row(row))) if self.columns.table == "ledger_entries" => {
                    let entry = (|| {
                        let index = u64::try_from(self.columns.integer(&row, "position")?).ok()?;
                        let leaf = <[u8; 32]>::try_from(self.columns.blob(&row, "leaf")?).ok()?;
                        let bytes = self.columns.blob(&row, "event")?.to_vec();
                        Some(Entry { index, bytes, leaf: Digest::from_bytes(leaf) })
                    })();
                    return Some(entry.ok_or_else(|| StoreError::Ledger("a row of it is no entry".to_owned())));
                }
                Ok(Some(DumpItem::Row(_))) => {}
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// A folder that goes.
#[derive(Debug)]
struct Scratch(std::path::PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// The copies of a backup as a vault reads them.
#[derive(Debug)]
struct Copies {
    places: BTreeMap<ObjectId, std::path::PathBuf>,
    marker: Vec<u8>,
}

fn only_read<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "a backup is only read"))
}

impl ObjectBackend for Copies {
    fn place(&self, id: &ObjectId) -> String {
        self.places.get(id).map_or_else(|| id.to_string(), |path| path.display().to_string())
    }

    fn put(&self, _: &ObjectId, _: &Staged) -> io::Result<()> {
        only_read()
    }

    fn open(&self, id: &ObjectId) -> io::Result<Box<dyn ReadAt>> {
        let path = self.places.get(id).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(File::open(path)?))
    }

    fn head(&self, _: &ObjectId) -> io::Result<Option<Listed>> {
        only_read()
    }

    fn list(&self, _: &mut dyn FnMut(Listed) -> io::Result<()>) -> io::Result<usize> {
        only_read()
    }

    fn delete(&self, _: &ObjectId) -> io::Result<bool> {
        only_read()
    }

    fn marker(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(Some(self.marker.clone()))
    }

    fn write_marker(&self, _: &[u8]) -> io::Result<()> {
        only_read()
    }
}
