use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_core::{Rng, durable};

use crate::error::VaultError;
use crate::header::HEADER;
use crate::keyring::{KeyId, Keyring};
use crate::object::{Object, read_header};
use crate::object_id::ObjectId;
use crate::pending::{PendingFile, PendingObject, SealedObject};

/// Says what the directory is and which key it belongs to, so that a lost or wrong key file is noticed at the start
/// and not when the first object can't be read.
const MARKER: &str = "VAULT";
const FIRST_LINE: &str = "sealyard-vault v1";

/// A directory of encrypted objects. Cheap to clone; all clones are the same vault.
#[derive(Debug, Clone)]
pub struct Vault {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    directory: PathBuf,
    pub(crate) keyring: Keyring,
    pub(crate) rng: Arc<dyn Rng>,
}

impl Inner {
    pub(crate) fn pending_directory(&self) -> PathBuf {
        self.directory.join("pending")
    }

    pub(crate) fn objects_directory(&self) -> PathBuf {
        self.directory.join("objects")
    }

    /// A name of its own for each file, never the object's id: two that restore the same object at once must not write
    /// to, or commit, each other's file.
    pub(crate) fn pending_file(&self) -> Result<PendingFile, VaultError> {
        PendingFile::create(self.pending_directory().join(self.rng.hex_id()))
    }

    fn object(&self, id: &ObjectId) -> PathBuf {
        let name = id.to_string();
        self.objects_directory().join(name.get(..2).unwrap_or_default()).join(name)
    }

    /// Puts a finished pending file in its place; on the disk when this returns.
    fn place(&self, target: &PendingFile, id: &ObjectId) -> Result<(), VaultError> {
        let path = self.object(id);
        let shard = path.parent().unwrap_or(&path);
        let placed = make_directory(shard).and_then(|()| fs::rename(&target.path, &path));
        placed.map_err(target.failed("move into place"))?;
        target.keep();
        durable::sync_parent(&path).and_then(|()| durable::sync_parent(&target.path)).map_err(|source| VaultError::Io {
            act: "sync",
            path,
            source,
        })
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    durable::create_private_directory(path)?;
    durable::sync_parent(path)
}

impl Vault {
    /// Opens the vault in `directory`, which is made when it is missing. Call [`Self::sweep`] next.
    ///
    /// # Errors
    /// [`VaultError::ForeignKeyring`] when the vault was made with a key that `keyring` does not have;
    /// [`VaultError::UnknownFormat`] when it is of another version; any error of the disk.
    pub fn open_or_create(directory: &Path, keyring: Keyring, rng: Arc<dyn Rng>) -> Result<Self, VaultError> {
        let inner = Arc::new(Inner { directory: directory.to_owned(), keyring, rng });
        for path in [directory.to_owned(), inner.objects_directory(), inner.pending_directory()] {
            durable::create_private_directory(&path).map_err(|source| VaultError::Io {
                act: "create the directory",
                path,
                source,
            })?;
        }
        let marker = directory.join(MARKER);
        let failed = |act| move |source| VaultError::Io { act, path: directory.join(MARKER), source };
        let text = match File::open(&marker) {
            Ok(file) => {
                let mut text = Vec::new();
                file.take(1024).read_to_end(&mut text).map_err(failed("read"))?;
                text
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = format!("{FIRST_LINE}\nkey {}\n", inner.keyring.newest()).into_bytes();
                durable::write(&marker, &text, 0o600).map_err(failed("write"))?;
                text
            }
            Err(source) => return Err(failed("read")(source)),
        };
        let key = str::from_utf8(&text)
            .ok()
            .and_then(|text| text.strip_prefix(FIRST_LINE)?.strip_prefix("\nkey ")?.strip_suffix('\n'))
            .and_then(KeyId::from_text)
            .ok_or_else(|| VaultError::UnknownFormat { directory: directory.to_owned() })?;
        if !inner.keyring.contains(key) {
            return Err(VaultError::ForeignKeyring { directory: directory.to_owned(), key });
        }
        Ok(Self { inner })
    }

    /// Begins a new object.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn begin(&self) -> Result<PendingObject, VaultError> {
        PendingObject::new(Arc::clone(&self.inner), ObjectId::random(&*self.inner.rng))
    }

    /// Begins an object under an id that is already known, to restore a backup or to move objects between vaults.
    ///
    /// The vault proves that an object is what *some* holder of the key wrote under this id, not that it is the first.
    /// A properly re-encrypted file under the same id must be caught by the digest checks above, not here.
    ///
    /// # Errors
    /// [`VaultError::Exists`] when there is such an object; any error of the disk.
    pub fn begin_with_id(&self, id: ObjectId) -> Result<PendingObject, VaultError> {
        if self.contains(&id) {
            return Err(VaultError::Exists { id });
        }
        PendingObject::new(Arc::clone(&self.inner), id)
    }

    /// Opens a sealed object that is not committed yet, for those who check it first.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_sealed(&self, sealed: &SealedObject) -> Result<Object, VaultError> {
        if sealed.target.is_kept() {
            return self.open(&sealed.id);
        }
        Object::open(&sealed.target.path, sealed.id, &self.inner.keyring)
    }

    /// Makes a sealed object one of the vault's: when this returns it survives a power cut. Do this before the
    /// transaction that refers to it; if that fails, [`Self::delete`] it.
    ///
    /// # Errors
    /// [`VaultError::Exists`] when there is an object of this id; [`VaultError::Missing`] when it is another vault's;
    /// any error of the disk.
    pub fn commit(&self, sealed: &SealedObject) -> Result<(), VaultError> {
        let id = sealed.id;
        if !Arc::ptr_eq(&self.inner, &sealed.vault) {
            return Err(VaultError::Missing { id });
        }
        // Ids are random: only a restore can meet one that is taken.
        if self.contains(&id) {
            return Err(VaultError::Exists { id });
        }
        self.inner.place(&sealed.target, &id)
    }

    /// Removes a sealed object that is not wanted. Dropping it does the same, but can't say when that fails.
    ///
    /// # Errors
    /// [`VaultError::Exists`] when it was committed: then it is [`Self::delete`] that removes it; any error of the disk.
    pub fn discard(&self, sealed: &SealedObject) -> Result<(), VaultError> {
        if sealed.target.is_kept() {
            return Err(VaultError::Exists { id: sealed.id });
        }
        fs::remove_file(&sealed.target.path).map_err(sealed.target.failed("remove"))
    }

    /// Opens an object. Its header, its size and its last chunk are authentic then; the others are checked as they are
    /// read.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; [`VaultError::Authentication`]; any error of the disk.
    pub fn open(&self, id: &ObjectId) -> Result<Object, VaultError> {
        Object::open(&self.inner.object(id), *id, &self.inner.keyring)
    }

    /// Whether there is such an object, authentic or not.
    #[must_use]
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.inner.object(id).symlink_metadata().is_ok()
    }

    /// Removes an object for good.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; any error of the disk.
    pub fn delete(&self, id: &ObjectId) -> Result<(), VaultError> {
        let path = self.inner.object(id);
        fs::remove_file(&path).and_then(|()| durable::sync_parent(&path)).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing { id: *id },
            _ => VaultError::Io { act: "delete", path, source },
        })
    }

    /// Wraps an object's data key with the newest key; says whether that was needed. The chunks stay as they are.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; [`VaultError::Authentication`]; any error of the disk; the object is as it was then.
    pub fn rewrap(&self, id: &ObjectId) -> Result<bool, VaultError> {
        let path = self.inner.object(id);
        let refused = |reason| VaultError::Authentication { id: *id, reason };
        let mut file = File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing { id: *id },
            _ => VaultError::Io { act: "open", path: path.clone(), source },
        })?;
        let header = read_header(&file).map_err(|source| VaultError::Io { act: "read", path: path.clone(), source })?;
        let header = header.ok_or_else(|| refused("its header is not one"))?;
        if header.key() == self.inner.keyring.newest() {
            return Ok(false);
        }
        let header = header
            .rewrapped(id, &self.inner.keyring, &*self.inner.rng)
            .ok_or_else(|| refused("its header does not belong to it"))?;
        // Written beside and renamed: a header half written would lose the object.
        let target = self.inner.pending_file()?;
        let mut copy = || {
            (&target.file).write_all(&header.to_bytes())?;
            file.seek(SeekFrom::Start(HEADER as u64))?;
            io::copy(&mut file, &mut &target.file)?;
            target.file.sync_all()
        };
        copy().map_err(target.failed("write"))?;
        self.inner.place(&target, id)?;
        Ok(true)
    }
}
