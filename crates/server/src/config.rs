use std::net::SocketAddr;
use std::path::PathBuf;

use sealyard_core::Redacted;
use sealyard_vault::ArtifactsUrl;

use crate::settings::Settings;

/// How the listener speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsMode {
    /// A self-signed certificate, made at the first start and kept.
    Automatic,
    /// Plain HTTP; only on loopback.
    Off,
    /// Certificates of the directory that the settings name; self-signed until there is one.
    Acme,
    /// The user's own certificate chain and key, as PEM files.
    Files {
        /// The chain, leaf first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

/// Everything `sealyard up` can be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub data_directory: PathBuf,
    /// Where artifacts are kept, encrypted; `None` is below the data directory.
    pub artifacts: Option<ArtifactsUrl>,
    /// A PostgreSQL database for the catalog, in place of SQLite in the data directory.
    pub database: Option<Redacted<String>>,
    /// The database's password, if it is not in its URL.
    pub database_password: Option<Redacted<String>>,
    /// Where to listen; port 0 is any.
    pub listen: SocketAddr,
    /// How to speak.
    pub tls: TlsMode,
    /// The gates' policy.
    pub policy: Option<PathBuf>,
    /// The first administrator's password, in place of a random one.
    pub admin_password: Option<Redacted<String>>,
    /// Where the first administrator's token goes at the first start, mode 0600.
    pub bootstrap_token_file: Option<PathBuf>,
    /// Gets the server's address once it serves, mode 0600.
    pub ready_file: Option<PathBuf>,
    /// Nobody proves who they are, and everybody may do everything; only on loopback.
    pub no_auth: bool,
    /// A folder with a built MLflow UI, to be served to who is logged in.
    pub ui: Option<PathBuf>,
    /// Versions may note sources that are not on this server.
    pub external_sources: bool,
    /// There are workspaces beside the default one.
    pub workspaces: bool,
    /// Further host names clients may use in their `Host` header.
    pub hosts: Vec<String>,
    /// What webhooks may be sent to although it is not on the public internet: host names, addresses, networks.
    pub webhook_allow: Vec<String>,
    /// The master key of the vault's keys, where the environment gives it.
    pub master_key: Option<Redacted<String>>,
    /// Go on although the ledger is behind the checkpoint that was kept beside the keys, or another.
    pub accept_ledger_rollback: bool,
    /// What only a file of settings can say. Its `[server]` is not looked at: the fields above have taken it in.
    pub settings: Settings,
}

impl Config {
    /// What it comes to, without anything secret: what the ledger is told of changes. A file's own values are under their names.
    pub(crate) fn effective(&self) -> Vec<(String, String)> {
        let mut values = vec![
            ("data_dir".to_owned(), self.data_directory.display().to_string()),
            ("artifacts".to_owned(), self.artifacts.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("database".to_owned(), self.database.is_some().to_string()),
            // As configured and not as bound: port 0 would be another one with each start.
            ("listen".to_owned(), self.listen.to_string()),
            ("tls".to_owned(), format!("{:?}", self.tls)),
            ("no_auth".to_owned(), self.no_auth.to_string()),
            ("ui".to_owned(), format!("{:?}", self.ui)),
            ("external_sources".to_owned(), self.external_sources.to_string()),
            ("workspaces".to_owned(), self.workspaces.to_string()),
            ("hosts".to_owned(), self.hosts.join(" ")),
            ("webhook_allow".to_owned(), self.webhook_allow.join(" ")),
        ];
        let policy = self.policy.as_deref().and_then(|path| std::fs::read(path).ok());
        values.push((
            "policy".to_owned(),
            policy.map(|bytes| sealyard_core::Digest::of(&bytes).to_hex()).unwrap_or_default(),
        ));
        values.extend(self.settings.values.iter().map(|(key, value)| (format!("settings.{key}"), value.clone())));
        values
    }
}
