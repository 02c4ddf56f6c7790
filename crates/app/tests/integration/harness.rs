//! An application over a catalog and a vault of its own, with a clock that stands still.

use std::convert::Infallible;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use sealyard_app::{
    App, AppError, Caller, CreateVersion, Credentials, Download, LoadedPolicy, NewToken, NewUser, Parts, ServerKeys,
    Upload,
};
use sealyard_core::{Clock, FixedClock, FixedRng, Redacted, Rng, Timestamp, TreePath};
use sealyard_evidence::{Curve, SigningKey};
use sealyard_identity::{
    Administer, Authorized, Edit, ExperimentId, ModelName, PrincipalName, Read, RegistryEntry, ResourcePattern, Scope,
    UserDirectory,
};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome, VerifyReport, verify};
use sealyard_store::model::{
    Artifact, ArtifactOwner, LoggedModel, LoggedModelStatus, ModelVersion, NewExperiment, NewLoggedModel, NewRun,
};
use sealyard_store::{Store, StoreError, Transaction};
use sealyard_store_sql::{LedgerReader, SqliteOptions, SqliteStore};
use sealyard_vault::{Keyring, ObjectId, Vault};

use crate::meddling::MeddlingStore;
use crate::samples;

pub(crate) const PASSWORD: &str = "Tern-Basalt-Quillwort-58";
pub(crate) const BUILDER: &str = "https://sealyard.dev/runner/local/v1";

pub(crate) const POLICY: &str = r#"
version = 1
[keys]
release = "release.pub"
runner = "runner.pub"
scanner = "scanner.pub"
gate = "gate.pub"
[publish]
signed_by = ["release"]
scan = { signed_by = ["scanner"], verdict = "safe" }
provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }
[deploy]
published_by = ["gate"]
signed_by = ["release"]
scan = { signed_by = ["scanner"], verdict = "safe" }
provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }
[load]
deployed_by = ["gate"]
signed_by = ["release"]
scan = { signed_by = ["scanner"], verdict = "safe" }
provenance = "not required"
[aliases]
protected = ["champion"]
"#;

pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) store: MeddlingStore,
    pub(crate) admin: Caller,
    pub(crate) policy: Option<LoadedPolicy>,
    verifier: sealyard_ledger::VerifierKey,
    directory: tempfile::TempDir,
}

/// The key called `name`, always the same.
pub(crate) fn key(name: &str) -> SigningKey {
    let seed = name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    SigningKey::generate(Curve::P256, &FixedRng::seeded(seed)).unwrap()
}

pub(crate) fn start() -> Timestamp {
    Timestamp::from_rfc3339("2026-11-22T12:00:00Z").unwrap()
}

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

pub(crate) fn name(text: &str) -> PrincipalName {
    PrincipalName::new(text).unwrap()
}

/// A model's name, to be authorized for.
pub(crate) fn entry(text: &str) -> RegistryEntry {
    RegistryEntry::new(model(text), false)
}

pub(crate) fn model(text: &str) -> ModelName {
    ModelName::new(text).unwrap()
}

pub(crate) fn password(text: &str) -> Redacted<String> {
    Redacted::new(text.to_owned())
}

/// An application without any user.
pub(crate) struct Bare {
    pub(crate) app: Arc<App>,
    clock: Arc<FixedClock>,
    vault: Arc<Vault>,
    pub(crate) store: MeddlingStore,
    policy: Option<LoadedPolicy>,
    verifier: sealyard_ledger::VerifierKey,
    directory: tempfile::TempDir,
}

pub(crate) async fn bare(policy: Option<&str>) -> Bare {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let clock = Arc::new(FixedClock::at(start()));
    let rng: Arc<dyn Rng> = Arc::new(FixedRng::seeded(42));
    let keys = ServerKeys::open_or_create(root, &*rng).unwrap();
    for signer in ["release", "runner"] {
        std::fs::write(root.join(signer).with_extension("pub"), key(signer).public_key().to_pem()).unwrap();
    }
    let policy = policy.map(|text| {
        std::fs::write(root.join("policy.toml"), text).unwrap();
        LoadedPolicy::read(&root.join("policy.toml")).unwrap()
    });
    let keyring = Keyring::open_or_create(&root.join("master.key"), &*rng).unwrap();
    let vault = Arc::new(Vault::open_or_create(&root.join("vault"), keyring, Arc::clone(&rng)).unwrap());
    let options = SqliteOptions::new(Arc::clone(&clock) as Arc<dyn Clock>);
    options.seals.set(&[7; 32]);
    let store = MeddlingStore::new(Arc::new(SqliteStore::open(&root.join("catalog.db"), options).unwrap()));
    let ledger_key = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
    let verifier = ledger_key.verifier();
    let app = App::new(Parts {
        store: Arc::new(store.clone()),
        vault: Arc::clone(&vault),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        rng,
        keys,
        ledger_key,
        policy: policy.clone(),
    })
    .await
    .unwrap();
    Bare { app: Arc::new(app), clock, vault, store, policy, verifier, directory }
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with_policy(Some(POLICY)).await
    }

    pub(crate) async fn with_policy(policy: Option<&str>) -> Self {
        let Bare { app, clock, vault, store, policy, verifier, directory } = bare(policy).await;
        app.first_administrator(name("admin"), Some(password(PASSWORD))).await.unwrap().unwrap();
        let credentials = Credentials::Password { name: "admin".into(), password: password(PASSWORD) };
        let admin = app.authenticate(credentials, None, None).await.unwrap();
        Self { app, clock, vault, store, admin, policy, verifier, directory }
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    // People.

    pub(crate) async fn log_in(&self, who: &str, secret: &str) -> Result<Caller, AppError> {
        let credentials = Credentials::Password { name: who.into(), password: password(secret) };
        self.app.authenticate(credentials, None, None).await
    }

    pub(crate) async fn administer(&self) -> Authorized<Administer, UserDirectory> {
        self.app.authorize(&self.admin, Administer, UserDirectory).await.unwrap()
    }

    /// A user with `grants`, logged in.
    pub(crate) async fn user(&self, who: &str, grants: &[(&str, &str)]) -> Caller {
        let may = self.administer().await;
        let new = NewUser { name: name(who), password: password(PASSWORD), admin: false };
        self.app.create_user(&self.admin, &may, new).await.unwrap();
        for (pattern, right) in grants {
            self.grant(who, pattern, right).await.unwrap();
        }
        self.log_in(who, PASSWORD).await.unwrap()
    }

    pub(crate) async fn grant(&self, who: &str, pattern: &str, right: &str) -> Result<(), AppError> {
        let may = self.administer().await;
        let pattern: ResourcePattern = pattern.parse().unwrap();
        self.app.set_grant(&self.admin, &may, &name(who), pattern, right.parse().unwrap()).await
    }

    pub(crate) async fn token(&self, caller: &Caller, scopes: &[&str]) -> Redacted<String> {
        let scopes: Vec<Scope> = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
        self.app.create_token(caller, NewToken { scopes, expires: None }).await.unwrap().0
    }

    pub(crate) async fn with_token(&self, token: &Redacted<String>) -> Result<Caller, AppError> {
        self.app.authenticate(Credentials::Token(token.clone()), None, None).await
    }

    // The catalog, behind the application's back.

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let store: &dyn Store = &self.store;
        store.write(work).await.unwrap()
    }

    /// Another connection to the database, for what the application never does.
    pub(crate) fn sql(&self, statement: &str) {
        let connection = rusqlite::Connection::open(self.root().join("catalog.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.execute_batch(statement).unwrap();
    }

    /// As [`Self::sql`], where triggers of a table hold that up: they are there again when it is done.
    pub(crate) fn sql_past_the_triggers_of(&self, table: &str, statement: &str) {
        let connection = rusqlite::Connection::open(self.root().join("catalog.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        let mut found =
            connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1").unwrap();
        let triggers: Vec<(String, String)> =
            found.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        assert!(!triggers.is_empty());
        let drop: String = triggers.iter().map(|(name, _)| format!("DROP TRIGGER {name};")).collect();
        let again: String = triggers.iter().map(|(_, sql)| format!("{sql};")).collect();
        connection.execute_batch(&format!("BEGIN; {drop} {statement}; {again} COMMIT")).unwrap();
    }

    /// From now on no event can be written, though acts can: the outbox has no number left for one.
    pub(crate) fn take_no_events(&self) {
        self.sql("INSERT OR IGNORE INTO outbox (number, event) VALUES (9223372036854775806, x''); DELETE FROM outbox WHERE event = x'';
             UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'outbox'");
    }

    /// The end of that.
    pub(crate) fn take_events_again(&self) {
        self.sql("UPDATE sqlite_sequence SET seq = 1000000 WHERE name = 'outbox'");
    }

    /// Rows as the server would have written them, in a way that it never does.
    pub(crate) async fn sql_as_the_server(&self, statement: &str) {
        self.sql(statement);
        self.write(|tx| tx.seal_rows_since(0)).await;
    }

    // Experiments, runs, models.

    pub(crate) async fn experiment(&self, called: &str) -> ExperimentId {
        let new = NewExperiment { name: called.into(), tags: vec![], created: start() };
        let made = self.write(move |tx| tx.create_experiment(&new)).await;
        ExperimentId::new(made.id).unwrap()
    }

    pub(crate) async fn run(&self, experiment: &ExperimentId) -> ArtifactOwner {
        let id = self.app.rng().hex_id();
        let new = NewRun {
            id: id.clone(),
            experiment_id: experiment.to_string(),
            name: "run".into(),
            user: "ada".into(),
            created_by: "ada".into(),
            start: start(),
            tags: vec![],
        };
        self.write(move |tx| tx.create_run(&new)).await;
        ArtifactOwner::Run(id)
    }

    pub(crate) async fn logged_model(&self, experiment: &ExperimentId) -> ArtifactOwner {
        let id = format!("m-{}", self.app.rng().hex_id());
        let new = NewLoggedModel {
            id: id.clone(),
            experiment_id: experiment.to_string(),
            name: "model".into(),
            source_run_id: None,
            model_type: String::new(),
            created: start(),
            created_by: "ada".into(),
            tags: vec![],
            params: vec![],
        };
        self.write(move |tx| tx.create_logged_model(&new)).await;
        ArtifactOwner::LoggedModel(id)
    }

    pub(crate) async fn registered_model(&self, called: &'static str) {
        self.write(move |tx| tx.create_registered_model(called, "", &[], "ada", start())).await;
    }

    pub(crate) async fn may_edit(&self, experiment: &ExperimentId) -> Authorized<Edit, ExperimentId> {
        self.app.authorize(&self.admin, Edit, experiment.clone()).await.unwrap()
    }

    pub(crate) async fn may_read(&self, experiment: &ExperimentId) -> Authorized<Read, ExperimentId> {
        self.app.authorize(&self.admin, Read, experiment.clone()).await.unwrap()
    }

    pub(crate) async fn put(
        &self,
        experiment: &ExperimentId,
        owner: &ArtifactOwner,
        at: &str,
        content: &[u8],
    ) -> Result<Artifact, AppError> {
        let may = self.may_edit(experiment).await;
        let upload = Upload { owner: owner.clone(), path: path(at), limit: 1 << 30 };
        let body = stream::iter(content.chunks(100_000).map(Bytes::copy_from_slice).map(Ok::<_, Infallible>));
        self.app.upload(&self.admin, &may, upload, body).await
    }

    pub(crate) async fn get(
        &self,
        experiment: &ExperimentId,
        owner: &ArtifactOwner,
        at: &str,
    ) -> Result<Download, AppError> {
        let may = self.may_read(experiment).await;
        self.app.download(&self.admin, &may, owner, &path(at)).await
    }

    pub(crate) async fn delete(
        &self,
        experiment: &ExperimentId,
        owner: &ArtifactOwner,
        at: &str,
    ) -> Result<(), AppError> {
        let may = self.may_edit(experiment).await;
        self.app.delete_artifacts(&self.admin, &may, owner, &path(at)).await
    }

    pub(crate) async fn finalise(
        &self,
        experiment: &ExperimentId,
        owner: &ArtifactOwner,
    ) -> Result<LoggedModel, AppError> {
        let may = self.may_edit(experiment).await;
        let id = id(owner);
        self.app.finalise_logged_model(&self.admin, &may, &id, LoggedModelStatus::Ready, String::new()).await
    }

    /// A finalised model with good files.
    pub(crate) async fn good_model(&self, experiment: &ExperimentId) -> ArtifactOwner {
        let owner = self.logged_model(experiment).await;
        self.put(experiment, &owner, "MLmodel", samples::MLMODEL).await.unwrap();
        self.put(experiment, &owner, "weights.txt", samples::WEIGHTS).await.unwrap();
        self.finalise(experiment, &owner).await.unwrap();
        owner
    }

    pub(crate) async fn version_from(
        &self,
        caller: &Caller,
        called: &str,
        source: &str,
    ) -> Result<ModelVersion, AppError> {
        let may = self.app.authorize(caller, Edit, entry(called)).await.unwrap();
        let request = CreateVersion {
            source: source.to_owned(),
            run_id: None,
            model_id: None,
            description: String::new(),
            tags: vec![],
        };
        self.app.create_version(caller, &may, request).await
    }

    /// Version 1 of the registered model `m`, from a good logged model in an experiment of its own.
    pub(crate) async fn good_version(&self) -> (ExperimentId, ArtifactOwner, ModelVersion) {
        let experiment = self.experiment("training").await;
        let owner = self.good_model(&experiment).await;
        self.registered_model("m").await;
        let version = self.version_from(&self.admin, "m", &format!("models:/{}", id(&owner))).await.unwrap();
        (experiment, owner, version)
    }

    // The vault.

    pub(crate) fn object_file(&self, object: &str) -> PathBuf {
        self.root().join("vault/objects").join(&object[..2]).join(object)
    }

    /// How many objects there are, and how many pending ones.
    pub(crate) fn objects(&self) -> (usize, usize) {
        let files = |path: PathBuf| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let objects = files(self.root().join("vault/objects")).flat_map(files).count();
        (objects, files(self.root().join("vault/pending")).count())
    }

    pub(crate) fn change_a_byte(&self, object: &str) {
        let file = self.object_file(object);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() - 17;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }

    /// What somebody can do who has the key of the vault.
    pub(crate) fn exchange(&self, object: &str, content: &[u8]) {
        let id: ObjectId = object.parse().unwrap();
        self.vault.delete(&id).unwrap();
        let mut pending = self.vault.begin_with_id(id).unwrap();
        pending.write_all(content).unwrap();
        let sealed = pending.seal().unwrap();
        self.vault.commit(&sealed).unwrap();
    }

    // The ledger.

    /// What the log holds, as it was written.
    pub(crate) async fn entries(&self) -> Vec<String> {
        while self.app.sequence().await.unwrap() > 0 {}
        let store: &dyn Store = &self.store;
        let entries = store.read(|tx| tx.entries(0, 10_000)).await.unwrap();
        entries.into_iter().map(|entry| String::from_utf8(entry.bytes).unwrap()).collect()
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        self.entries().await.iter().map(|entry| serde_json::from_str(entry).unwrap()).collect()
    }

    pub(crate) async fn refused_versions(&self) -> usize {
        self.count(Outcome::Refused, |act| matches!(act, Act::VersionRefused { .. })).await
    }

    /// How many events of `outcome` there are that `is` says yes to.
    pub(crate) async fn count(&self, outcome: Outcome, is: impl Fn(&Act) -> bool) -> usize {
        self.events().await.iter().filter(|event| event.outcome == outcome && is(&event.act)).count()
    }

    pub(crate) async fn verify_ledger(&self) -> VerifyReport {
        while self.app.sequence().await.unwrap() > 0 {}
        let reader = LedgerReader::open(&self.root().join("catalog.db")).unwrap();
        let notes: Vec<String> = reader.checkpoints().unwrap().into_iter().map(|checkpoint| checkpoint.note).collect();
        verify(reader.entries(), notes, &self.verifier, None).unwrap()
    }
}

pub(crate) fn id(owner: &ArtifactOwner) -> String {
    match owner {
        ArtifactOwner::Run(id) | ArtifactOwner::LoggedModel(id) | ArtifactOwner::Trace(id) => id.clone(),
        ArtifactOwner::Loose => String::new(),
    }
}

/// The bytes that came, and whether an error ended them.
pub(crate) async fn read(mut download: Download) -> (Vec<u8>, Option<std::io::Error>) {
    let mut bytes = Vec::new();
    while let Some(piece) = download.pieces.recv().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(error) => return (bytes, Some(error)),
        }
    }
    (bytes, None)
}

#[track_caller]
pub(crate) fn refused_by<T: std::fmt::Debug>(result: Result<T, AppError>, rule: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.rules(), [rule], "{error}");
}

#[track_caller]
pub(crate) fn is_conflict<T: std::fmt::Debug>(result: Result<T, AppError>) {
    assert!(matches!(result, Err(AppError::Conflict(_))), "{result:?}");
}
