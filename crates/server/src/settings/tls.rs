use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use sealyard_acme::{AcmeSettings, Challenge};
use sealyard_transport::{CertificateRules, ClientAuthentication, ClientCertificateSettings};
use serde::Deserialize;

use super::{SettingsError, SettingsPath};
use crate::TlsMode;

/// `[tls]`: how the server proves who it is, and whose certificates it takes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// Where its certificate comes from.
    pub mode: Option<TlsSource>,
    /// The chain, for `files`.
    pub certificate: Option<SettingsPath>,
    /// Its key, for `files`.
    pub key: Option<SettingsPath>,
    /// Whether clients show certificates; without `client_ca_file` they don't.
    pub client_auth: Option<ClientAuthentication>,
    /// The authorities of clients.
    pub client_ca_file: Option<SettingsPath>,
    /// Their revocation lists.
    pub client_crl_file: Option<SettingsPath>,
    /// How often the files are looked at, in seconds; 5 if it is not said.
    pub reload_seconds: Option<u64>,
    /// `[tls.acme]`: the directory that gives certificates, for `acme`.
    pub acme: Option<AcmeSection>,
}

/// `[tls.acme]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeSection {
    /// The directory's URL. Who writes it agrees to its terms of service.
    #[serde(default = "lets_encrypt")]
    pub directory: String,
    /// Who the directory's own certificate is trusted from, in place of the system's list.
    pub ca_file: Option<SettingsPath>,
    /// Whom the directory may write to.
    #[serde(default)]
    pub contact: Vec<String>,
    /// The names that the certificate is for.
    pub domains: Vec<String>,
    /// How they are proved.
    #[serde(default)]
    pub challenge: Challenge,
    /// Where the plain listener of `http-01` is.
    pub http_address: Option<SocketAddr>,
    /// How long to wait after a first failure; longer after each further one.
    pub retry_seconds: Option<u64>,
}

fn lets_encrypt() -> String {
    "https://acme-v02.api.letsencrypt.org/directory".to_owned()
}

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsSource {
    /// Self-signed, made at the first start.
    Auto,
    /// None: plain HTTP, on loopback only.
    Off,
    /// Two PEM files.
    Files,
    /// A directory that speaks ACME.
    Acme,
}

impl TlsSettings {
    /// What the section says of the server's own certificate; `None` if nothing.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`].
    pub fn own(&self, folder: &Path) -> Result<Option<TlsMode>, SettingsError> {
        let acme = self.mode == Some(TlsSource::Acme);
        if acme != self.acme.is_some() {
            let problem = "mode = \"acme\" and the section [tls.acme] go together";
            return Err(SettingsError::invalid("tls", problem));
        }
        if acme && self.certificate.is_none() && self.key.is_none() {
            return Ok(Some(TlsMode::Acme));
        }
        own("tls", self.mode, self.certificate.as_ref(), self.key.as_ref(), folder)
    }

    /// What it says of an ACME directory; account and certificate are kept in `keys`.
    pub(crate) fn acme(&self, folder: &Path, keys: &Path) -> Option<AcmeSettings> {
        let acme = self.acme.as_ref()?;
        Some(AcmeSettings {
            directory: acme.directory.clone(),
            authorities: acme.ca_file.as_ref().map(|path| path.resolve(folder)),
            contact: acme.contact.clone(),
            domains: acme.domains.clone(),
            challenge: acme.challenge,
            keys: keys.to_owned(),
            retry: Duration::from_secs(acme.retry_seconds.unwrap_or(120).max(1)),
        })
    }

    /// What it says of clients' certificates.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`].
    pub fn clients(&self, folder: &Path) -> Result<Option<ClientCertificateSettings>, SettingsError> {
        clients("tls", self.client_auth, self.client_ca_file.as_ref(), self.client_crl_file.as_ref(), folder)
    }
}

/// The same for any section that can say it.
pub(crate) fn own(
    section: &str,
    mode: Option<TlsSource>,
    certificate: Option<&SettingsPath>,
    key: Option<&SettingsPath>,
    folder: &Path,
) -> Result<Option<TlsMode>, SettingsError> {
    match (mode, certificate, key) {
        (None | Some(TlsSource::Files), Some(certificate), Some(key)) => {
            Ok(Some(TlsMode::Files { certificate: certificate.resolve(folder), key: key.resolve(folder) }))
        }
        (None, None, None) => Ok(None),
        (Some(TlsSource::Auto), None, None) => Ok(Some(TlsMode::Automatic)),
        (Some(TlsSource::Off), None, None) => Ok(Some(TlsMode::Off)),
        _ => {
            let problem = "certificate and key go together, with mode = \"files\" and with no other";
            Err(SettingsError::invalid(section, problem))
        }
    }
}

/// The same for any section that can say it.
pub(crate) fn clients(
    section: &str,
    authentication: Option<ClientAuthentication>,
    authorities: Option<&SettingsPath>,
    revoked: Option<&SettingsPath>,
    folder: &Path,
) -> Result<Option<ClientCertificateSettings>, SettingsError> {
    let Some(authorities) = authorities else {
        if authentication.is_some() || revoked.is_some() {
            let problem = "client_auth and client_crl_file need client_ca_file: certificates of anybody prove nothing";
            return Err(SettingsError::invalid(section, problem));
        }
        return Ok(None);
    };
    Ok(Some(ClientCertificateSettings {
        authorities: authorities.resolve(folder),
        revoked: revoked.map(|path| path.resolve(folder)),
        authentication: authentication.unwrap_or_default(),
    }))
}

/// `[identity.certificates]`: whose account a client's certificate stands for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateSettings {
    /// The first that knows a name of the certificate decides.
    pub rules: CertificateRules,
}
