//! Two servers on one catalog and one vault: what one does with keys, the other follows.

use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sealyard_app::{App, AppError, Parts, ServerKeys};
use sealyard_core::{Clock, FixedRng, Rng, SystemRng};
use sealyard_identity::{Administer, Authorized, Read, ServerWide};
use sealyard_ledger::{Act, LedgerKey, Outcome};
use sealyard_store::model::WorkspaceDeletion;
use sealyard_vault::{KeeperError, KeyId, KeyKeeper, Keyring, Vault};

use crate::harness::{TestApp, path, refused_by};

/// A plain file, as a server without a master key has it.
#[derive(Debug)]
struct KeyFile(PathBuf);

impl KeyKeeper for KeyFile {
    fn master(&self) -> String {
        "file".to_owned()
    }

    fn save<'a>(&'a self, ring: &'a Keyring) -> BoxFuture<'a, Result<(), KeeperError>> {
        futures::future::ready(ring.save(&self.0).map_err(Into::into)).boxed()
    }

    fn newer<'a>(&'a self, ring: &'a Keyring) -> BoxFuture<'a, Result<Option<Keyring>, KeeperError>> {
        let kept = Keyring::open(&self.0).map(|kept| Some(kept).filter(|kept| !ring.has_all_of(kept)));
        futures::future::ready(kept.map_err(Into::into)).boxed()
    }
}

/// The first is that of the test; the second has the same catalog, the same objects, and a file of keys of its own.
struct Two {
    test: TestApp,
    second: App,
    vault: Arc<Vault>,
    files: [PathBuf; 2],
}

impl Two {
    async fn new() -> Self {
        let mut test = TestApp::new().await;
        let files = [test.root().join("master.key"), test.root().join("second.keys")];
        std::fs::copy(&files[0], &files[1]).unwrap();
        test.app = Arc::new(App::clone(&test.app).with_key_keeper(Arc::new(KeyFile(files[0].clone()))));
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let ring = Keyring::open(&files[1]).unwrap();
        let vault = Arc::new(Vault::open_or_create(&test.root().join("vault"), ring, Arc::clone(&rng)).unwrap());
        let second = App::new(Parts {
            store: Arc::new(test.store.clone()),
            vault: Arc::clone(&vault),
            clock: Arc::clone(&test.clock) as Arc<dyn Clock>,
            keys: ServerKeys::open_or_create(test.root(), &*rng).unwrap(),
            rng,
            ledger_key: LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap(),
            policy: None,
        });
        let second = second.await.unwrap().with_key_keeper(Arc::new(KeyFile(files[1].clone())));
        for app in [&*test.app, &second] {
            app.enable_workspaces();
            app.note_vault_keys().await.unwrap();
        }
        Self { test, second, vault, files }
    }

    /// Two workspaces that both servers know; the ids of their keys.
    async fn with_workspaces(&self, may: &Authorized<Administer, ServerWide>) -> [KeyId; 2] {
        for name in ["team-a", "team-b"] {
            self.test.app.create_workspace(&self.test.admin, may, name, None).await.unwrap();
            self.second.in_workspace(&self.test.admin, name).await.unwrap();
        }
        let keys = self.test.write(|tx| tx.workspace_keys()).await;
        keys.iter().map(|key| KeyId::from_text(&key.key).unwrap()).collect::<Vec<_>>().try_into().unwrap()
    }

    async fn may(&self) -> Authorized<Administer, ServerWide> {
        self.test.app.authorize(&self.test.admin, Administer, ServerWide).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_server_made_is_missed_clearly_and_used_once_its_file_is_there() {
    let two = Two::new().await;
    let (Two { test, second, files, .. }, may) = (&two, two.may().await);
    let experiment = test.experiment("x").await;
    let run = test.run(&experiment).await;
    test.put(&experiment, &run, "before", b"before").await.unwrap();
    let made = test.app.rotate_vault_key(&test.admin, &may).await.unwrap();
    let key = made.keys.iter().find(|key| key.newest).unwrap().id.clone();
    test.put(&experiment, &run, "after", b"after").await.unwrap();

    let may_read = second.authorize(&test.admin, Read, experiment.clone()).await.unwrap();
    let get = async |at: &str| second.download(&test.admin, &may_read, &run, &path(at)).await;
    assert!(get("before").await.is_ok());
    let error = get("after").await.unwrap_err();
    assert_eq!(error.rules(), ["vault.authentication"]);
    let AppError::Vault(error) = error else { panic!("{error:?}") };
    assert!(error.to_string().contains(&format!("under the key {key}, which this server does not have")), "{error}");
    assert!(error.hint().unwrap().contains("copy the file of keys"));
    // It makes no key of its own, and a server that is started like this does not start.
    for refused in [second.rotate_vault_key(&test.admin, &may).await.map(drop), second.note_vault_keys().await] {
        let Err(AppError::Conflict(said)) = refused else { panic!("{refused:?}") };
        assert!(said.contains(&key) && said.contains("copy keys/"), "{said}");
    }
    second.follow_vault_keys().await.unwrap();
    assert!(get("after").await.is_err(), "its file has not come yet");
    // A file that lacks a key in use is not taken, whatever else it has.
    let all = std::fs::read_to_string(&files[0]).unwrap();
    let first_key = all.lines().find(|line| line.starts_with("key ")).unwrap();
    let own = std::fs::read_to_string(&files[1]).unwrap();
    sealyard_core::durable::write(&files[1], all.replace(&format!("{first_key}\n"), "").as_bytes(), 0o600).unwrap();
    second.follow_vault_keys().await.unwrap();
    assert!(get("before").await.is_ok() && get("after").await.is_err());
    sealyard_core::durable::write(&files[1], b"damaged", 0o600).unwrap();
    second.follow_vault_keys().await.unwrap();
    assert!(get("before").await.is_ok());
    sealyard_core::durable::write(&files[1], own.as_bytes(), 0o600).unwrap();

    std::fs::copy(&files[0], &files[1]).unwrap();
    second.follow_vault_keys().await.unwrap();
    assert!(get("after").await.is_ok() && get("before").await.is_ok());
    second.note_vault_keys().await.unwrap();
    let rotated = |act: &Act| matches!(act, Act::VaultKeyRotated { .. });
    assert_eq!(test.count(Outcome::Done, rotated).await, 1, "it was one change");
    assert!(second.rotate_vault_key(&test.admin, &may).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_workspace_that_another_server_deleted_is_forgotten() {
    let two = Two::new().await;
    let (test, second, may) = (&two.test, &two.second, two.may().await);
    let holds = |key: KeyId| two.vault.keyring().is_scoped(key);
    let keys = two.with_workspaces(&may).await;
    assert!(keys.iter().all(|key| holds(*key)));
    let done = test.app.delete_workspace(&test.admin, &may, "team-a", WorkspaceDeletion::Cascade).await;
    done.unwrap();
    // The name is still believed here for a moment: nothing can be made in it, no new key either.
    assert!(matches!(second.in_workspace(&test.admin, "team-a").await, Err(AppError::Missing(_))));
    assert!(holds(keys[0]));
    second.follow_vault_keys().await.unwrap();
    assert!(!holds(keys[0]));
    assert!(holds(keys[1]), "that of a workspace which is there stays");
    assert_eq!(test.write(|tx| tx.workspace_keys()).await.len(), 1);
}

/// Whoever may write the catalog, and has an old copy of it, would have the key back of what was destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_does_not_come_back_by_its_old_row() {
    let two = Two::new().await;
    let (test, second, may) = (&two.test, &two.second, two.may().await);
    let keys = two.with_workspaces(&may).await;
    let copy = format!("ATTACH '{}' AS copy", test.root().join("copy.db").display());
    test.sql(&format!("{copy}; CREATE TABLE copy.old AS SELECT * FROM workspace_keys ORDER BY workspace LIMIT 1"));
    test.app.delete_workspace(&test.admin, &may, "team-a", WorkspaceDeletion::Cascade).await.unwrap();
    second.follow_vault_keys().await.unwrap();
    // The second made both; the first has only looked on since it forgot the one that it destroyed.
    let held = |vault: &Vault| keys.iter().map(|key| vault.keyring().is_scoped(*key)).collect::<Vec<_>>();
    assert_eq!((held(&test.vault), held(&two.vault)), (vec![false, false], vec![false, true]));

    test.sql(&format!("{copy}; INSERT INTO workspace_keys SELECT * FROM copy.old"));
    test.app.load_workspace_keys().await.unwrap();
    assert_eq!(held(&test.vault), [false, false], "while one too many is there nobody knows which is right");
    test.app.in_workspace(&test.admin, "team-b").await.unwrap_err();
    let damaged = test.app.look_for_damaged_rows().await.unwrap();
    assert_eq!(damaged.iter().map(|row| row.table).collect::<Vec<_>>(), ["workspace_keys"]);
    assert_eq!(held(&two.vault), [false, true], "what is in use goes on");
    // Deleting it once more would take out of the count what is not in it.
    test.app.delete_workspace(&test.admin, &may, "team-b", WorkspaceDeletion::Cascade).await.unwrap_err();
    test.sql("DELETE FROM workspace_keys WHERE workspace = (SELECT min(workspace) FROM workspace_keys)");
    test.app.load_workspace_keys().await.unwrap();
    assert_eq!(held(&test.vault), [false, true]);
    test.app.in_workspace(&test.admin, "team-b").await.unwrap();
}

/// Else the set could be made unreadable while the key is destroyed, and put back together with it.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_destroyed_or_made_while_the_set_is_not_right() {
    let two = Two::new().await;
    let (test, may) = (&two.test, two.may().await);
    for name in ["team-a", "team-b"] {
        test.app.create_workspace(&test.admin, &may, name, None).await.unwrap();
    }
    test.app.in_workspace(&test.admin, "team-a").await.unwrap();
    let copy = format!("ATTACH '{}' AS copy", test.root().join("copy.db").display());
    test.sql(&format!("{copy}; CREATE TABLE copy.old AS SELECT * FROM row_sets"));
    for damage in [
        "UPDATE row_sets SET tag = zeroblob(32) WHERE name = 'workspace_keys'",
        "UPDATE row_sets SET changes = changes - 1 WHERE name = 'workspace_keys'",
        "DELETE FROM row_sets WHERE name = 'workspace_keys'",
    ] {
        test.sql(damage);
        let deleted = test.app.delete_workspace(&test.admin, &may, "team-a", WorkspaceDeletion::Cascade).await;
        refused_by(deleted, "catalog.damaged");
        refused_by(test.app.in_workspace(&test.admin, "team-b").await.map(drop), "catalog.damaged");
        test.sql(&format!("{copy}; DELETE FROM row_sets; INSERT INTO row_sets SELECT * FROM copy.old"));
    }
    test.app.in_workspace(&test.admin, "team-b").await.unwrap();
    test.app.delete_workspace(&test.admin, &may, "team-a", WorkspaceDeletion::Cascade).await.unwrap();
}

/// Whoever can add a row would keep every destroyed key in the memory of the other servers.
#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_is_forgotten_whatever_else_is_damaged() {
    let two = Two::new().await;
    let (test, second, may) = (&two.test, &two.second, two.may().await);
    let keys = two.with_workspaces(&may).await;
    test.app.delete_workspace(&test.admin, &may, "team-a", WorkspaceDeletion::Cascade).await.unwrap();
    test.sql("INSERT INTO workspace_keys (workspace, id, sealed, created) VALUES (99, 'x', x'00', 0)");
    second.follow_vault_keys().await.unwrap();
    let held = |at: usize| two.vault.keyring().is_scoped(keys[at]);
    assert!(!held(0) && held(1));
}

/// Somebody who knows an old key, and may write the file of keys but not read it, would have everything to come written under it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_replaced_never_becomes_the_newest_again() {
    let two = Two::new().await;
    let (Two { test, second, vault, files }, may) = (&two, two.may().await);
    let keys = |text: &str| text.lines().filter(|line| line.starts_with("key ")).map(str::to_owned).collect::<Vec<_>>();
    test.app.rotate_vault_key(&test.admin, &may).await.unwrap();
    test.app.rotate_vault_key(&test.admin, &may).await.unwrap();
    std::fs::copy(&files[0], &files[1]).unwrap();
    second.follow_vault_keys().await.unwrap();
    second.note_vault_keys().await.unwrap();
    let good = std::fs::read_to_string(&files[1]).unwrap();
    let [first, middle, newest] = keys(&good).try_into().unwrap();
    let ring = vault.keyring();
    // With a key more, so that a server which runs looks at it; then as it would be at a start.
    let more = format!("{}{}\n", good.replace(&format!("{first}\n"), ""), keys(&extended(&ring)).pop().unwrap());
    sealyard_core::durable::write(&files[1], format!("{more}{first}\n").as_bytes(), 0o600).unwrap();
    second.follow_vault_keys().await.unwrap();
    assert_eq!(vault.keyring().newest(), ring.newest());
    for last in [&first, &middle] {
        let others: String = [&first, &middle, &newest]
            .into_iter()
            .filter(|line| *line != last)
            .map(|line| format!("{line}\n"))
            .collect();
        let head: String =
            good.lines().filter(|line| !line.starts_with("key ")).map(|line| format!("{line}\n")).collect();
        vault.use_keyring(Keyring::from_text(&format!("{head}{others}{last}\n")).unwrap());
        let Err(AppError::Conflict(said)) = second.note_vault_keys().await else { panic!("{last}") };
        assert!(said.contains("replaced") && said.contains(&ring.newest().to_string()), "{said}");
    }
    vault.use_keyring(Keyring::clone(&ring));
    second.note_vault_keys().await.unwrap();
    let rotated = |act: &Act| matches!(act, Act::VaultKeyRotated { .. });
    assert_eq!(test.count(Outcome::Done, rotated).await, 2);
    assert!(second.rotate_vault_key(&test.admin, &may).await.is_ok());
}

/// The text of a file with the ring's keys and one more.
fn extended(ring: &Keyring) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    ring.clone().with_new_key(&SystemRng).save(&path).unwrap();
    std::fs::read_to_string(&path).unwrap()
}
