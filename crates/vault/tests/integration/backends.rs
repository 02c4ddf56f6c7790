//! What every backend must do, under the vault and by itself. The one of a real S3 server needs the feature `s3` and
//! `SEALYARD_TEST_S3`, an `s3://bucket/prefix` with the server's address and keys in `AWS_…`; `dev/test/s3.sh` starts one.

use std::io::{self, Write as _};
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;
use sealyard_core::{Digest, ReadAt, SystemRng};
use sealyard_vault::{
    Keyring, Listed, LocalBackend, ObjectBackend, ObjectId, RemoteBackend, SealedObject, Staged, Vault, VaultError,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::common::{CHUNK, HEADER, SEALED_CHUNK, content};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A vault over a backend, and its staging area.
struct Over {
    folder: TempDir,
    vault: Vault,
    backend: Arc<dyn ObjectBackend>,
}

impl Over {
    fn new(backend: Arc<dyn ObjectBackend>, folder: TempDir) -> Self {
        let keyring = Keyring::open_or_create(&folder.path().join("keys"), &SystemRng).unwrap();
        let staging = folder.path().join("pending");
        let vault = Vault::with_backend("test", &staging, Arc::clone(&backend), keyring, Arc::new(SystemRng)).unwrap();
        Self { folder, vault, backend }
    }

    fn seal(&self, content: &[u8]) -> SealedObject {
        let mut pending = self.vault.begin().unwrap();
        pending.write_all(content).unwrap();
        pending.seal().unwrap()
    }

    fn staged(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("pending")).unwrap().count()
    }

    fn listed(&self) -> Vec<Listed> {
        let mut found = Vec::new();
        assert_eq!(self.vault.each_object(&mut |object| found.push(object)).unwrap(), 0);
        found.sort_by_key(|object| object.id);
        found
    }
}

fn local() -> Over {
    let folder = tempfile::tempdir().unwrap();
    Over::new(Arc::new(LocalBackend::open_or_create(&folder.path().join("vault")).unwrap()), folder)
}

fn memory(runtime: &Runtime) -> Over {
    let prefix = Path::parse("a/prefix").unwrap();
    let backend = RemoteBackend::new(Box::new(InMemory::new()), prefix, "memory://".into(), runtime.handle().clone());
    Over::new(Arc::new(backend), tempfile::tempdir().unwrap())
}

fn conforms(over: &Over) {
    objects_round_trip(over);
    large_objects_go_in_parts(over);
    damage_is_noticed(over);
    what_is_not_there_is_missing(over);
    another_key_is_refused(over);
}

fn objects_round_trip(over: &Over) {
    let sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 77];
    let mut known = Vec::new();
    for size in sizes {
        let content = content(size);
        let sealed = over.seal(&content);
        assert!(matches!(over.vault.open(&sealed.id), Err(VaultError::Missing { .. })), "pending is not stored");
        assert_eq!(over.vault.open_sealed(&sealed).unwrap().digest().unwrap(), Digest::of(&content));
        over.vault.commit(&sealed).unwrap();
        assert!(matches!(over.vault.commit(&sealed), Err(VaultError::Exists { .. })));
        assert_eq!(over.vault.open_sealed(&sealed).unwrap().size(), size as u64);
        let object = over.vault.open(&sealed.id).unwrap();
        assert_eq!(object.read_all(1 << 20).unwrap(), content);
        for (offset, length) in [(0, 10), (size / 2, CHUNK), (size.saturating_sub(3), 10), (size, 1)] {
            let mut buffer = vec![0; length];
            let read = object.read_at(offset as u64, &mut buffer).unwrap();
            let rest = content.get(offset..).unwrap_or_default();
            assert_eq!(&buffer[..read], &rest[..length.min(rest.len())], "{size} at {offset}");
        }
        known.push(sealed.id);
    }
    assert_eq!(over.staged(), 0);
    known.sort();
    let listed = over.listed();
    assert_eq!(listed.iter().map(|object| object.id).collect::<Vec<_>>(), known);
    for object in listed {
        assert_eq!(over.vault.head(&object.id).unwrap().unwrap().size, object.size);
        assert!(object.size >= HEADER as u64 + 16 && object.stored.as_millis() > 1_600_000_000_000);
        over.vault.delete(&object.id).unwrap();
    }
    assert!(over.listed().is_empty());
}

fn large_objects_go_in_parts(over: &Over) {
    let content = content(21 << 20);
    let sealed = over.seal(&content);
    over.vault.commit(&sealed).unwrap();
    let object = over.vault.open(&sealed.id).unwrap();
    assert_eq!(object.digest().unwrap(), Digest::of(&content));
    std::thread::scope(|scope| {
        for reader in 0..4 {
            let (object, content) = (&object, &content);
            scope.spawn(move || {
                for round in 0..8 {
                    let start = (reader * 7_919_111 + round * 4_000_009) % (content.len() - 70_000);
                    let mut buffer = vec![0; 70_000];
                    object.read_exact_at(start as u64, &mut buffer).unwrap();
                    assert_eq!(buffer, content[start..start + buffer.len()]);
                }
            });
        }
    });
    over.vault.delete(&sealed.id).unwrap();
}

/// Puts what somebody with the bucket, but without the key, may put there.
fn damage_is_noticed(over: &Over) {
    let sealed = over.seal(&content(3 * CHUNK));
    over.vault.commit(&sealed).unwrap();
    let stored = over.backend.open(&sealed.id).unwrap();
    let intact = stored.read_all(1 << 20).unwrap();
    assert!(!intact.windows(64).any(|window| content(200).windows(64).any(|plain| plain == window)));
    let mut flipped = intact.clone();
    flipped[HEADER + SEALED_CHUNK + 5] ^= 1;
    let swapped =
        [&intact[..HEADER], &intact[HEADER + SEALED_CHUNK..], &intact[HEADER..HEADER + SEALED_CHUNK]].concat();
    let bad = [flipped, swapped, intact[..HEADER + SEALED_CHUNK].to_vec(), b"short".to_vec(), Vec::new()];
    for bytes in bad {
        put(over, &sealed.id, &bytes);
        let read = over.vault.open(&sealed.id).and_then(|object| object.digest());
        assert_eq!(read.unwrap_err().rule(), Some(VaultError::AUTHENTICATION), "{} bytes", bytes.len());
    }
    let other = ObjectId::random(&SystemRng);
    put(over, &other, &intact);
    assert_eq!(over.vault.open(&other).unwrap_err().rule(), Some(VaultError::AUTHENTICATION));
    put(over, &sealed.id, &intact);
    assert!(over.vault.open(&sealed.id).is_ok());
    for id in [other, sealed.id] {
        over.vault.delete(&id).unwrap();
    }
}

/// Through the backend itself, with other content than the vault wrote.
fn put(over: &Over, id: &ObjectId, bytes: &[u8]) {
    let staged = Staged::create(over.folder.path().join("pending/by-hand")).unwrap();
    std::fs::write(staged.path(), bytes).unwrap();
    over.backend.put(id, &staged).unwrap();
}

fn what_is_not_there_is_missing(over: &Over) {
    let id = ObjectId::random(&SystemRng);
    assert!(matches!(over.vault.open(&id), Err(VaultError::Missing { .. })));
    assert!(!over.vault.contains(&id).unwrap());
    // Some services can't tell.
    assert!(matches!(over.vault.delete(&id), Err(VaultError::Missing { .. }) | Ok(())));
}

fn another_key_is_refused(over: &Over) {
    let foreign = Keyring::open_or_create(&over.folder.path().join("foreign"), &SystemRng).unwrap();
    let staging = over.folder.path().join("pending");
    let backend = Arc::clone(&over.backend);
    let opened = Vault::with_backend("test", &staging, backend, foreign, Arc::new(SystemRng));
    assert!(matches!(opened, Err(VaultError::ForeignKeyring { .. })));
}

#[test]
fn the_local_backend_conforms() {
    conforms(&local());
}

#[test]
fn the_remote_backend_conforms() {
    let runtime = runtime();
    conforms(&memory(&runtime));
}

#[cfg(feature = "s3")]
#[test]
fn a_real_s3_server_conforms() {
    let url = std::env::var("SEALYARD_TEST_S3").expect("SEALYARD_TEST_S3 names no bucket; dev/test/s3.sh sets it");
    let runtime = runtime();
    // A prefix of its own, so that what an earlier run left is not seen.
    let url = format!("{url}/{}", ObjectId::random(&SystemRng));
    let url: sealyard_vault::ArtifactsUrl = url.parse().unwrap();
    let backend = url.remote(runtime.handle().clone()).unwrap().unwrap();
    conforms(&Over::new(Arc::new(backend), tempfile::tempdir().unwrap()));
}

/// A service that is away at some calls.
#[derive(Debug)]
struct Moody {
    inner: Arc<dyn ObjectBackend>,
    error: std::sync::Mutex<Option<io::ErrorKind>>,
}

impl Moody {
    fn ask(&self) -> io::Result<()> {
        self.error.lock().unwrap().map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl ObjectBackend for Moody {
    fn place(&self, id: &ObjectId) -> String {
        self.inner.place(id)
    }
    fn put(&self, id: &ObjectId, staged: &Staged) -> io::Result<()> {
        self.ask()?;
        self.inner.put(id, staged)
    }
    fn open(&self, id: &ObjectId) -> io::Result<Box<dyn ReadAt>> {
        self.ask()?;
        self.inner.open(id)
    }
    fn head(&self, id: &ObjectId) -> io::Result<Option<Listed>> {
        self.ask()?;
        self.inner.head(id)
    }
    fn list(&self, visit: &mut dyn FnMut(Listed) -> io::Result<()>) -> io::Result<usize> {
        self.ask()?;
        self.inner.list(visit)
    }
    fn delete(&self, id: &ObjectId) -> io::Result<bool> {
        self.ask()?;
        self.inner.delete(id)
    }
    fn marker(&self) -> io::Result<Option<Vec<u8>>> {
        self.ask()?;
        self.inner.marker()
    }
    fn write_marker(&self, text: &[u8]) -> io::Result<()> {
        self.ask()?;
        self.inner.write_marker(text)
    }
}

#[test]
fn a_full_storage_is_said_to_be_full_and_holds_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let inner = Arc::new(LocalBackend::open_or_create(&folder.path().join("vault")).unwrap());
    let moody = Arc::new(Moody { inner, error: std::sync::Mutex::default() });
    let over = Over::new(moody.clone(), folder);
    let sealed = over.seal(b"content");
    *moody.error.lock().unwrap() = Some(io::ErrorKind::StorageFull);
    assert!(over.vault.commit(&sealed).unwrap_err().is_full());
    assert!(over.vault.contains(&sealed.id).unwrap_err().is_full(), "not known is not absent");
    *moody.error.lock().unwrap() = None;
    assert!(over.listed().is_empty());
    // What failed can be tried again, or dropped.
    over.vault.commit(&sealed).unwrap();
    drop(over.seal(b"dropped"));
    assert_eq!((over.staged(), over.listed().len()), (0, 1));
}

/// Nobody listens at the port of the test; the answer comes soon, and is one to try again after.
#[test]
fn a_service_that_is_away_is_unavailable_and_not_missing() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let store = object_store::aws::AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_endpoint(format!("http://127.0.0.1:{port}"))
        .with_allow_http(true)
        .with_access_key_id("id")
        .with_secret_access_key("very secret")
        .with_retry(object_store::RetryConfig { max_retries: 0, ..Default::default() })
        .build()
        .unwrap();
    let runtime = runtime();
    let backend = RemoteBackend::new(Box::new(store), Path::default(), "s3://bucket".into(), runtime.handle().clone());
    assert!(!format!("{backend:?}").contains("secret"));
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::open_or_create(&folder.path().join("keys"), &SystemRng).unwrap();
    let staging = folder.path().join("pending");
    let opened = Vault::with_backend("s3://bucket", &staging, Arc::new(backend), keyring, Arc::new(SystemRng));
    let error = opened.unwrap_err();
    assert!(error.is_unavailable() && error.rule().is_none(), "{error:?}");
    assert!(error.hint().unwrap().contains("endpoint"));
    assert!(!format!("{error:?}").contains("very secret"));
}
