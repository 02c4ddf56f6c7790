use std::path::PathBuf;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sealyard_core::durable;
use sealyard_transport::{CertificateField, CertificateNames};
use serde::Deserialize;

use crate::AcmeError;

/// How a directory is shown that a name is ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Challenge {
    /// In a TLS handshake at port 443: nothing more has to be open.
    #[default]
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn,
    /// By an answer over plain HTTP at port 80.
    #[serde(rename = "http-01")]
    Http,
}

/// Where certificates come from, and for what.
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// The directory's URL.
    pub directory: String,
    /// A PEM file with who the directory's own certificate is trusted from, in place of the system's list.
    pub authorities: Option<PathBuf>,
    /// Whom the directory may write to, such as `mailto:ops@example.org`.
    pub contact: Vec<String>,
    /// The names.
    pub domains: Vec<String>,
    /// How they are proved.
    pub challenge: Challenge,
    /// The folder that account and certificate are kept in.
    pub keys: PathBuf,
    /// How long to wait after a first failure; longer after each further one.
    pub retry: Duration,
}

/// More names than a certificate can have.
const MOST_DOMAINS: usize = 100;

impl AcmeSettings {
    /// The host of the directory, if everything makes sense.
    pub(crate) fn check(&self) -> Result<String, AcmeError> {
        let bad = |text: String| Err(AcmeError::Settings(text));
        let uri: http::Uri = match self.directory.parse() {
            Ok(uri) => uri,
            Err(error) => return bad(format!("the directory {} is no URL: {error}", self.directory)),
        };
        if uri.scheme_str() != Some("https") {
            return bad(format!("the directory {} is not https", self.directory));
        }
        if self.domains.is_empty() || self.domains.len() > MOST_DOMAINS {
            return bad(format!("there must be from 1 to {MOST_DOMAINS} domains"));
        }
        for domain in &self.domains {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
            let labels = domain.split('.').all(|label| !label.is_empty() && label.len() <= 63);
            let address = domain.parse::<std::net::IpAddr>().is_ok();
            if domain.len() > 253 || !domain.bytes().all(plain) || !labels || address {
                return bad(format!("{domain:?} is no host name in small letters; wildcards need a proof by DNS"));
            }
        }
        match uri.host() {
            Some(host) => Ok(host.trim_start_matches('[').trim_end_matches(']').to_owned()),
            None => bad(format!("the directory {} has no host", self.directory)),
        }
    }

    pub(crate) fn roots(&self) -> Result<Option<RootCertStore>, AcmeError> {
        let Some(path) = &self.authorities else { return Ok(None) };
        let pem = std::fs::read(path).map_err(|source| AcmeError::File {
            what: "read the authorities of the ACME directory",
            path: path.clone(),
            source,
        })?;
        let bad = |text: String| AcmeError::Settings(format!("{}: {text}", path.display()));
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(bad("it holds no certificate".to_owned()));
        }
        Ok(Some(roots))
    }

    /// The file with the key and the chain that came last. One file, so that the two always go together.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.keys.join("acme.pem")
    }

    /// The file with the account.
    pub(crate) fn account(&self) -> PathBuf {
        self.keys.join("acme-account.json")
    }

    /// The leaf of what is kept.
    pub(crate) fn kept_leaf(&self) -> Option<CertificateNames> {
        let pem = durable::read_private(&self.certificate()).ok().flatten()?;
        let leaf = CertificateDer::pem_slice_iter(&pem).next()?.ok()?;
        CertificateNames::read(&leaf)
    }

    /// Whether a certificate is for all of the names.
    pub(crate) fn covers(&self, names: &CertificateNames) -> bool {
        self.domains.iter().all(|domain| names.of(CertificateField::Dns).any(|name| name.eq_ignore_ascii_case(domain)))
    }
}

#[cfg(test)]
pub(crate) fn settings(keys: PathBuf) -> AcmeSettings {
    AcmeSettings {
        directory: "https://localhost:14000/dir".into(),
        authorities: None,
        contact: Vec::new(),
        domains: vec!["ml.example.org".into()],
        challenge: Challenge::TlsAlpn,
        keys,
        retry: Duration::from_secs(120),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_can_not_be_are_refused() {
        let good = settings(PathBuf::new());
        assert_eq!(good.check().unwrap(), "localhost");
        for directory in ["http://localhost/dir", "localhost", "", "https://"] {
            assert!(AcmeSettings { directory: directory.into(), ..good.clone() }.check().is_err(), "{directory}");
        }
        for domain in ["*.example.org", "ML.example.org", "127.0.0.1", "a..b", "a b", "", "https://x"] {
            assert!(AcmeSettings { domains: vec![domain.into()], ..good.clone() }.check().is_err(), "{domain}");
        }
        assert!(AcmeSettings { domains: Vec::new(), ..good.clone() }.check().is_err());
        assert!(AcmeSettings { authorities: Some("absent.pem".into()), ..good }.roots().is_err());
    }
}
