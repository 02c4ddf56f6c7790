//! What the stages and attacks share: a folder, a server, keys, a policy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Method;
use sealyard_app::LoadedPolicy;
use sealyard_client::{Client, Connection};
use sealyard_core::{FileTree, Redacted, Rng, SystemClock, SystemRng, durable};
use sealyard_evidence::{Curve, SigningKey};
use sealyard_server::{Config, Server, TlsMode};
use serde_json::json;

use super::project;
use super::stages::Outcome;
use crate::commands::up::server_failure;
use crate::exit::{Failure, Result};
use crate::output::{self, Progress};
use crate::remote;
use crate::training::Trained;

/// The registered model of the demo.
pub(crate) const MODEL: &str = "diabetes";
/// The alias that the policy protects.
pub(crate) const ALIAS: &str = "champion";

/// The policy of the demo's gates. Its keys lie beside it.
const POLICY: &str = r#"# What the gates of this demo ask for.
version = 1

[keys]
release = "release.pub"   # signs models
runner = "runner.pub"     # signs provenance
scanner = "scanner.pub"   # signs scan reports
gate = "gate.pub"         # signs decisions

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
provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }

[aliases]
protected = ["champion"]
"#;

/// A version that was registered, and its files as this side hashed them.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) version: u32,
    pub(crate) tree: FileTree,
}

/// The demo's world.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) progress: Progress,
    folder: tempfile::TempDir,
    server: Server,
    pub(crate) connection: Connection,
    pub(crate) admin: Client,
    password: Redacted<String>,
    pub(crate) release_key: SigningKey,
    pub(crate) runner_key: SigningKey,
    pub(crate) policy: LoadedPolicy,
    pub(crate) experiment: String,
    pub(crate) git: bool,
    pub(crate) trained: Option<Trained>,
    pub(crate) release: Option<Release>,
}

impl Context {
    /// Stage 1: keys and policy, then the server.
    pub(crate) async fn start(progress: &Progress) -> Result<(Self, Outcome)> {
        let folder = output::private_folder("sealyard-demo-")?;
        let data = folder.path().join("server");
        let policy_folder = folder.path().join("policy");
        durable::create_private_directory(&data.join("keys"))?;
        durable::create_private_directory(&data)?;
        durable::create_private_directory(&policy_folder)?;

        // The server's own keys are made first, because the policy names their public halves.
        let keys = sealyard_app::ServerKeys::open_or_create(&data.join("keys"), &SystemRng)?;
        let release_key = SigningKey::generate(Curve::P256, &SystemRng)?;
        let runner_key = SigningKey::generate(Curve::P256, &SystemRng)?;
        for (name, key) in
            [("release", &release_key), ("runner", &runner_key), ("scanner", &keys.scanner), ("gate", &keys.gate)]
        {
            let path = policy_folder.join(format!("{name}.pub"));
            durable::write(&path, key.public_key().to_pem().as_bytes(), 0o644)?;
        }
        let policy_file = policy_folder.join("policy.toml");
        durable::write(&policy_file, POLICY.as_bytes(), 0o644)?;

        let token_file = folder.path().join("admin.token");
        let config = Config {
            database: None,
            database_password: None,
            master_key: None,
            data_directory: data,
            artifacts: None,
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: TlsMode::Automatic,
            policy: Some(policy_file.clone()),
            admin_password: None,
            bootstrap_token_file: Some(token_file.clone()),
            ready_file: None,
            no_auth: false,
            ui: None,
            external_sources: false,
            workspaces: false,
            hosts: Vec::new(),
            webhook_allow: Vec::new(),
            accept_ledger_rollback: false,
            settings: sealyard_server::settings::Settings::default(),
        };
        let server = Server::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await.map_err(server_failure)?;
        let first = server.first().ok_or_else(|| anyhow::anyhow!("the first start made no administrator"))?;
        let password = first.password.clone();
        let certificate = server.certificate().ok_or_else(|| anyhow::anyhow!("the server made no certificate"))?;
        let connection = Connection {
            url: server.url().to_owned(),
            certificate: Some(std::fs::read_to_string(certificate)?),
            token: Some(remote::read_token(&token_file)?),
            basic: None,
        };
        let admin = remote::client(&connection)?;
        let experiment = admin.experiment("demo").await.map_err(remote::failure)?;
        let private = private_files(folder.path())?;
        let git = project::write(&folder.path().join("project"))?;
        let decision = format!(
            "TLS at {}, administrator with a random password, {private} files, none readable by others",
            server.url()
        );
        let evidence =
            vec![sealyard_core::Digest::of(connection.certificate.as_deref().unwrap_or_default().as_bytes())];
        let demo = Self {
            progress: progress.clone(),
            policy: LoadedPolicy::read(&policy_file)?,
            folder,
            server,
            connection,
            admin,
            password,
            release_key,
            runner_key,
            experiment,
            git,
            trained: None,
            release: None,
        };
        Ok((demo, Outcome { evidence, decision }))
    }

    /// The server's data directory, as somebody sees it who got at the disk.
    pub(crate) fn data_directory(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// The bundled project.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// A new folder for one attack.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.path().join("scratch").join(name);
        durable::create_private_directory(&path)?;
        Ok(path)
    }

    /// The training run; the stage before made it.
    pub(crate) fn trained(&self) -> Result<&Trained> {
        self.trained.as_ref().ok_or_else(|| Failure::could_not(anyhow::anyhow!("nothing was trained")))
    }

    /// The registered version; the stage before made it.
    pub(crate) fn release(&self) -> Result<&Release> {
        self.release.as_ref().ok_or_else(|| Failure::could_not(anyhow::anyhow!("nothing was registered")))
    }

    /// A client of a new user who has `rights` only, such as `("READ", "registered-model:diabetes")`.
    pub(crate) async fn user(&self, name: &str, rights: &[(&str, &str)]) -> Result<Client> {
        let password = sealyard_identity::generate_password(&SystemRng as &dyn Rng);
        let body = json!({"name": name, "password": password.expose(), "admin": false});
        let _: serde_json::Value =
            self.admin.call(Method::POST, "/api/sealyard/v1/users", &body).await.map_err(remote::failure)?;
        for (right, resource) in rights {
            let body = json!({"user": name, "right": right, "resource": resource});
            let _: serde_json::Value =
                self.admin.call(Method::POST, "/api/sealyard/v1/grants", &body).await.map_err(remote::failure)?;
        }
        let connection =
            Connection { token: None, basic: Some((name.to_owned(), password)), ..self.connection.clone() };
        remote::client(&connection)
    }

    /// How to go on.
    pub(crate) fn go_on(&self, keep: bool) -> String {
        let mut text = "Go on:\n  sealyard up                                         the same server, for real use\n  \
                        export MLFLOW_TRACKING_URI=https://127.0.0.1:5000\n  \
                        export MLFLOW_TRACKING_SERVER_CERT_PATH=sealyard-data/keys/tls.crt   and MLflow clients go on unchanged\n"
            .to_owned();
        if keep {
            let certificate = self.server.certificate().map_or_else(String::new, |path| path.display().to_string());
            text.push_str(&format!(
                "\nThe demo's server goes on:\n  export MLFLOW_TRACKING_URI={}\n  \
                 export MLFLOW_TRACKING_SERVER_CERT_PATH={certificate}\n  \
                 export MLFLOW_TRACKING_USERNAME=admin MLFLOW_TRACKING_PASSWORD={}\n",
                self.server.url(),
                self.password.expose()
            ));
        }
        text
    }

    /// Stops the server and removes the folder.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// Counts the files below `root` and fails if one could be read by somebody else: every folder on the way is private, or
/// the file itself is.
fn private_files(root: &Path) -> Result<usize> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(root)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::no(anyhow::anyhow!("{} can be entered by others", root.display())));
    }
    let mut count = 0;
    let mut pending = vec![root.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            count += 1;
            let mode = std::fs::metadata(&path)?.permissions().mode();
            let public =
                path.extension().is_some_and(|end| end == "pub" || end == "crt" || end == "origin" || end == "toml");
            if mode & 0o077 != 0 && !public {
                return Err(Failure::no(anyhow::anyhow!("{} has mode {:o}", path.display(), mode & 0o777)));
            }
        }
    }
    Ok(count)
}
