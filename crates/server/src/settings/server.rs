use std::net::SocketAddr;

use serde::Deserialize;

use super::{SecretFile, SettingsPath};

/// `[server]`: what the options of `sealyard up` say, under the same names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSettings {
    /// Where everything is kept.
    pub data_dir: Option<SettingsPath>,
    /// Where artifacts are kept: a URL.
    pub artifacts: Option<String>,
    /// The catalog's database, without its password.
    pub database: Option<String>,
    /// A file with the database's password.
    pub database_password_file: Option<SecretFile>,
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// `auto` or `off`.
    pub tls: Option<String>,
    /// The certificate chain and its key, in place of `tls`.
    pub certificate: Option<SettingsPath>,
    /// The certificate's key.
    pub key: Option<SettingsPath>,
    /// The policy of the gates.
    pub policy: Option<SettingsPath>,
    /// `mlflow`, or a folder.
    pub ui: Option<String>,
    /// What becomes of a version whose source is not on this server.
    pub external_sources: Option<ExternalSources>,
    /// Whether there are workspaces beside the default one.
    pub workspaces: Option<bool>,
    /// Further host names that clients may use.
    pub hosts: Vec<String>,
    /// Where webhooks may go although it is not on the public internet.
    pub webhook_allow: Vec<String>,
}

/// What becomes of a model version whose source is not on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExternalSources {
    /// It is refused.
    Refuse,
    /// Where it is is noted.
    Record,
}
