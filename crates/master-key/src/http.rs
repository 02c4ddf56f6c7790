//! One JSON request to a key service, through the guard of outgoing requests: it goes to the host that the operator named and
//! nowhere else.

use std::path::Path;
use std::time::Duration;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sealyard_core::Redacted;
use sealyard_outbound::{AllowList, Outbound, OutboundError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{MasterKeyError, echo};

/// A service that takes longer is taken for one that is away.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where the service is.
#[derive(Debug)]
pub(crate) struct Service {
    client: Outbound,
    pub(crate) host: String,
    provider: String,
}

impl Service {
    pub(crate) fn new(url: &str, ca: Option<&Path>, provider: &str) -> Result<Self, MasterKeyError> {
        let setting = |problem: String| MasterKeyError::Setting { provider: provider.to_owned(), problem };
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default().to_owned();
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => host.split(':').next().unwrap_or_default(),
        };
        let allow = AllowList::parse([name]).map_err(|error| setting(error.to_string()))?;
        let mut client = Outbound::new(allow).with_time_limit(PATIENCE);
        if let Some(path) = ca {
            let mut roots = RootCertStore::empty();
            let pem = CertificateDer::pem_file_iter(path).map_err(|error| setting(format!("its ca_file: {error}")))?;
            for certificate in pem {
                let certificate = certificate.map_err(|error| setting(format!("its ca_file: {error}")))?;
                roots.add(certificate).map_err(|error| setting(format!("its ca_file: {error}")))?;
            }
            if roots.is_empty() {
                return Err(setting("its ca_file has no certificate".to_owned()));
            }
            client = client.with_roots(roots);
        }
        client.check(url).map_err(|error| setting(error.to_string()))?;
        Ok(Self { client, host, provider: provider.to_owned() })
    }

    /// Sends it and reads the answer. What the service says of an error is passed on, unless it repeats a secret of ours.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<T, MasterKeyError> {
        let secrets = echo::secrets(headers, &body);
        let sent = self.client.post(url, headers, body.into()).await;
        let answer = sent.map_err(|error| match error {
            OutboundError::Refused { .. } => {
                MasterKeyError::Setting { provider: self.provider.clone(), problem: error.to_string() }
            }
            error => MasterKeyError::Unavailable { provider: self.provider.clone(), problem: error.to_string() },
        })?;
        let body = Redacted::new(answer.body);
        let said = || {
            if echo::shows(body.expose(), &secrets) {
                return format!("status {} (what it says repeats a secret, and is left out)", answer.status);
            }
            let text = String::from_utf8_lossy(body.expose());
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
            format!("status {}: {}", answer.status, text.trim())
        };
        match answer.status {
            200..=299 => serde_json::from_slice(body.expose()).map_err(|_| MasterKeyError::Unavailable {
                provider: self.provider.clone(),
                problem: "its answer can't be understood".to_owned(),
            }),
            // Sealed, standing by, overloaded, or not there yet.
            408 | 429 | 472 | 473 | 500..=599 => {
                Err(MasterKeyError::Unavailable { provider: self.provider.clone(), problem: said() })
            }
            _ => Err(MasterKeyError::Refused { provider: self.provider.clone(), problem: said() }),
        }
    }
}

/// What is sent has a key in it: its memory is cleared by whoever holds it as long as that can be.
pub(crate) fn json(value: &impl Serialize, provider: &str) -> Result<Vec<u8>, MasterKeyError> {
    serde_json::to_vec(value)
        .map_err(|error| MasterKeyError::Setting { provider: provider.to_owned(), problem: error.to_string() })
}
