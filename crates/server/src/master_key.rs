//! Which master key protects the vault's keys, and the files they are kept in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sealyard_core::{Clock, Redacted, Rng};
use sealyard_master_key::{
    AwsCredentials, AwsKms, AwsKmsConfig, EnvironmentKey, MasterKey, MasterKeyError, Transit, TransitConfig, VARIABLE,
    WrappedKeys,
};
use sealyard_vault::{KeeperError, KeyId, KeyKeeper, Keyring};

use crate::settings::{MasterKeyKind, Settings, SettingsError};
use crate::{DataDirectory, ServerError};

/// The vault's keys, plain.
const PLAIN: &str = "master.key";
/// The vault's keys, wrapped by a master key that is elsewhere.
const WRAPPED: &str = "vault.keys";

/// What keeps the keys of a data directory.
#[derive(Debug, Clone)]
pub(crate) enum Keeper {
    Plain(PathBuf),
    Wrapped(PathBuf, Arc<dyn MasterKey>),
}

impl KeyKeeper for Keeper {
    fn master(&self) -> String {
        match self {
            Self::Plain(_) => "file".to_owned(),
            Self::Wrapped(_, master) => master.name(),
        }
    }

    fn save<'a>(&'a self, ring: &'a Keyring) -> BoxFuture<'a, Result<(), KeeperError>> {
        async move {
            match self {
                Self::Plain(path) => ring.save(path)?,
                Self::Wrapped(path, master) => WrappedKeys::write(path, ring, &**master).await?,
            }
            Ok(())
        }
        .boxed()
    }

    fn newer<'a>(&'a self, ring: &'a Keyring) -> BoxFuture<'a, Result<Option<Keyring>, KeeperError>> {
        async move {
            match self {
                Self::Plain(path) => Ok(Some(Keyring::open(path)?).filter(|kept| !ring.has_all_of(kept))),
                Self::Wrapped(path, master) => {
                    let kept = WrappedKeys::read(path)?.ok_or("the file of the vault's keys is gone")?;
                    if kept.ids().all(|id| ring.keys().any(|(own, _)| own == id)) {
                        return Ok(None);
                    }
                    Ok(Some(kept.unwrap(&**master).await?))
                }
            }
        }
        .boxed()
    }
}

/// The master key that the settings name; `None` is the plain file.
pub(crate) fn named(
    settings: &Settings,
    given: Option<&Redacted<String>>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Result<Option<Arc<dyn MasterKey>>, ServerError> {
    let folder = &settings.folder;
    let missing =
        |section: &str| SettingsError::invalid("vault", format!("its provider needs a section [vault.{section}]"));
    Ok(Some(match settings.vault.provider {
        MasterKeyKind::File => return Ok(None),
        MasterKeyKind::Environment => {
            let text = given.ok_or_else(|| MasterKeyError::Setting {
                provider: "environment".to_owned(),
                problem: format!("{VARIABLE} is not set"),
            })?;
            Arc::new(EnvironmentKey::parse(text, rng)?)
        }
        MasterKeyKind::Transit => {
            let wanted = settings.vault.transit.as_ref().ok_or_else(|| missing("transit"))?;
            Arc::new(Transit::new(TransitConfig {
                url: wanted.url.clone(),
                key: wanted.key.clone(),
                mount: wanted.mount.clone(),
                namespace: wanted.namespace.clone(),
                token: wanted.token_file.read(folder)?,
                ca: wanted.ca_file.as_ref().map(|path| path.resolve(folder)),
            })?)
        }
        MasterKeyKind::AwsKms => {
            let wanted = settings.vault.aws_kms.as_ref().ok_or_else(|| missing("aws-kms"))?;
            let credentials = match &wanted.credentials_file {
                Some(file) => credentials_of(&file.read(folder)?),
                None => credentials_of_environment(),
            };
            let credentials = credentials.ok_or_else(|| {
                SettingsError::invalid("vault", "there are no credentials: name a credentials_file, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            })?;
            let config = AwsKmsConfig {
                region: wanted.region.clone(),
                key: wanted.key.clone(),
                endpoint: wanted.endpoint.clone(),
                credentials,
                ca: wanted.ca_file.as_ref().map(|path| path.resolve(folder)),
            };
            Arc::new(AwsKms::new(config, clock)?)
        }
        #[cfg(feature = "pkcs11")]
        MasterKeyKind::Pkcs11 => {
            let wanted = settings.vault.pkcs11.as_ref().ok_or_else(|| missing("pkcs11"))?;
            let config = sealyard_master_key::Pkcs11Config {
                module: wanted.module.resolve(folder),
                token: wanted.token.clone(),
                key: wanted.key.clone(),
                pin: wanted.pin_file.read(folder)?,
            };
            Arc::new(sealyard_master_key::Pkcs11::new(config, rng))
        }
        #[cfg(not(feature = "pkcs11"))]
        MasterKeyKind::Pkcs11 => {
            return Err(SettingsError::invalid("vault", "this build has no PKCS#11").into());
        }
    }))
}

fn credentials_of(text: &Redacted<String>) -> Option<AwsCredentials> {
    let mut lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
    Some(AwsCredentials {
        id: lines.next()?.to_owned(),
        secret: Redacted::new(lines.next()?.to_owned()),
        session: lines.next().map(|line| Redacted::new(line.to_owned())),
    })
}

fn credentials_of_environment() -> Option<AwsCredentials> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(AwsCredentials {
        id: read("AWS_ACCESS_KEY_ID")?,
        secret: Redacted::new(read("AWS_SECRET_ACCESS_KEY")?),
        session: read("AWS_SESSION_TOKEN").map(Redacted::new),
    })
}

/// The keys of `directory` as `master` protects them; made when there are none. One directory has one form of them: keys that
/// are there in the other are never passed over.
pub(crate) async fn open(
    directory: &DataDirectory,
    master: Option<Arc<dyn MasterKey>>,
    rng: &dyn Rng,
) -> Result<(Keyring, Arc<dyn KeyKeeper>), ServerError> {
    let (plain, wrapped) = (directory.keys().join(PLAIN), directory.keys().join(WRAPPED));
    let found = WrappedKeys::read(&wrapped)?;
    let both = found.is_some() && is_there(&plain);
    let Some(master) = master else {
        if let Some(found) = found.as_ref().filter(|_| !both) {
            return Err(ServerError::MasterKeyNotNamed(found.master().to_owned()));
        }
        let ring = Keyring::open_or_create(&plain, rng).map_err(MasterKeyError::from)?;
        if let Some(found) = found {
            // An id is a digest of its key.
            end_move(&ids(&ring), &found.ids().collect::<Vec<_>>(), &plain, &wrapped)?;
        }
        return Ok((ring, Arc::new(Keeper::Plain(plain))));
    };
    let keeper = Keeper::Wrapped(wrapped.clone(), Arc::clone(&master));
    let ring = match found {
        Some(found) => found.unwrap(&*master).await?,
        None if is_there(&plain) => return Err(ServerError::KeysLiePlain(plain)),
        None => {
            let ring = Keyring::generate(rng);
            WrappedKeys::write(&wrapped, &ring, &*master).await?;
            ring
        }
    };
    if both {
        let other = Keyring::open(&plain).map_err(MasterKeyError::from)?;
        end_move(&ids(&ring), &ids(&other), &wrapped, &plain)?;
    }
    Ok((ring, Arc::new(keeper)))
}

fn ids(ring: &Keyring) -> Vec<KeyId> {
    ring.keys().map(|(id, _)| id).collect()
}

/// The keys lie here in both forms, as after a move that was stopped: the form that is not named goes, so that no keys lie
/// plain that nobody knows of. Unless it has others: then nobody but a person can say which are right.
fn end_move(kept: &[KeyId], other: &[KeyId], kept_at: &Path, other_at: &Path) -> Result<(), ServerError> {
    if kept != other {
        return Err(ServerError::KeysInTwoForms(kept_at.to_owned(), other_at.to_owned()));
    }
    forget(other_at).map_err(|source| ServerError::File { what: "remove", path: other_at.to_owned(), source })?;
    tracing::warn!(
        removed = %other_at.display(),
        kept = %kept_at.display(),
        "a move of the vault's keys had been stopped before its end; the copy that it left is removed"
    );
    Ok(())
}

/// Puts the keys of a data directory under another master key. The keys themselves stay the same.
#[derive(Debug)]
pub struct MasterKeyMove {
    /// The data directory; no server may have it open.
    pub data_directory: PathBuf,
    /// The settings that it was started with.
    pub from: Settings,
    /// The settings that it will be started with.
    pub to: Settings,
    /// The master key of the environment, if one of them is that.
    pub given: Option<Redacted<String>>,
}

impl MasterKeyMove {
    /// Does it; gives what protected the keys and what does now. A move that was stopped is done again from its beginning.
    ///
    /// # Errors
    /// [`ServerError`]; the keys are as they were then.
    pub async fn run(self, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<(String, String), ServerError> {
        if !DataDirectory::catalog_in(&self.data_directory).exists()
            && !DataDirectory::database_note_in(&self.data_directory).exists()
        {
            return Err(ServerError::NoDataDirectory(self.data_directory));
        }
        let directory = DataDirectory::open(&self.data_directory)?;
        let master = |settings: &Settings| named(settings, self.given.as_ref(), Arc::clone(&clock), Arc::clone(&rng));
        let (from, to) = (master(&self.from)?, master(&self.to)?);
        let (ring, before) = open(&directory, from.clone(), &*rng).await?;
        let (plain, wrapped) = (directory.keys().join(PLAIN), directory.keys().join(WRAPPED));
        let after = match to {
            None => Keeper::Plain(plain.clone()),
            Some(master) => Keeper::Wrapped(wrapped.clone(), master),
        };
        after.save(&ring).await.map_err(|error| ServerError::Key(error.to_string()))?;
        // Both are there now, and either is enough.
        let old = match (&after, from) {
            (Keeper::Plain(_), Some(_)) => Some(wrapped),
            (Keeper::Wrapped(..), None) => Some(plain),
            _ => None,
        };
        if let Some(old) = old {
            forget(&old).map_err(|source| ServerError::File { what: "remove", path: old.clone(), source })?;
        }
        Ok((before.master(), after.master()))
    }
}

/// Removes a file of keys, written over first: what a disk makes of that is up to the disk.
fn forget(path: &Path) -> std::io::Result<()> {
    let length = usize::try_from(path.metadata()?.len()).unwrap_or(0).min(1 << 20);
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).open(path)?;
    std::io::Write::write_all(&mut &file, &vec![0; length])?;
    file.sync_all()?;
    std::fs::remove_file(path)?;
    sealyard_core::durable::sync_parent(path)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use sealyard_core::{SystemClock, SystemRng};

    use super::*;

    fn settings(text: &str) -> Settings {
        Settings::parse(text, Path::new("/")).unwrap()
    }

    fn environment(byte: &str) -> (Settings, Option<Redacted<String>>) {
        (settings("[vault]\nprovider = \"environment\"\n"), Some(Redacted::new(byte.repeat(32))))
    }

    async fn opened(root: &Path, byte: Option<&str>) -> Result<(Keyring, Arc<dyn KeyKeeper>), ServerError> {
        let directory = DataDirectory::open(root)?;
        let (settings, given) = byte.map_or((settings(""), None), environment);
        let master = named(&settings, given.as_ref(), Arc::new(SystemClock), Arc::new(SystemRng))?;
        open(&directory, master, &SystemRng).await
    }

    #[tokio::test]
    async fn keys_in_the_other_form_are_never_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, wrapped) = (folder.path().join("plain"), folder.path().join("wrapped"));
        let first = opened(&plain, None).await.unwrap().0;
        assert!(matches!(opened(&plain, Some("ab")).await, Err(ServerError::KeysLiePlain(_))));
        assert_eq!(opened(&plain, None).await.unwrap().0.newest(), first.newest());
        let second = opened(&wrapped, Some("ab")).await.unwrap().0;
        assert!(
            matches!(opened(&wrapped, None).await, Err(ServerError::MasterKeyNotNamed(name)) if name == "environment")
        );
        assert!(!wrapped.join("keys/master.key").exists());
        assert!(matches!(
            opened(&wrapped, Some("cd")).await,
            Err(ServerError::MasterKey(MasterKeyError::Wrong { .. }))
        ));
        assert_eq!(opened(&wrapped, Some("ab")).await.unwrap().0.newest(), second.newest());
    }

    /// What another server made, and somebody brought here, is read; what is here already asks no master key.
    #[tokio::test]
    async fn a_kept_key_that_the_ring_lacks_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for (name, master) in [("plain", None), ("wrapped", Some("ab"))] {
            let (ring, keeper) = opened(&folder.path().join(name), master).await.unwrap();
            assert!(keeper.newer(&ring).await.unwrap().is_none());
            let rotated = ring.clone().with_new_key(&SystemRng);
            keeper.save(&rotated).await.unwrap();
            assert_eq!(keeper.newer(&ring).await.unwrap().unwrap().newest(), rotated.newest());
            assert!(keeper.newer(&rotated).await.unwrap().is_none());
            let file = if master.is_some() { "vault.keys" } else { "master.key" };
            std::fs::remove_file(folder.path().join(name).join("keys").join(file)).unwrap();
            assert!(keeper.newer(&ring).await.is_err(), "{name}");
        }
    }

    /// A move that is stopped between its two steps leaves both forms.
    #[tokio::test]
    async fn what_a_stopped_move_left_is_removed_and_other_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for named in [None, Some("ab")] {
            let place = folder.path().join(named.unwrap_or("none"));
            let keys = place.join("keys");
            let (kept, other) = if named.is_some() { (WRAPPED, PLAIN) } else { (PLAIN, WRAPPED) };
            let ring = opened(&place, None).await.unwrap().0;
            let master = EnvironmentKey::parse(&Redacted::new("ab".repeat(32)), Arc::new(SystemRng)).unwrap();
            let wrap = async |ring: &Keyring| WrappedKeys::write(&keys.join(WRAPPED), ring, &master).await.unwrap();
            wrap(&ring).await;
            assert_eq!(opened(&place, named).await.unwrap().0.newest(), ring.newest());
            assert!(keys.join(kept).exists() && !keys.join(other).exists());
            // Rotated since, in one form alone; in the other order; another key altogether.
            let rotated = ring.clone().with_new_key(&SystemRng);
            let pairs = [
                (ring.clone(), rotated.clone()),
                (rotated.clone(), ring.clone()),
                (Keyring::generate(&SystemRng), ring.clone()),
            ];
            for (in_plain, in_wrapped) in pairs {
                in_plain.save(&keys.join(PLAIN)).unwrap();
                wrap(&in_wrapped).await;
                let error = opened(&place, named).await.err().unwrap();
                assert!(matches!(error, ServerError::KeysInTwoForms(..)), "{error}");
                assert!(keys.join(kept).exists() && keys.join(other).exists());
            }
        }
    }

    #[tokio::test]
    async fn keys_move_there_and_back_and_stay_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("data");
        let first = opened(&root, None).await.unwrap().0;
        std::fs::write(DataDirectory::catalog_in(&root), "").unwrap();
        let move_to = |from: Settings, to: Settings| MasterKeyMove {
            data_directory: root.clone(),
            from,
            to,
            given: Some(Redacted::new("ab".repeat(32))),
        };
        let (plain, elsewhere) = (settings(""), environment("ab").0);
        let done = move_to(plain.clone(), elsewhere.clone()).run(Arc::new(SystemClock), Arc::new(SystemRng)).await;
        assert_eq!(done.unwrap(), ("file".to_owned(), "environment".to_owned()));
        assert!(!root.join("keys/master.key").exists());
        let (ring, keeper) = opened(&root, Some("ab")).await.unwrap();
        assert_eq!((ring.newest(), keeper.master().as_str()), (first.newest(), "environment"));
        let rotated = ring.with_new_key(&SystemRng);
        keeper.save(&rotated).await.unwrap();
        move_to(elsewhere, plain).run(Arc::new(SystemClock), Arc::new(SystemRng)).await.unwrap();
        assert!(!root.join("keys/vault.keys").exists());
        let back = opened(&root, None).await.unwrap().0;
        assert_eq!(back.newest(), rotated.newest());
        assert!(back.contains(first.newest()));
    }
}
