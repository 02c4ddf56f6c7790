//! Backups of a server that lost objects, and restores to places that are in use.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_backup::{BackupError, BackupReport, BackupStore, BackupSummary, RecoveryKey};
use sealyard_core::{SystemClock, SystemRng};
use sealyard_store::{BACKUP_HOLD, StoreError};
use sealyard_store_sql::{LedgerReader, SqliteOptions, SqliteStore};
use sealyard_vault::{ArtifactsUrl, LocalBackend, ObjectBackend as _, ObjectId};

use sealyard_server::settings::Settings;
use sealyard_server::{Backup, Config, Restore, RestoreTo, Server, ServerError, TlsMode};

fn config(root: &Path) -> Config {
    Config {
        data_directory: root.join("data"),
        artifacts: None,
        database: None,
        database_password: None,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: TlsMode::Off,
        policy: None,
        admin_password: None,
        bootstrap_token_file: None,
        ready_file: None,
        no_auth: true,
        ui: None,
        external_sources: false,
        workspaces: false,
        hosts: Vec::new(),
        webhook_allow: Vec::new(),
        master_key: None,
        accept_ledger_rollback: false,
        settings: Settings::parse("", root).unwrap(),
    }
}

/// A server that gets a file of each name, and stops.
async fn fill(root: &Path, names: &'static [&'static str]) {
    let put = |name: &&str| {
        (format!("PUT /api/2.0/mlflow-artifacts/artifacts/{name} HTTP/1.1\r\n"), format!("content of {name}"))
    };
    send(config(root), names.iter().map(put).collect()).await;
}

/// A server that gets requests, each with a body, and stops.
async fn send(config: Config, requests: Vec<(String, String)>) {
    let server = Server::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await.unwrap();
    let address = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let work = move || {
        for (head, body) in requests {
            let mut stream = TcpStream::connect(&address).unwrap();
            let length = body.len();
            let more = "Connection: close\r\nContent-Type: application/json\r\n";
            write!(stream, "{head}Host: {address}\r\n{more}Content-Length: {length}\r\n\r\n{body}").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        }
    };
    tokio::task::spawn_blocking(work).await.unwrap();
    server.stop().await;
}

fn recovery(root: &Path) {
    let key = RecoveryKey::generate(&SystemRng).unwrap();
    std::fs::write(root.join("office.recovery.pub"), key.recipient().to_text()).unwrap();
    sealyard_core::durable::write(&root.join("office.recovery"), key.to_text().expose().as_bytes(), 0o600).unwrap();
}

async fn back_up(root: &Path, to: &str) -> Result<BackupSummary, ServerError> {
    let backup = Backup {
        data_directory: root.join("data"),
        database: None,
        artifacts: None,
        to: root.join(to),
        recipients: vec![root.join("office.recovery.pub")],
    };
    backup.run(Arc::new(SystemClock), Arc::new(SystemRng), Box::new(|_| {})).await
}

async fn restore(root: &Path, from: &str, to: RestoreTo, without_damaged: bool) -> Result<BackupReport, ServerError> {
    let restore = Restore {
        from: root.join(from),
        backup: None,
        recovery_key: root.join("office.recovery"),
        verifier_key: None,
        checkpoint: None,
        force_older: false,
        without_damaged,
        settings: Settings::default(),
        master_key: None,
    };
    restore.run(Some(to), Arc::new(SystemClock), Arc::new(SystemRng), Box::new(|_, _| {})).await
}

fn to(place: PathBuf, artifacts: Option<PathBuf>) -> RestoreTo {
    RestoreTo {
        data_directory: place,
        database: None,
        artifacts: artifacts.map(ArtifactsUrl::Directory),
        without: Vec::new(),
    }
}

fn objects(vault: &Path) -> Vec<ObjectId> {
    let mut found = Vec::new();
    let backend = LocalBackend::open_or_create(vault).unwrap();
    backend
        .list(&mut |listed| {
            found.push(listed.id);
            Ok(())
        })
        .unwrap();
    found.sort();
    found
}

/// What a restore wrote goes into the log when the restored server starts.
async fn newest_event(data: &Path, act: &str) -> serde_json::Value {
    let config = Config { data_directory: data.to_owned(), ..config(data) };
    Server::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await.unwrap().stop().await;
    let reader = LedgerReader::open(&data.join("catalog.sqlite")).unwrap();
    let events =
        reader.entries().map(|entry| serde_json::from_slice::<serde_json::Value>(&entry.unwrap().bytes).unwrap());
    events.filter(|event| event["act"] == act).last().unwrap()
}

fn rules(report: &[sealyard_backup::BackupProblem]) -> Vec<&'static str> {
    let mut rules: Vec<_> = report.iter().map(|problem| problem.rule).collect();
    rules.sort_unstable();
    rules
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_an_object_is_restored_without_it() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    recovery(root);
    fill(root, &["a", "b", "c"]).await;
    let vault = root.join("data/vault");
    let ids = objects(&vault);
    assert_eq!(ids.len(), 3);
    assert_eq!(back_up(root, "first").await.unwrap().objects, 3);
    assert!(LocalBackend::open_or_create(&vault).unwrap().delete(&ids[0]).unwrap());

    // Where it was copied before, nothing is lost.
    let again = back_up(root, "first").await.unwrap();
    assert_eq!((again.kept, again.missing.len()), (vec![ids[0].to_string()], 0));
    assert!(restore(root, "first", to(root.join("whole"), None), false).await.unwrap().ok);
    assert_eq!(objects(&root.join("whole/vault")), ids);
    assert_eq!(newest_event(&root.join("whole"), "backup-restored").await["damaged_count"], 0);

    // Elsewhere it is missing, and of another one the copy is damaged.
    let second = back_up(root, "second").await.unwrap();
    assert_eq!(second.missing, [ids[0].to_string()]);
    let copies = std::fs::read_dir(root.join("second/objects")).unwrap();
    let copy =
        copies.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap()).next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[90] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let refused = restore(root, "second", to(root.join("refused"), None), false).await.unwrap();
    assert_eq!((refused.ok, rules(&refused.problems)), (false, vec!["backup.missing", "backup.object"]));
    assert!(!root.join("refused").exists());
    let report = restore(root, "second", to(root.join("rest"), None), true).await.unwrap();
    assert!(report.ok && report.problems.is_empty());
    assert_eq!(rules(&report.overruled), ["backup.missing", "backup.object"], "it is not hidden");
    assert_eq!(objects(&root.join("rest/vault")).len(), 1);
    let event = newest_event(&root.join("rest"), "backup-restored").await;
    assert_eq!(event["damaged_count"], 2);
    assert!(event["damaged"].as_array().unwrap().contains(&ids[0].to_string().into()), "{event}");

    // What is not of one object is never overruled by that.
    let copy = root.join("second/backups").read_dir().unwrap().next().unwrap().unwrap().path().join("catalog");
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    restore(root, "second", to(root.join("never"), None), true).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_restored_to_where_another_server_has_its_objects() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    recovery(root);
    fill(root, &["a"]).await;
    back_up(root, "backups").await.unwrap();
    fill(root, &["newer"]).await;
    let vault = root.join("data/vault");
    let before = objects(&vault);
    assert_eq!(before.len(), 2);
    let refused = restore(root, "backups", to(root.join("new"), Some(vault.clone())), false).await.unwrap_err();
    assert!(matches!(&refused, ServerError::Backup(BackupError::Occupied { count: 1, .. })), "{refused:?}");
    assert!(!root.join("new").exists());
    assert_eq!(objects(&vault), before);
    // What that left is removed by the next one; somebody's folder of that name is not.
    assert!(restore(root, "backups", to(root.join("new"), None), false).await.unwrap().ok);
    std::fs::create_dir(root.join("other.restoring")).unwrap();
    std::fs::write(root.join("other.restoring/notes.txt"), "mine").unwrap();
    let refused = restore(root, "backups", to(root.join("other"), None), false).await.unwrap_err();
    assert!(matches!(refused, ServerError::NotEmpty(_)), "{refused:?}");
    assert!(root.join("other.restoring/notes.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_leaves_the_hold_of_another_alone() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    recovery(root);
    fill(root, &["a"]).await;
    let options = SqliteOptions::new(Arc::new(SystemClock));
    let catalog = SqliteStore::open(&root.join("data/catalog.sqlite"), options).unwrap();
    let catalog: &dyn sealyard_store::Store = &catalog;
    let held = "9000000000000 other";
    catalog.write(move |tx| tx.put_setting(BACKUP_HOLD, held)).await.unwrap();
    let hold = || catalog.read(|tx| Ok::<_, StoreError>(tx.setting(BACKUP_HOLD)?.unwrap_or_default()));
    let store = BackupStore::open_or_create(&root.join("backups")).unwrap();
    let lock = store.lock().unwrap();
    let refused = back_up(root, "backups").await.unwrap_err();
    assert!(matches!(refused, ServerError::Backup(BackupError::InUse(_))), "{refused:?}");
    assert_eq!(hold().await.unwrap(), held);
    drop(lock);
    back_up(root, "backups").await.unwrap();
    assert_eq!(hold().await.unwrap(), held);
}

/// The key of a workspace that was deleted since is in every backup of before.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_was_deleted_since_is_left_out_with_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    recovery(root);
    let requests = ["team-a", "team-b"].map(|name| {
        let put = "PUT /api/2.0/mlflow-artifacts/artifacts/file HTTP/1.1\r\n";
        let create = "POST /api/3.0/mlflow/workspaces HTTP/1.1\r\n".to_owned();
        let workspace = format!("X-MLFLOW-WORKSPACE: {name}\r\n");
        [(create, format!("{{\"name\": \"{name}\"}}")), (format!("{put}{workspace}"), format!("content of {name}"))]
    });
    send(Config { workspaces: true, ..config(root) }, requests.concat()).await;
    back_up(root, "backups").await.unwrap();
    let keys = |data: &Path| {
        let catalog =
            SqliteStore::open(&data.join("catalog.sqlite"), SqliteOptions::new(Arc::new(SystemClock))).unwrap();
        async move {
            let catalog: &dyn sealyard_store::Store = &catalog;
            let found = catalog.read(|tx| {
                let names = ["team-a", "team-b"].map(|name| tx.workspace_named(name).map(|found| found.is_some()));
                let [first, second] = names;
                Ok::<_, StoreError>(([first?, second?], tx.workspace_keys()?.len()))
            });
            found.await.unwrap()
        }
    };
    let without = |names: &[&str], place: &str| RestoreTo {
        without: names.iter().map(|&name| name.to_owned()).collect(),
        ..to(root.join(place), None)
    };
    assert!(restore(root, "backups", without(&[], "whole"), false).await.unwrap().ok);
    assert_eq!(keys(&root.join("whole")).await, ([true, true], 2));
    assert!(restore(root, "backups", without(&["team-a"], "rest"), false).await.unwrap().ok);
    assert_eq!(keys(&root.join("rest")).await, ([false, true], 1));
    let event = newest_event(&root.join("rest"), "workspace-key-destroyed").await;
    assert_eq!(event["workspace"], "team-a", "{event}");
    // A name that is not in it is a mistake, and nothing is restored.
    let refused = restore(root, "backups", without(&["nobody"], "none"), false).await.unwrap_err();
    assert!(matches!(refused, ServerError::Store(StoreError::NotFound { .. })), "{refused:?}");
    assert!(!root.join("none").exists() && !root.join("none.restoring").exists(), "found out after the copy");
}
