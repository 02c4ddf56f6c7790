//! Rollbacks of a whole server's ledger, as a start and as a witness see them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_core::{SystemClock, SystemRng};
use sealyard_ledger::witness::AddCheckpoint;
use sealyard_ledger::{Note, VerifierKey, WitnessVerifier};
use sealyard_store_sql::LedgerReader;

use crate::settings::Settings;
use crate::{Config, Server, ServerError, TlsMode, WitnessConfig, WitnessServer};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn config(root: &Path, settings: &str, accept: bool) -> Config {
    Config {
        data_directory: root.join("data"),
        artifacts: None,
        database: None,
        database_password: None,
        listen: LOOPBACK,
        tls: TlsMode::Off,
        policy: None,
        admin_password: None,
        bootstrap_token_file: None,
        ready_file: None,
        no_auth: false,
        ui: None,
        external_sources: false,
        workspaces: false,
        hosts: Vec::new(),
        webhook_allow: Vec::new(),
        master_key: None,
        accept_ledger_rollback: accept,
        settings: Settings::parse(settings, root).unwrap(),
    }
}

async fn start(root: &Path, settings: &str, accept: bool) -> Result<Server, ServerError> {
    Server::start(config(root, settings, accept), Arc::new(SystemClock), Arc::new(SystemRng)).await
}

/// Each start is an entry.
async fn start_and_stop(root: &Path) {
    start(root, "", false).await.unwrap().stop().await;
}

fn catalog(root: &Path) -> PathBuf {
    root.join("data/catalog.sqlite")
}

/// What a catalog in SQLite consists of; the index of the log is made again.
const PARTS: [&str; 2] = ["", "-wal"];

fn copy(root: &Path) {
    // Its last connection may just be closing.
    for _ in 0..200 {
        if !root.join("data/catalog.sqlite-wal").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    for part in PARTS {
        let (from, to) = (format!("data/catalog.sqlite{part}"), format!("copy{part}"));
        if root.join(&from).exists() {
            std::fs::copy(root.join(from), root.join(to)).unwrap();
        }
    }
}

/// Puts the catalog, and nothing else, back to what it was.
fn put_back(root: &Path) {
    for part in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(root.join(format!("data/catalog.sqlite{part}")));
        if root.join(format!("copy{part}")).exists() {
            std::fs::copy(root.join(format!("copy{part}")), root.join(format!("data/catalog.sqlite{part}"))).unwrap();
        }
    }
}

fn acts(root: &Path) -> Vec<String> {
    let entries = LedgerReader::open(&catalog(root)).unwrap();
    let act =
        |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap()["act"].as_str().unwrap().to_owned();
    entries.entries().map(|entry| act(&entry.unwrap().bytes)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_was_put_back_is_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    start_and_stop(root).await;
    let early = std::fs::read(root.join("data/keys/ledger.checkpoint")).unwrap();
    copy(root);
    start_and_stop(root).await;
    put_back(root);
    assert!(matches!(start(root, "", false).await, Err(ServerError::LedgerRollback(_))));
    assert!(!acts(root).contains(&"ledger-rollback-accepted".to_owned()));
    start(root, "", true).await.unwrap().stop().await;
    assert!(acts(root).contains(&"ledger-rollback-accepted".to_owned()), "it is on record");
    start_and_stop(root).await;
    // As long, but another past: the log that went on from the copy is not the one that was kept first.
    let kept = root.join("data/keys/ledger.checkpoint");
    assert_ne!(std::fs::read(&kept).unwrap(), early);
    std::fs::write(&kept, "nonsense").unwrap();
    assert!(matches!(start(root, "", false).await, Err(ServerError::LedgerRollback(_))));
    std::fs::write(&kept, early).unwrap();
    start_and_stop(root).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_past_of_the_same_length_is_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    start_and_stop(root).await;
    copy(root);
    start_and_stop(root).await;
    let kept = std::fs::read(root.join("data/keys/ledger.checkpoint")).unwrap();
    // Its twin has other entries from there on, by the same key.
    put_back(root);
    std::fs::remove_file(root.join("data/keys/ledger.checkpoint")).unwrap();
    for _ in 0..3 {
        start_and_stop(root).await;
    }
    std::fs::write(root.join("data/keys/ledger.checkpoint"), kept).unwrap();
    let refused = start(root, "", false).await.unwrap_err();
    assert!(refused.to_string().contains("are not those"), "{refused}");
}

async fn witness(root: &Path) -> WitnessServer {
    let key: VerifierKey = std::fs::read_to_string(root.join("data/keys/ledger.pub")).unwrap().trim().parse().unwrap();
    let config = WitnessConfig {
        listen: LOOPBACK,
        tls: TlsMode::Off,
        state: root.join("witness"),
        name: "witness.example/1".into(),
        logs: vec![key],
    };
    WitnessServer::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await.unwrap()
}

fn settings(witness: &WitnessServer) -> String {
    let (url, key) = (witness.url(), witness.verifier());
    format!("[ledger]\nwitnesses = [{{ name = \"one\", url = \"{url}\", key = \"{key}\" }}]\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_cosigns_what_grows_and_tells_of_a_rollback() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    start_and_stop(root).await;
    copy(root);

    let watching = witness(root).await;
    let key: WitnessVerifier = watching.verifier().parse().unwrap();
    let server = start(root, &settings(&watching), false).await.unwrap();
    server.app().sequence().await.unwrap();
    assert_eq!(server.app().ask_witnesses().await, 1);
    let note = server.app().checkpoint_to_keep().await.unwrap().unwrap();
    assert!(key.cosigned(&Note::parse(&note).unwrap()).unwrap().is_some(), "{note}");
    server.stop().await;
    watching.stop().await;

    // A witness that was started again still knows, and the catalog with all of its keys was put back.
    put_back(root);
    std::fs::remove_file(root.join("data/keys/ledger.checkpoint")).unwrap();
    let watching = witness(root).await;
    let server = start(root, &settings(&watching), false).await.unwrap();
    server.app().sequence().await.unwrap();
    assert_eq!(server.app().ask_witnesses().await, 0);
    server.stop().await;
    assert_eq!(acts(root).iter().filter(|act| *act == "witness-refused").count(), 1);
    watching.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_answers_as_the_protocol_says() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    start_and_stop(root).await;
    let watching = witness(root).await;
    let reader = LedgerReader::open(&catalog(root)).unwrap();
    let newest = reader.checkpoints().unwrap().pop().unwrap();
    let outbound = sealyard_outbound::Outbound::new(sealyard_outbound::AllowList::parse(["127.0.0.1"]).unwrap());
    let post = async |path: &str, body: String| {
        let answer = outbound.post(&format!("{}{path}", watching.url()), &[], body.into()).await.unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    let request = |old| AddCheckpoint { old, proof: vec![], checkpoint: newest.note.clone() }.to_body();
    assert_eq!(post("/elsewhere", request(0)).await.0, 404);
    assert_eq!(post("/add-checkpoint", "nonsense".into()).await.0, 400);
    assert_eq!(post("/add-checkpoint", "x".repeat(200_000)).await.0, 413);
    let foreign = request(0).replace(newest.note.lines().next().unwrap(), "log.example");
    assert_eq!(post("/add-checkpoint", foreign).await.0, 404);
    let changed = request(0).replace(&format!("\n{}\n", newest.size), &format!("\n{}\n", newest.size + 1));
    assert_eq!(post("/add-checkpoint", changed).await.0, 403);
    assert_eq!(post("/add-checkpoint", request(newest.size + 1)).await.0, 400);
    let (status, line) = post("/add-checkpoint", request(0)).await;
    assert_eq!((status, line.starts_with("\u{2014} witness.example/1 ")), (200, true));
    assert_eq!(post("/add-checkpoint", request(0)).await, (409, format!("{}\n", newest.size)));
    assert_eq!(post("/add-checkpoint", request(newest.size)).await.0, 200);

    // A second process must not cosign out of the same state.
    let key = std::fs::read_to_string(root.join("data/keys/ledger.pub")).unwrap().trim().parse().unwrap();
    let config = WitnessConfig {
        listen: LOOPBACK,
        tls: TlsMode::Off,
        state: root.join("witness"),
        name: "witness.example/1".into(),
        logs: vec![key],
    };
    let second = WitnessServer::start(config.clone(), Arc::new(SystemClock), Arc::new(SystemRng)).await;
    assert!(matches!(second, Err(ServerError::InUse(_))));
    watching.stop().await;
    // Two logs of one name would share what is kept of each.
    let twin = sealyard_ledger::LedgerKey::generate(config.logs[0].name(), &SystemRng).unwrap().verifier();
    let twins = WitnessConfig { state: root.join("twins"), logs: vec![config.logs[0].clone(), twin], ..config.clone() };
    let refused = WitnessServer::start(twins, Arc::new(SystemClock), Arc::new(SystemRng)).await;
    assert!(matches!(refused, Err(ServerError::Key(_))));
    // Nor one that can't read what was cosigned.
    let kept = std::fs::read_dir(root.join("witness")).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.into_iter().find(|path| path.extension().is_some_and(|end| end == "checkpoint")).unwrap();
    std::fs::write(kept, "nonsense").unwrap();
    let damaged = WitnessServer::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await;
    assert!(matches!(damaged, Err(ServerError::Key(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_where_it_was_and_doubles_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let settings = "[ledger.export.lines]\nkind = \"file\"\npath = \"ledger.jsonl\"\n";
    let indexes = || {
        let text = std::fs::read_to_string(root.join("ledger.jsonl")).unwrap_or_default();
        let index = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["index"].as_u64().unwrap();
        text.lines().map(index).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        let server = start(root, settings, false).await.unwrap();
        server.app().sequence().await.unwrap();
        let size = server.app().entries_to_export(0, false).await.unwrap().len();
        for _ in 0..200 {
            if indexes().len() >= size {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        server.stop().await;
        let found = indexes();
        assert!(found.len() >= size && found.iter().zip(0..).all(|(index, place)| *index == place), "{found:?}");
    }
    assert_eq!(of_act(root, "ledger-export-begun").len(), 1, "and where they go is said once");

    // The line is of another past of this ledger: nothing is added to it.
    let path = root.join("ledger.jsonl");
    let other = format!("{}\n", sealyard_ledger::line(1, br#"{"act":"another-past"}"#));
    std::fs::write(&path, &other).unwrap();
    let server = start(root, settings, false).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    server.stop().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
}

fn of_act(root: &Path, act: &str) -> Vec<serde_json::Value> {
    let entries = LedgerReader::open(&catalog(root)).unwrap();
    let event = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    entries.entries().map(|entry| event(&entry.unwrap().bytes)).filter(|event| event["act"] == act).collect()
}

#[test]
fn the_doctor_is_told_of_every_kind_of_provider_and_of_exports() {
    let settings = r#"
        [identity.saml.corp]
        metadata_file = "idp.xml"
        entity_id = "https://ml.example/saml"
        acs_url = "https://ml.example/auth/saml/corp/acs"
        [ledger.export.lines]
        kind = "file"
        path = "ledger.jsonl"
    "#;
    let config = config(Path::new("/nowhere"), settings, false);
    assert_eq!(crate::deployment::providers(&config), ["corp"]);
    assert_eq!(crate::deployment::exports(&config), ["lines"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_settings_is_on_record_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let changes = |root: &Path| of_act(root, "configuration-changed");
    start_and_stop(root).await;
    start_and_stop(root).await;
    assert_eq!(changes(root).len(), 1, "the first start, and nothing changed after it");
    let settings = "[ledger.export.lines]\nkind = \"file\"\npath = \"ledger.jsonl\"\n";
    start(root, settings, false).await.unwrap().stop().await;
    let found = changes(root);
    assert_eq!(found.len(), 2);
    let changed = serde_json::json!(["settings.ledger.export.lines.kind", "settings.ledger.export.lines.path"]);
    assert_eq!(found[1]["changed"], changed);
    assert_eq!(found[1]["before"], found[0]["configuration"]);
    assert!(!found[1].to_string().contains("ledger.jsonl"), "the values themselves are not in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_is_not_put_below_what_was_kept() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let (keys, path) = (root.join("data/keys"), root.join("data/keys/ledger.checkpoint"));
    start_and_stop(root).await;
    let server = start(root, "", false).await.unwrap();
    server.app().sequence().await.unwrap();
    let kept = crate::head::keep(server.app(), &keys, None).await.unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), kept);
    // It grows, and what is kept with it.
    server.app().accept_ledger_rollback(1, 1).await.unwrap();
    server.app().sequence().await.unwrap();
    let grown = crate::head::keep(server.app(), &keys, None).await.unwrap().unwrap();
    assert_ne!(grown, kept);
    // A head of the same key that this log does not continue, of as many entries and of more.
    let pem = std::fs::read_to_string(keys.join("ledger.key")).unwrap();
    let origin = kept.lines().next().unwrap();
    let key = sealyard_ledger::LedgerKey::from_pem(&sealyard_core::Redacted::new(pem), origin).unwrap();
    for size in [1, 2, 1000] {
        let fork = sealyard_ledger::Checkpoint::sign(size, &sealyard_core::Digest::of(b"another"), &key);
        std::fs::write(&path, &fork).unwrap();
        let refused = crate::head::keep(server.app(), &keys, Some(&grown)).await;
        assert!(matches!(refused, Err(ServerError::LedgerRollback(_))), "{size}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), fork, "the proof stays");
    }
    // Nor when the file was taken away.
    std::fs::remove_file(&path).unwrap();
    let fork = sealyard_ledger::Checkpoint::sign(2, &sealyard_core::Digest::of(b"another"), &key);
    assert!(crate::head::keep(server.app(), &keys, Some(&fork)).await.is_err());
    assert!(!path.exists());
    server.stop().await;
}
