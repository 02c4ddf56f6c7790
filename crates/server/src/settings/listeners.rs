use std::net::SocketAddr;

use sealyard_transport::{ClientAuthentication, Networks, Proxies};
use serde::Deserialize;

use super::tls::TlsSource;
use super::{SecretFile, SettingsPath};

/// The listener of `--listen`, whose section has no address.
pub const MAIN: &str = "main";

/// `[listeners.NAME]`: one more place to listen at, for a part of what there is; with the name `main` more about the one of
/// `--listen`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenerSettings {
    /// Where.
    pub address: Option<SocketAddr>,
    /// For what.
    pub kind: ListenerKind,
    /// Where its certificate comes from; it is the server's if it is not said.
    pub tls: Option<TlsSource>,
    /// The chain, for `files`.
    pub certificate: Option<SettingsPath>,
    /// Its key, for `files`.
    pub key: Option<SettingsPath>,
    /// Whether clients show certificates.
    pub client_auth: Option<ClientAuthentication>,
    /// The authorities of clients.
    pub client_ca_file: Option<SettingsPath>,
    /// Their revocation lists.
    pub client_crl_file: Option<SettingsPath>,
    /// Networks whose addresses may connect; everybody's if there is none.
    pub allow: Networks,
    /// Proxies in front of it, whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Proxies,
    /// Whether nobody else may connect.
    pub only_proxies: bool,
    /// Whether those speak TLS with browsers, so that cookies are for TLS alone. Nobody else may connect then.
    pub behind_tls: bool,
    /// Names that it goes by, besides the server's.
    pub hosts: Vec<String>,
    /// For `metrics`: who has the token in this file may read them. Without one everybody who can connect may.
    pub token_file: Option<SecretFile>,
}

/// What a listener is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListenerKind {
    /// Everything; without the administration where that has a listener of its own.
    #[default]
    Api,
    /// Users, roles, grants, tokens and the ledger.
    Admin,
    /// What a model server needs to find, judge and fetch a model.
    Inference,
    /// Counts for Prometheus.
    Metrics,
}

impl ListenerKind {
    /// As it stands in the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Admin => "admin",
            Self::Inference => "inference",
            Self::Metrics => "metrics",
        }
    }
}
