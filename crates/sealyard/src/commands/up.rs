use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use sealyard_core::{Redacted, SystemClock, SystemRng, durable};
use sealyard_server::settings::{self, ServerSettings, Settings, SettingsError, SettingsPath};
use sealyard_server::{Config, Server, ServerError, TlsMode};
use sealyard_vault::ArtifactsUrl;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::Common;
use crate::database::{Database, DatabaseArguments, has_password};
use crate::exit::{Exit, Failure, Result};
use crate::installed_ui::InstalledUi;
use crate::{master_key, output, remote};

/// Start the server: tracking, registry, artifacts, gates and ledger behind one port.
///
/// The first start makes everything it needs in the data directory: a self-signed certificate, the vault's master key,
/// the keys of gate, scanner and ledger, and an administrator whose random password is shown once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sealyard up
  sealyard up --listen 0.0.0.0:5000 --tls chain.pem,key.pem --policy policy.toml
  sealyard up --listen 127.0.0.1:0 --ready-file ready.json
  sealyard up --config sealyard.toml
  sealyard up --database postgresql://sealyard@db.example/sealyard --database-password-file database.password
  sealyard up --tls off --no-auth                  for yourself, on a machine where nobody else is
  AWS_REGION=eu-central-1 sealyard up --artifacts s3://models/sealyard
  sealyard up --ui mlflow

Point an MLflow client at it:
  export MLFLOW_TRACKING_URI=https://127.0.0.1:5000
  export MLFLOW_TRACKING_SERVER_CERT_PATH=$PWD/sealyard-data/keys/tls.crt
  export MLFLOW_TRACKING_TOKEN=$(cat admin.token)")]
pub(crate) struct Arguments {
    /// A file of settings, as the book describes it: all that is here, and more. What is said here is stronger.
    #[arg(long, env = "SEALYARD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept; only its owner may enter [default: sealyard-data].
    #[arg(long, env = "SEALYARD_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where artifacts are kept, encrypted: s3://BUCKET/PREFIX, gs://…, az://… or file:///DIR; below the data directory
    /// when it is left out. Credentials and endpoints come from the environment, as the book says.
    #[arg(long, env = "SEALYARD_ARTIFACTS", value_name = "URL")]
    artifacts: Option<ArtifactsUrl>,
    #[command(flatten)]
    database: DatabaseArguments,
    /// Where to listen; port 0 is any free one [default: 127.0.0.1:5000].
    #[arg(long, env = "SEALYARD_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// auto (self-signed), off (loopback only), or CERTIFICATE,KEY as two PEM files [default: auto].
    #[arg(long, value_name = "MODE", value_parser = tls_mode)]
    tls: Option<TlsMode>,
    /// The policy of the gates. Without one, nothing can be published or deployed.
    #[arg(long, env = "SEALYARD_POLICY", value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A file with the first administrator's password, mode 0600, in place of a random one.
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    /// Gets an administrator's token at the first start, mode 0600.
    #[arg(long, value_name = "FILE")]
    bootstrap_token_file: Option<PathBuf>,
    /// Gets {"url","ca","user","token_file"} once the server serves, mode 0600.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Ask nobody who they are: everybody who reaches the port, each user of this machine, is administrator. Loopback only.
    #[arg(long)]
    no_auth: bool,
    /// Serve MLflow's web UI after a log in: `mlflow` takes it from the installed package, a folder is one that was built
    /// (mlflow/server/js/build). No Python is run.
    #[arg(long, env = "SEALYARD_UI", value_name = "mlflow|DIR")]
    ui: Option<String>,
    /// What becomes of a model version whose source is not on this server: refuse it, or record where it is. What is recorded
    /// is never read, has no verdict, and no gate lets it through.
    /// [default: refuse]
    #[arg(long, value_enum, value_name = "WHAT")]
    external_sources: Option<ExternalSources>,
    /// Have workspaces beside the default one. A client is in one by MLFLOW_WORKSPACE or mlflow.set_workspace(); nothing of
    /// another is there for it.
    #[arg(long, env = "SEALYARD_WORKSPACES")]
    workspaces: bool,
    /// A further host name that clients may use.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Where webhooks may go although it is not on the public internet: a host name, an address, or a network such as
    /// 10.1.0.0/16. Can be given more than once.
    #[arg(long, env = "SEALYARD_WEBHOOK_ALLOW", value_delimiter = ',', value_name = "HOST_OR_CIDR")]
    webhook_allow: Vec<String>,
    /// Start although the ledger is behind the checkpoint that was kept beside the keys, as after restoring an older
    /// backup. The ledger has it on record.
    #[arg(long)]
    accept_ledger_rollback: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ExternalSources {
    Refuse,
    Record,
}

/// Where the server listens unless it is told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5000);

/// The database that the file of settings names.
fn of_file(file: &ServerSettings, folder: &std::path::Path) -> Result<Option<Database>> {
    let invalid = |problem: &str| server_failure(SettingsError::invalid("server", problem).into());
    let Some(url) = &file.database else {
        return match file.database_password_file {
            Some(_) => Err(invalid("database_password_file needs database")),
            None => Ok(None),
        };
    };
    if has_password(url) {
        return Err(invalid("database has a password; name a file with database_password_file"));
    }
    let read = |secret: &settings::SecretFile| secret.read(folder).map_err(|error| server_failure(error.into()));
    let password = file.database_password_file.as_ref().map(read).transpose()?;
    Ok(Some(Database { url: Redacted::new(url.clone()), password }))
}

/// How the file of settings says to speak.
fn tls_of_file(file: &ServerSettings, folder: &std::path::Path) -> std::result::Result<TlsMode, SettingsError> {
    match (file.tls.as_deref(), &file.certificate, &file.key) {
        (None, Some(certificate), Some(key)) => {
            Ok(TlsMode::Files { certificate: certificate.resolve(folder), key: key.resolve(folder) })
        }
        (None | Some("auto"), None, None) => Ok(TlsMode::Automatic),
        (Some("off"), None, None) => Ok(TlsMode::Off),
        _ => {
            Err(SettingsError::invalid("server", "expected tls = \"auto\" or \"off\", or certificate and key together"))
        }
    }
}

pub(crate) fn tls_mode(text: &str) -> std::result::Result<TlsMode, String> {
    match text {
        "auto" => Ok(TlsMode::Automatic),
        "off" => Ok(TlsMode::Off),
        _ => match text.split_once(',') {
            Some((certificate, key)) if !certificate.is_empty() && !key.is_empty() => {
                Ok(TlsMode::Files { certificate: certificate.into(), key: key.into() })
            }
            _ => Err("expected auto, off, or CERTIFICATE,KEY".to_owned()),
        },
    }
}

pub(crate) fn server_failure(error: ServerError) -> Failure {
    let hint = error.hint();
    Failure::could_not(error).maybe_hint(hint)
}

impl Arguments {
    /// What is said here, and for what is not, what the file of settings says.
    fn over(
        self,
        settings: Settings,
        admin_password: Option<Redacted<String>>,
    ) -> Result<(Config, Option<InstalledUi>)> {
        let (folder, file) = (settings.folder.clone(), settings.server.clone());
        let path = |path: &SettingsPath| path.resolve(&folder);
        let database = if self.database.names_one() { self.database.read()? } else { of_file(&file, &folder)? };
        let (database, database_password) =
            database.map_or((None, None), |database| (Some(database.url), database.password));
        let artifacts = match (self.artifacts, &file.artifacts) {
            (Some(url), _) => Some(url),
            (None, Some(text)) => {
                let problem =
                    |error: sealyard_vault::ArtifactsUrlError| SettingsError::invalid("server", error.to_string());
                Some(text.parse().map_err(problem).map_err(|error| server_failure(error.into()))?)
            }
            (None, None) => None,
        };
        let tls = match self.tls {
            Some(mode) => mode,
            None => match settings.tls.own(&folder).map_err(|error| server_failure(error.into()))? {
                Some(mode) => mode,
                None => tls_of_file(&file, &folder).map_err(|error| server_failure(error.into()))?,
            },
        };
        let external = self.external_sources.map(|what| what == ExternalSources::Record);
        let external_of_file = file.external_sources.map(|what| what == settings::ExternalSources::Record);
        let ui = self.ui.as_deref().or(file.ui.as_deref()).map(InstalledUi::find).transpose()?;
        let config = Config {
            data_directory: self
                .data_dir
                .or_else(|| file.data_dir.as_ref().map(path))
                .unwrap_or_else(|| PathBuf::from("sealyard-data")),
            database,
            database_password,
            artifacts,
            listen: self.listen.or(file.listen).unwrap_or(LISTEN),
            tls,
            policy: self.policy.or_else(|| file.policy.as_ref().map(path)),
            admin_password,
            bootstrap_token_file: self.bootstrap_token_file,
            ready_file: self.ready_file,
            no_auth: self.no_auth,
            ui: ui.as_ref().map(|found| found.folder.clone()),
            external_sources: external.or(external_of_file).unwrap_or(false),
            workspaces: self.workspaces || file.workspaces.unwrap_or(false),
            hosts: if self.hosts.is_empty() { file.hosts } else { self.hosts },
            webhook_allow: if self.webhook_allow.is_empty() { file.webhook_allow } else { self.webhook_allow },
            master_key: None,
            accept_ledger_rollback: self.accept_ledger_rollback,
            settings,
        };
        Ok((config, ui))
    }

    pub(crate) fn run(self, common: &Common) -> Result {
        let admin_password = match &self.admin_password_file {
            None => None,
            Some(path) => {
                let secret = durable::read_private(path)?.ok_or_else(|| {
                    Failure::could_not(anyhow::anyhow!("there is no password file {}", path.display()))
                })?;
                let text = std::str::from_utf8(&secret)?.trim_end_matches(['\r', '\n']).to_owned();
                Some(Redacted::new(text))
            }
        };
        let settings = match &self.config {
            Some(path) => Settings::read(path).map_err(|error| server_failure(error.into()))?,
            None => Settings::default(),
        };
        let master_key = match settings.vault.provider {
            settings::MasterKeyKind::Environment => master_key::take()?,
            _ => None,
        };
        let bootstrap = self.bootstrap_token_file.clone();
        let (mut config, ui) = self.over(settings, admin_password)?;
        config.master_key = master_key;
        let open = config.no_auth;
        let unnamed = config.hosts.is_empty() && !config.listen.ip().is_loopback();
        remote::block_on(async {
            // Before anybody can be told that the server is ready: a signal sent then must end it in good order.
            let mut stop = Stop::catch()?;
            if open {
                // Before anybody is let in. Not even --quiet silences it.
                output::say(false, NO_AUTH);
            }
            let server =
                Server::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await.map_err(server_failure)?;
            greet(common.quiet, &server, ui.as_ref(), (!open).then_some(bootstrap.as_deref()));
            if unnamed {
                output::say(common.quiet, UNNAMED);
            }
            if server.first().is_some() && !common.quiet {
                server.first_shown().await.map_err(server_failure)?;
            }
            if let (Some(path), None) = (&bootstrap, server.first()) {
                let path = path.display();
                output::say(
                    common.quiet,
                    &format!("note: this is not the first start, so no token was written to {path}"),
                );
            }
            stop.wait().await;
            output::say(common.quiet, "Stopping: requests under way may end.");
            server.stop().await;
            Ok(Exit::Fine)
        })
    }
}

/// What whoever serves others should know.
const UNNAMED: &str = "note: other machines are only served by a name or address that this one knows itself by; `--host NAME` for each \
     name they use puts it into the certificate and lets it be asked for";

/// What whoever starts it so must know.
const NO_AUTH: &str =
    "WARNING: authentication is off (--no-auth). Whoever can connect to this port, which is every user and
         every program of this machine, is the administrator `local-administrator`. The ledger has it on record.";

/// What a person needs to go on. `token_file` is `None` where nobody is asked who they are.
fn greet(quiet: bool, server: &Server, ui: Option<&InstalledUi>, token_file: Option<Option<&std::path::Path>>) {
    let say = |text: &str| output::say(quiet, text);
    say(&format!("Sealyard serves at {}", server.url()));
    if let Some(fingerprint) = server.fingerprint() {
        say(&format!("  certificate  SHA-256 {fingerprint}"));
    }
    for (name, url) in server.listeners() {
        say(&format!("  listener     {name}: {url}"));
    }
    if let Some(first) = server.first() {
        say(&format!("  first login  {} / {}   (shown only now)", first.user, first.password.expose()));
    }
    if let Some(ui) = ui {
        let version = ui.version.as_deref().map_or(String::new(), |version| format!(" {version}"));
        say(&format!("  pages        {}/ (MLflow{version}'s UI from {})", server.url(), ui.folder.display()));
    } else {
        say("  pages        none; `--ui mlflow` serves those of an installed MLflow");
    }
    say("  for MLflow clients:");
    say(&format!("    export MLFLOW_TRACKING_URI={}", server.url()));
    if let Some(certificate) = server.certificate() {
        let certificate = std::path::absolute(certificate).unwrap_or_else(|_| certificate.to_owned());
        say(&format!("    export MLFLOW_TRACKING_SERVER_CERT_PATH={}", certificate.display()));
    }
    match token_file {
        None => {}
        Some(Some(path)) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let quoted = path.display().to_string().replace('\'', r"'\''");
            say(&format!("    export MLFLOW_TRACKING_TOKEN=\"$(cat '{quoted}')\""));
        }
        Some(None) => {
            say("    export MLFLOW_TRACKING_USERNAME=… MLFLOW_TRACKING_PASSWORD=…   (or MLFLOW_TRACKING_TOKEN)")
        }
    }
    say("  Ctrl-C stops it.");
}

/// Ctrl-C and the termination signal, caught from the moment this is made.
#[derive(Debug)]
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Until one of them comes.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
