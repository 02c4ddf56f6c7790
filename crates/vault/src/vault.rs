use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use sealyard_core::{ReadAt, Redacted, Rng, durable};

use crate::backend::{Listed, LocalBackend, ObjectBackend, Staged};
use crate::error::VaultError;
use crate::header::HEADER;
use crate::keyring::{KeyId, Keyring};
use crate::object::{Object, read_header};
use crate::object_id::ObjectId;
use crate::pending::{PendingObject, SealedObject, failed};

/// Says what the place is and which key it belongs to, so that a lost or wrong key file is noticed at the start and not
/// when the first object can't be read.
pub(crate) const MARKER: &str = "VAULT";
const FIRST_LINE: &str = "sealyard-vault v1";
/// How much is copied at a time when an object is written anew.
const COPY: usize = 256 * 1024;

/// A store of encrypted objects. Cheap to clone; all clones are the same vault.
#[derive(Debug, Clone)]
pub struct Vault {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    staging: PathBuf,
    pub(crate) backend: Arc<dyn ObjectBackend>,
    keyring: RwLock<Arc<Keyring>>,
    pub(crate) rng: Arc<dyn Rng>,
}

impl Inner {
    pub(crate) fn staging(&self) -> &Path {
        &self.staging
    }

    /// The keys as they are now.
    pub(crate) fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A name of its own for each file, never the object's id: two that restore the same object at once must not write
    /// to, or commit, each other's file.
    pub(crate) fn staged(&self) -> Result<Staged, VaultError> {
        let path = self.staging.join(self.rng.hex_id());
        let place = path.display().to_string();
        Staged::create(path).map_err(|source| VaultError::Io { act: "create", place, source })
    }

    fn failed(&self, act: &'static str, id: ObjectId, source: io::Error) -> VaultError {
        VaultError::of_storage(act, &self.backend.place(&id), id, source)
    }
}

impl Vault {
    /// Opens the vault in `directory`, which is made when it is missing. Call [`Self::sweep`] next.
    ///
    /// # Errors
    /// [`VaultError::ForeignKeyring`] when the vault was made with a key that `keyring` does not have;
    /// [`VaultError::UnknownFormat`] when it is of another version; any error of the disk.
    pub fn open_or_create(directory: &Path, keyring: Keyring, rng: Arc<dyn Rng>) -> Result<Self, VaultError> {
        let failed =
            |source| VaultError::Io { act: "create the directory", place: directory.display().to_string(), source };
        let backend = LocalBackend::open_or_create(directory).map_err(failed)?;
        let name = directory.display().to_string();
        Self::with_backend(&name, &directory.join("pending"), Arc::new(backend), keyring, rng)
    }

    /// Opens the vault whose objects `backend` keeps; `name` is for messages. What is not committed yet lies in `staging`,
    /// encrypted too: a directory of this machine, for a [`LocalBackend`] on its file system.
    ///
    /// # Errors
    /// As [`Self::open_or_create`], and any error of the storage service.
    pub fn with_backend(
        name: &str,
        staging: &Path,
        backend: Arc<dyn ObjectBackend>,
        keyring: Keyring,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, VaultError> {
        durable::create_private_directory(staging).map_err(|source| VaultError::Io {
            act: "create the directory",
            place: staging.display().to_string(),
            source,
        })?;
        let failed = |act| move |source| VaultError::Io { act, place: format!("{name}/{MARKER}"), source };
        let text = match backend.marker().map_err(failed("read"))? {
            Some(text) => text,
            None => {
                let text = format!("{FIRST_LINE}\nkey {}\n", keyring.newest()).into_bytes();
                backend.write_marker(&text).map_err(failed("write"))?;
                // What is there now: another server may have been faster, with other keys.
                backend.marker().map_err(failed("read"))?.unwrap_or_default()
            }
        };
        let key = str::from_utf8(&text)
            .ok()
            .and_then(|text| text.strip_prefix(FIRST_LINE)?.strip_prefix("\nkey ")?.strip_suffix('\n'))
            .and_then(KeyId::from_text)
            .ok_or_else(|| VaultError::UnknownFormat { vault: name.to_owned() })?;
        if !keyring.contains(key) {
            return Err(VaultError::ForeignKeyring { vault: name.to_owned(), key });
        }
        Ok(Self {
            inner: Arc::new(Inner {
                staging: staging.to_owned(),
                backend,
                keyring: RwLock::new(Arc::new(keyring)),
                rng,
            }),
        })
    }

    /// Whether other servers may store in it at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.inner.backend.is_shared()
    }

    /// The keys as they are now.
    #[must_use]
    pub fn keyring(&self) -> Arc<Keyring> {
        self.inner.keyring()
    }

    /// From now on these are the keys. They must be on the disk already, and have all that is in use. Those of parts of the vault
    /// stay as they are.
    pub fn use_keyring(&self, keyring: Keyring) {
        let mut ring = self.inner.keyring.write().unwrap_or_else(PoisonError::into_inner);
        *ring = Arc::new(keyring.with_scoped_of(&ring));
    }

    /// Takes in the key of a part of the vault; gives its id.
    pub fn add_scoped_key(&self, key: Redacted<[u8; 32]>) -> KeyId {
        let id = KeyId::of(key.expose());
        let mut ring = self.inner.keyring.write().unwrap_or_else(PoisonError::into_inner);
        if !ring.is_scoped(id) {
            *ring = Arc::new(Keyring::clone(&ring).with_scoped(key));
        }
        id
    }

    /// Forgets the key of a part of the vault: from now on nothing in it can be read here.
    pub fn forget_scoped_key(&self, id: KeyId) {
        let mut ring = self.inner.keyring.write().unwrap_or_else(PoisonError::into_inner);
        *ring = Arc::new(Keyring::clone(&ring).without_scoped(id));
    }

    /// A code over `message` that only a holder of the keys can make, in hex: HMAC-SHA-256 with a key of its own for each
    /// `purpose`.
    #[must_use]
    pub fn mac(&self, purpose: &str, message: &[u8]) -> String {
        self.inner.keyring().mac(purpose, message)
    }

    /// Whether `code` is one that [`Self::mac`] makes of `message`, also with an older key; takes the same time whatever is
    /// wrong with it.
    #[must_use]
    pub fn is_mac(&self, purpose: &str, message: &[u8], code: &str) -> bool {
        self.inner.keyring().is_mac(purpose, message, code)
    }

    /// Begins a new object.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn begin(&self) -> Result<PendingObject, VaultError> {
        PendingObject::new(Arc::clone(&self.inner), ObjectId::random(&*self.inner.rng), false, None)
    }

    /// Begins a new object in a part of the vault, under that part's key.
    ///
    /// # Errors
    /// [`VaultError::Cipher`] when the ring has no such key; any error of the disk.
    pub fn begin_in(&self, part: Option<KeyId>) -> Result<PendingObject, VaultError> {
        PendingObject::new(Arc::clone(&self.inner), ObjectId::random(&*self.inner.rng), false, part)
    }

    /// Begins an object under an id that is already known, to restore a backup or to move objects between vaults.
    ///
    /// The vault proves that an object is what *some* holder of the key wrote under this id, not that it is the first.
    /// A properly re-encrypted file under the same id must be caught by the digest checks above, not here.
    ///
    /// # Errors
    /// [`VaultError::Exists`] when there is such an object; any error of the disk.
    pub fn begin_with_id(&self, id: ObjectId) -> Result<PendingObject, VaultError> {
        if self.contains(&id)? {
            return Err(VaultError::Exists { id });
        }
        PendingObject::new(Arc::clone(&self.inner), id, true, None)
    }

    /// Opens a sealed object that is not committed yet, for those who check it first.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_sealed(&self, sealed: &SealedObject) -> Result<Object, VaultError> {
        if sealed.target.is_gone() {
            return self.open(&sealed.id);
        }
        let path = sealed.target.path();
        let place = path.display().to_string();
        let file = std::fs::File::open(path);
        let file = file.map_err(|source| VaultError::of_storage("open", &place, sealed.id, source))?;
        Object::open(Box::new(file), place, sealed.id, &self.inner.keyring())
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
        if sealed.target.is_gone() || (sealed.named && self.contains(&id)?) {
            return Err(VaultError::Exists { id });
        }
        let placed = self.inner.backend.put(&id, &sealed.target);
        placed.map_err(|source| VaultError::Io { act: "store", place: self.inner.backend.place(&id), source })
    }

    /// Removes a sealed object that is not wanted. Dropping it does the same, but can't say when that fails.
    ///
    /// # Errors
    /// [`VaultError::Exists`] when it was committed: then it is [`Self::delete`] that removes it; any error of the disk.
    pub fn discard(&self, sealed: &SealedObject) -> Result<(), VaultError> {
        if sealed.target.is_gone() {
            return Err(VaultError::Exists { id: sealed.id });
        }
        std::fs::remove_file(sealed.target.path()).map_err(failed("remove", sealed.target.path()))
    }

    /// Opens an object. Its header, its size and its last chunk are authentic then; the others are checked as they are
    /// read.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; [`VaultError::Authentication`]; any error of the disk.
    pub fn open(&self, id: &ObjectId) -> Result<Object, VaultError> {
        let stored = self.inner.backend.open(id).map_err(|source| self.inner.failed("open", *id, source))?;
        Object::open(stored, self.inner.backend.place(id), *id, &self.inner.keyring())
    }

    /// Whether there is such an object, authentic or not.
    ///
    /// # Errors
    /// Any error of the disk or the storage service.
    pub fn contains(&self, id: &ObjectId) -> Result<bool, VaultError> {
        Ok(self.head(id)?.is_some())
    }

    /// What the storage says of an object; `None` when it has none of this id.
    ///
    /// # Errors
    /// Any error of the disk or the storage service.
    pub fn head(&self, id: &ObjectId) -> Result<Option<Listed>, VaultError> {
        self.inner.backend.head(id).map_err(|source| self.inner.failed("look for", *id, source))
    }

    /// Removes an object for good.
    ///
    /// # Errors
    /// [`VaultError::Missing`], where the storage tells; any error of the disk or the storage service.
    pub fn delete(&self, id: &ObjectId) -> Result<(), VaultError> {
        match self.inner.backend.delete(id) {
            Ok(true) => Ok(()),
            Ok(false) => Err(VaultError::Missing { id: *id }),
            Err(source) => Err(self.inner.failed("delete", *id, source)),
        }
    }

    /// Wraps an object's data key with the newest key; says whether that was needed. The chunks stay as they are.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; [`VaultError::Authentication`]; any error of the disk; the object is as it was then.
    pub fn rewrap(&self, id: &ObjectId) -> Result<bool, VaultError> {
        let refused = |reason| VaultError::Authentication { id: *id, reason };
        let reading = |source| self.inner.failed("read", *id, source);
        let stored = self.inner.backend.open(id).map_err(reading)?;
        let header = read_header(&*stored).map_err(reading)?.ok_or_else(|| refused("its header is not one"))?;
        let keyring = self.inner.keyring();
        // The key of a part of the vault is kept under the newest by itself.
        if header.key() == keyring.newest() || keyring.is_scoped(header.key()) {
            return Ok(false);
        }
        let header = header
            .rewrapped(id, &keyring, &*self.inner.rng)
            .ok_or_else(|| refused("its header does not belong to it"))?;
        // Written beside and moved: a header half written would lose the object.
        let target = self.inner.staged()?;
        let copy = || {
            (&*target.file).write_all(&header.to_bytes())?;
            let mut offset = HEADER as u64;
            let mut buffer = vec![0; COPY];
            loop {
                let count = stored.read_at(offset, &mut buffer)?;
                let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
                (&*target.file).write_all(read)?;
                offset += count as u64;
            }
            target.file.sync_all()
        };
        copy().map_err(failed("write", target.path()))?;
        self.inner.backend.put(id, &target).map_err(|source| self.inner.failed("store", *id, source))?;
        Ok(true)
    }

    /// Encrypts an object anew, under a data key of its own that the newest key wraps. Every chunk of it is authentic before
    /// anything is written over.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; [`VaultError::Authentication`]; any error of the disk; the object is as it was then.
    pub fn reencrypt(&self, id: &ObjectId) -> Result<(), VaultError> {
        let object = self.open(id)?;
        let part = Some(self.key_of(id)?).filter(|key| self.inner.keyring().is_scoped(*key));
        let mut pending = PendingObject::new(Arc::clone(&self.inner), *id, false, part)?;
        object.copy_to(&mut pending)?;
        let sealed = pending.seal()?;
        self.inner.backend.put(id, &sealed.target).map_err(|source| self.inner.failed("store", *id, source))
    }

    /// Which key an object's data key is wrapped with, as its header says.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; [`VaultError::Authentication`] when it has no header; any error of the disk.
    pub fn key_of(&self, id: &ObjectId) -> Result<KeyId, VaultError> {
        let reading = |source| self.inner.failed("read", *id, source);
        let stored = self.inner.backend.open(id).map_err(reading)?;
        let header = read_header(&*stored).map_err(reading)?;
        let reason = "its header is not one";
        Ok(header.ok_or(VaultError::Authentication { id: *id, reason })?.key())
    }

    /// The stored form of an object, encrypted as it lies there: for backups.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; any error of the disk.
    pub fn open_stored(&self, id: &ObjectId) -> Result<Box<dyn ReadAt>, VaultError> {
        self.inner.backend.open(id).map_err(|source| self.inner.failed("open", *id, source))
    }

    /// Puts the stored form of an object back, as [`Self::open_stored`] gave it. What is not the object's own form is
    /// refused: its header must unwrap, and its last chunk be authentic.
    ///
    /// # Errors
    /// [`VaultError::Exists`]; [`VaultError::Authentication`]; any error of the disk or of `from`.
    pub fn restore_stored(&self, id: &ObjectId, from: &mut dyn io::Read) -> Result<(), VaultError> {
        if self.contains(id)? {
            return Err(VaultError::Exists { id: *id });
        }
        let target = self.inner.staged()?;
        let mut file = &*target.file;
        let copied = io::copy(from, &mut file).and_then(|_| target.file.sync_all());
        copied.map_err(failed("write", target.path()))?;
        let place = target.path().display().to_string();
        let opened = std::fs::File::open(target.path());
        let opened = opened.map_err(|source| VaultError::of_storage("open", &place, *id, source))?;
        Object::open(Box::new(opened), place, *id, &self.inner.keyring())?;
        self.inner.backend.put(id, &target).map_err(|source| self.inner.failed("store", *id, source))
    }
}
