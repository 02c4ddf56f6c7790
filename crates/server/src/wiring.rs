//! The only place that names adapters.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealyard_api::Pages;
use sealyard_app::{App, LoadedPolicy, NewToken, Parts, ServerKeys};
use sealyard_core::{Clock, Redacted, Rng, durable};
use sealyard_identity::{PrincipalName, Scope};
use sealyard_ledger::LedgerKey;
use sealyard_outbound::{AllowList, Outbound};
use sealyard_store::Store;
use sealyard_transport::TlsSlot;
use sealyard_vault::{ArtifactsUrl, ArtifactsUrlError, Keyring, LocalBackend, Vault};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::doors::Doors;
use crate::export::Export;
use crate::seal::Noted;
use crate::{
    Config, DataDirectory, FirstStart, ServerError, TlsMode, catalog, deployment, head, identity, master_key, ready,
};

/// The name of the first administrator.
const ADMINISTRATOR: &str = "admin";

/// A running server.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    url: String,
    certificate: Option<PathBuf>,
    slot: Option<Arc<TlsSlot>>,
    others: Vec<(String, String)>,
    first: Option<FirstStart>,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
    sequencing: JoinHandle<()>,
    witnessing: JoinHandle<()>,
    keeping: JoinHandle<()>,
    exporting: Vec<JoinHandle<()>>,
    delivering: JoinHandle<()>,
    tidying: JoinHandle<()>,
    noted: Noted,
    rewriting: JoinHandle<()>,
    directory: DataDirectory,
}

impl Server {
    /// Opens the data directory, makes what a first start needs, and serves.
    ///
    /// # Errors
    /// [`ServerError`]; nothing is left half-made then, and a later start goes on where this one stopped.
    pub async fn start(config: Config, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, ServerError> {
        if config.tls == TlsMode::Off && !config.listen.ip().is_loopback() {
            return Err(ServerError::LoopbackOnly("--tls off"));
        }
        if config.no_auth && !config.listen.ip().is_loopback() {
            return Err(ServerError::LoopbackOnly("--no-auth"));
        }
        let outbound = Outbound::new(AllowList::parse(&config.webhook_allow)?);
        let policy = config.policy.as_deref().map(LoadedPolicy::read).transpose()?;
        let pages = config.ui.as_deref().map(Pages::read).transpose()?;
        let directory = DataDirectory::open(&config.data_directory)?;
        let doors = Doors::open(&config, &directory.keys(), &clock, &rng).await?;
        let address = doors.address().unwrap_or(config.listen);
        let slot = doors.tls();
        let others = doors.others();
        let master =
            master_key::named(&config.settings, config.master_key.as_ref(), Arc::clone(&clock), Arc::clone(&rng))?;
        let (ring, keeper) = master_key::open(&directory, master, &*rng).await?;
        let vault = open_vault(&directory, config.artifacts.clone(), ring, Arc::clone(&rng)).await?;
        let (database, password) = (config.database.as_ref(), config.database_password.as_ref());
        let (store, noted) = catalog::open(&directory, database, password, Arc::clone(&clock), &vault, &*rng).await?;
        identity::check_names(&config.settings)?;
        let directories = identity::directories(&config.settings, &rng)?;
        let (saml, saml_key) = identity::saml_providers(&config.settings, &vault, &clock, &rng)?;
        let oidc = identity::oidc_providers(&config.settings, &vault, &clock, &rng)?;
        let app = build(&directory, store, vault, policy, clock, rng).await?.with_outbound(outbound);
        let app = app.with_account_rules(config.settings.identity.account_rules()?);
        let app = app.with_deployment(deployment::describe(&config, &directory, &doors, &keeper.master()));
        let mut app = app.with_directories(directories).with_key_keeper(keeper);
        if let Some(oidc) = oidc {
            app = app.with_oidc(oidc);
        }
        app = app.with_witnesses(config.settings.ledger.witnesses(&config.settings.folder)?);
        let mut sinks = Vec::new();
        for (name, export) in &config.settings.ledger.export {
            sinks.push((name.clone(), export.sink(name, &config.settings.folder)?, export.personal()));
        }
        let app = Arc::new(app.with_saml(saml, saml_key));
        // Before anything is written into a log that was put back.
        head::check(&app, &directory.keys(), config.accept_ledger_rollback).await?;
        app.declare_group_roles(identity::declared_roles(&config.settings)).await?;
        if config.external_sources {
            app.record_external_sources();
        }
        if config.workspaces {
            app.enable_workspaces();
        }
        app.note_vault_keys().await?;
        app.load_workspace_keys().await?;
        app.seal_plain_webhook_urls().await?;
        let first = first_start(&app, &config).await?;
        app.record_start(env!("CARGO_PKG_VERSION")).await?;
        app.record_configuration(config.effective()).await?;
        if config.no_auth {
            app.disable_authentication().await?;
        }
        let url = url(slot.is_some(), address);
        let certificate = match config.tls {
            TlsMode::Automatic => Some(directory.keys().join("tls.crt")),
            TlsMode::Files { certificate, .. } => Some(certificate),
            // Clients know the authority of a directory.
            TlsMode::Acme | TlsMode::Off => None,
        };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(noted.clone().follow(Arc::downgrade(&app)));
        if config.database.is_some() {
            tokio::spawn(catalog::follow_others(Arc::downgrade(&app)));
        }
        if let Err(error) = app.reopen_uploads().await {
            tracing::warn!(%error, "uploads that were being completed could not be opened again");
        }
        tokio::spawn(identity::probe(Arc::clone(&app)));
        let sequencing = tokio::spawn(Arc::clone(&app).run_sequencer());
        let witnessing = tokio::spawn(Arc::clone(&app).run_witnessing());
        let exporting = sinks
            .into_iter()
            .map(|(name, sink, personal)| tokio::spawn(Export::new(name, sink, personal).run(Arc::clone(&app))));
        let exporting = exporting.collect();
        let keeping = tokio::spawn(head::follow(Arc::clone(&app), directory.keys()));
        let delivering = tokio::spawn(Arc::clone(&app).run_deliveries());
        let tidying = tokio::spawn(Arc::clone(&app).run_housekeeping());
        let rewriting = tokio::spawn(Arc::clone(&app).run_vault_work());
        let serving = doors.serve(&app, pages, &stopped);
        let sweeping = Arc::clone(&app);
        tokio::spawn(async move {
            if let Err(error) = sweeping.remove_leftovers().await {
                tracing::warn!(%error, "leftovers in the vault could not be removed");
            }
        });
        let server = Self {
            app,
            url,
            certificate,
            slot,
            others,
            first,
            stop,
            serving,
            sequencing,
            witnessing,
            keeping,
            exporting,
            delivering,
            tidying,
            noted,
            rewriting,
            directory,
        };
        if let Some(path) = &config.ready_file {
            let token_file = config.bootstrap_token_file.as_deref();
            let user = if config.no_auth { sealyard_app::LOCAL_ADMINISTRATOR } else { ADMINISTRATOR };
            ready::write(path, &server.url, server.certificate.as_deref(), user, token_file)?;
        }
        Ok(server)
    }

    #[cfg(test)]
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// Such as `https://127.0.0.1:5000`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate that clients are told to trust.
    #[must_use]
    pub fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// SHA-256 of that certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.slot.as_ref().map(|slot| slot.fingerprint())
    }

    /// The name and URL of each further listener.
    #[must_use]
    pub fn listeners(&self) -> &[(String, String)] {
        &self.others
    }

    /// What a first start made; `None` later.
    #[must_use]
    pub const fn first(&self) -> Option<&FirstStart> {
        self.first.as_ref()
    }

    /// Notes that the first administrator's password was shown. Until then each start makes another one, so that a start
    /// that was killed locks nobody out.
    ///
    /// # Errors
    /// [`ServerError::App`].
    pub async fn first_shown(&self) -> Result<(), ServerError> {
        Ok(self.app.first_start_done().await?)
    }

    /// Lets requests under way end, then stops.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for serving in self.serving {
            let _ = serving.await;
        }
        self.sequencing.abort();
        self.witnessing.abort();
        self.keeping.abort();
        self.exporting.iter().for_each(JoinHandle::abort);
        self.delivering.abort();
        self.tidying.abort();
        self.rewriting.abort();
        // Refusals that were only counted are not written yet.
        if let Err(error) = self.app.write_counted_refusals().await {
            tracing::error!(%error, "counted refusals could not be written");
        }
        if let Err(error) = self.app.write_counted_reads(true).await {
            tracing::error!(%error, "counted reads could not be written");
        }
        // What was acknowledged is durable already; this only saves the next start the work.
        let _ = self.app.sequence().await;
        if let Err(error) = self.noted.write() {
            tracing::warn!(%error, "what is known of the rows' seals could not be kept");
        }
        if let Err(error) = head::keep(&self.app, &self.directory.keys(), None).await {
            tracing::warn!(%error, "the head of the ledger could not be kept");
        }
    }
}

pub(crate) async fn open_vault(
    directory: &DataDirectory,
    artifacts: Option<ArtifactsUrl>,
    keyring: Keyring,
    rng: Arc<dyn Rng>,
) -> Result<Arc<Vault>, ServerError> {
    let (local, runtime) = (directory.vault(), Handle::current());
    // It waits for disks and services.
    let opened = tokio::task::spawn_blocking(move || match artifacts {
        None => Ok(Vault::open_or_create(&local, keyring, rng)?),
        Some(ArtifactsUrl::Directory(path)) => {
            let place = |source| ServerError::File { what: "use the artifact directory", path: path.clone(), source };
            let backend = LocalBackend::open_or_create(&path).map_err(place)?.shared();
            let name = path.display().to_string();
            Ok(Vault::with_backend(&name, &path.join("pending"), Arc::new(backend), keyring, rng)?)
        }
        Some(url) => {
            let backend = url.remote(runtime)?.ok_or_else(|| ArtifactsUrlError::Malformed(url.to_string()))?;
            Ok(Vault::with_backend(&url.to_string(), &local.join("pending"), Arc::new(backend), keyring, rng)?)
        }
    });
    let opened = opened.await.map_err(|error| ServerError::Key(error.to_string()))?;
    opened.map(Arc::new)
}

pub(crate) async fn build(
    directory: &DataDirectory,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    policy: Option<LoadedPolicy>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Result<App, ServerError> {
    let keys = directory.keys();
    let origin = ledger_origin(&keys.join("ledger.origin"), &*rng)?;
    let ledger_key = LedgerKey::open_or_create(&keys.join("ledger.key"), &origin, &*rng)
        .map_err(|error| ServerError::Key(error.to_string()))?;
    let verifier = DataDirectory::ledger_verifier_in(directory.root());
    let text = format!("{}\n", ledger_key.verifier());
    durable::write(&verifier, text.as_bytes(), 0o644).map_err(|source| ServerError::File {
        what: "write",
        path: verifier.clone(),
        source,
    })?;
    let keys = ServerKeys::open_or_create(&keys, &*rng)?;
    Ok(App::new(Parts { store, vault, clock, rng, keys, ledger_key, policy }).await?)
}

/// The name under which this server's checkpoints are signed: made once, so that two logs never share one.
fn ledger_origin(path: &Path, rng: &dyn Rng) -> Result<String, ServerError> {
    let file = |what, source| ServerError::File { what, path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(origin) => Ok(origin.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let origin = format!("sealyard.dev/ledger/{}", rng.hex_id());
            durable::write(path, format!("{origin}\n").as_bytes(), 0o644).map_err(|source| file("write", source))?;
            Ok(origin)
        }
        Err(error) => Err(file("read", error)),
    }
}

/// Makes the first administrator, and its token where a file was named for it. Unless the operator has a way in by the
/// end of this, the next start makes the account anew until [`Server::first_shown`] says that its password was shown.
///
/// A server that asks nobody who they are needs no account; the first start that does ask makes it.
async fn first_start(app: &App, config: &Config) -> Result<Option<FirstStart>, ServerError> {
    if config.no_auth && config.admin_password.is_none() && config.bootstrap_token_file.is_none() {
        return Ok(None);
    }
    if let Some(path) = &config.bootstrap_token_file {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let exists = path.symlink_metadata().is_ok();
        if !app.claim_token_file(absolute.to_string_lossy().into_owned(), exists).await? {
            return Err(ServerError::TokenFileTaken(path.clone()));
        }
    }
    let name = PrincipalName::new(ADMINISTRATOR).map_err(|error| sealyard_app::AppError::Invalid(error.to_string()))?;
    let Some(made) = app.first_administrator(name, config.admin_password.clone()).await? else { return Ok(None) };
    let mut token = None;
    if let Some(path) = &config.bootstrap_token_file {
        let made = app.bootstrap_token(&made, NewToken { scopes: vec![Scope::All], expires: None }).await?;
        let text = Redacted::new(format!("{}\n", made.expose()));
        durable::write(path, text.expose().as_bytes(), 0o600).map_err(|source| ServerError::File {
            what: "write the first token to",
            path: path.clone(),
            source,
        })?;
        token = Some(made);
    }
    if token.is_some() || config.admin_password.is_some() {
        app.first_start_done().await?;
    }
    Ok(Some(FirstStart { user: ADMINISTRATOR.to_owned(), password: made.password, token }))
}

/// What clients write in a URL: an address that means "all" becomes loopback.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

/// How clients reach a listener.
pub(crate) fn url(tls: bool, address: SocketAddr) -> String {
    format!("{}://{}", if tls { "https" } else { "http" }, shown(address))
}

#[cfg(test)]
mod tests {
    use sealyard_core::{SystemClock, SystemRng};

    use super::*;

    async fn start(root: &Path, token: Option<&str>) -> Result<Server, ServerError> {
        let config = Config {
            data_directory: root.join("data"),
            artifacts: None,
            database: None,
            database_password: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: TlsMode::Automatic,
            policy: None,
            admin_password: None,
            bootstrap_token_file: token.map(|token| root.join(token)),
            ready_file: None,
            no_auth: false,
            ui: None,
            external_sources: false,
            workspaces: false,
            hosts: Vec::new(),
            webhook_allow: Vec::new(),
            accept_ledger_rollback: false,
            master_key: None,
            settings: crate::settings::Settings::default(),
        };
        Server::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_first_start_that_fails_at_its_token_locks_nobody_out() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        assert!(matches!(start(root, Some("missing/token")).await, Err(ServerError::File { .. })));
        let server = start(root, Some("token")).await.unwrap();
        assert!(server.first().is_some() && root.join("token").exists());
        server.stop().await;
        let server = start(root, Some("other")).await.unwrap();
        assert!(server.first().is_none() && !root.join("other").exists());
        server.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_token_of_another_server_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let token = root.join("token");
        std::fs::write(&token, "another server's").unwrap();
        for _ in 0..2 {
            assert!(matches!(start(root, Some("token")).await, Err(ServerError::TokenFileTaken(_))));
            assert_eq!(std::fs::read_to_string(&token).unwrap(), "another server's");
        }
        // Also where a first start without a token came between.
        start(root, None).await.unwrap().stop().await;
        assert!(matches!(start(root, Some("token")).await, Err(ServerError::TokenFileTaken(_))));
        std::fs::remove_file(&token).unwrap();
        start(root, Some("token")).await.unwrap().stop().await;
        // It has its administrator: nothing would be written.
        std::fs::write(&token, "another server's").unwrap();
        start(root, Some("token")).await.unwrap().stop().await;
        assert_eq!(std::fs::read_to_string(&token).unwrap(), "another server's");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_start_that_was_killed_writes_its_token_again() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        assert!(start(root, Some("missing/token")).await.is_err());
        std::fs::create_dir(root.join("missing")).unwrap();
        std::fs::write(root.join("missing/token"), "of the start that was killed").unwrap();
        let server = start(root, Some("missing/token")).await.unwrap();
        assert!(server.first().is_some());
        assert_ne!(std::fs::read_to_string(root.join("missing/token")).unwrap(), "of the start that was killed");
        server.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_password_that_was_not_shown_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        start(root, None).await.unwrap().stop().await;
        let server = start(root, None).await.unwrap();
        assert!(server.first().is_some());
        server.first_shown().await.unwrap();
        server.stop().await;
        let server = start(root, None).await.unwrap();
        assert!(server.first().is_none());
        server.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_catalog_that_lost_its_seals_is_not_the_one_that_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        start(root, None).await.unwrap().stop().await;
        assert!(root.join("data/keys/rows.sealed").exists());
        for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let _ = std::fs::remove_file(root.join("data").join(name));
        }
        assert!(matches!(start(root, None).await, Err(ServerError::SealsLost)));
    }

    /// A catalog that says it was sealed by an earlier release would have its rows sealed anew, whatever they are by now.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_catalog_can_not_go_back_to_an_earlier_form_of_seals() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        start(root, None).await.unwrap().stop().await;
        let options = sealyard_store_sql::SqliteOptions::default();
        let store: Arc<dyn Store> =
            Arc::new(sealyard_store_sql::SqliteStore::open(&root.join("data/catalog.sqlite"), options).unwrap());
        store.write(|tx| tx.put_setting("row-seal-form", "1")).await.unwrap();
        drop(store);
        assert!(matches!(start(root, None).await, Err(ServerError::SealsLost)));
        // What an earlier release wrote is brought up to date.
        let note = root.join("data/keys/rows.sealed");
        std::fs::write(&note, "The catalog's rows are sealed.\n").unwrap();
        start(root, None).await.unwrap().stop().await;
        let form = format!("form {}\n", sealyard_store::SEAL_FORM);
        assert!(std::fs::read_to_string(note).unwrap().contains(&form));
    }
}
