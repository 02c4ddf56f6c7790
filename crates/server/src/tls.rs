//! Certificates: made for a first start, or the user's own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use sealyard_core::durable;
use sealyard_transport::{ClientCertificateSettings, KeyPairFiles, TlsSlot};

use crate::{ServerError, TlsMode};

/// The certificate that `mode` asks for, and whose certificates it takes; `None` for plain HTTP.
///
/// # Errors
/// [`ServerError::Tls`], [`ServerError::File`].
pub fn open_tls(
    mode: &TlsMode,
    keys: &Path,
    names: &[String],
    clients: Option<ClientCertificateSettings>,
) -> Result<Option<Arc<TlsSlot>>, ServerError> {
    let files = match mode {
        TlsMode::Off => return Ok(None),
        TlsMode::Files { certificate, key } => KeyPairFiles { certificate: certificate.clone(), key: key.clone() },
        TlsMode::Automatic | TlsMode::Acme => self_signed(keys, names)?,
    };
    Ok(Some(TlsSlot::open(files, clients)?))
}

/// The self-signed certificate in `keys`, made if there is none.
pub(crate) fn self_signed(keys: &Path, names: &[String]) -> Result<KeyPairFiles, ServerError> {
    let (certificate, key) = (keys.join("tls.crt"), keys.join("tls.key"));
    if !certificate.exists() || !key.exists() {
        make(&certificate, &key, names)?;
    }
    Ok(KeyPairFiles { certificate, key })
}

/// The certificates of a PEM file, to trust in place of the system's.
pub(crate) fn roots(path: &Path) -> Result<rustls::RootCertStore, ServerError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let pem = std::fs::read_to_string(path).map_err(|source| ServerError::File {
        what: "read the certificate",
        path: path.to_owned(),
        source,
    })?;
    let wrong = |error: &dyn std::fmt::Display| ServerError::Tls(format!("{}: {error}", path.display()));
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(roots) }
}

/// The names and addresses this server is reached by: what a certificate made for it says, and what clients may put into
/// their `Host` header.
pub(crate) fn names(listen: SocketAddr, more: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let address = (!listen.ip().is_unspecified()).then(|| listen.ip().to_string());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").map(|host| host.trim().to_owned()).ok();
    for name in address.into_iter().chain(host).chain(more.iter().cloned()) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A self-signed certificate for this machine. Its key never leaves the keys' directory.
fn make(certificate: &Path, key: &Path, names: &[String]) -> Result<(), ServerError> {
    let failed = |error: rcgen::Error| ServerError::Tls(error.to_string());
    let mut params = CertificateParams::new(names).map_err(failed)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Sealyard self-signed");
    params.distinguished_name = subject;
    let pair = KeyPair::generate().map_err(failed)?;
    let made = params.self_signed(&pair).map_err(failed)?;
    let write = |path: &Path, text: &str, mode| {
        durable::write(path, text.as_bytes(), mode).map_err(|source| ServerError::File {
            what: "write",
            path: path.to_owned(),
            source,
        })
    };
    write(key, &pair.serialize_pem(), 0o600)?;
    write(certificate, &made.pem(), 0o644)
}
