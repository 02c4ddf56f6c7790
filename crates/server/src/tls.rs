//! Certificates: made for a first start, or the user's own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use sealyard_core::durable;
use sealyard_transport::{ClientCertificateSettings, KeyPairFiles, TlsSlot, names_of_own};

use crate::{ServerError, TlsMode};

/// The certificate that `mode` asks for, and whose certificates it takes; `None` for plain HTTP.
///
/// One that is made here has `names`; those that are `asked` for by the settings are in it also when it was made before they were.
///
/// # Errors
/// [`ServerError::Tls`], [`ServerError::File`].
pub fn open_tls(
    mode: &TlsMode,
    keys: &Path,
    names: &[String],
    asked: &[String],
    clients: Option<ClientCertificateSettings>,
) -> Result<Option<Arc<TlsSlot>>, ServerError> {
    let files = match mode {
        TlsMode::Off => return Ok(None),
        TlsMode::Files { certificate, key } => KeyPairFiles { certificate: certificate.clone(), key: key.clone() },
        TlsMode::Automatic | TlsMode::Acme => self_signed(keys, names, asked)?,
    };
    Ok(Some(TlsSlot::open(files, clients)?))
}

/// The self-signed certificate in `keys`, made if there is none, or none with the names that are asked for.
pub(crate) fn self_signed(keys: &Path, names: &[String], asked: &[String]) -> Result<KeyPairFiles, ServerError> {
    let (certificate, key) = (keys.join("tls.crt"), keys.join("tls.key"));
    if !certificate.exists() || !key.exists() {
        make(&certificate, &key, names)?;
    } else if let Some(there) = names_in(&certificate)?
        && let Some(lacks) = asked.iter().find(|name| !there.iter().any(|there| there.eq_ignore_ascii_case(name)))
    {
        tracing::warn!(name = %lacks, file = %certificate.display(),
            "the certificate lacked this name and was made anew: clients elsewhere need the new file");
        let all: Vec<String> =
            names.iter().cloned().chain(there.into_iter().filter(|name| !names.contains(name))).collect();
        make(&certificate, &key, &all)?;
    }
    Ok(KeyPairFiles { certificate, key })
}

/// The names and addresses in a certificate that was made here; `None` for one that was not.
fn names_in(certificate: &Path) -> Result<Option<Vec<String>>, ServerError> {
    let read = |source| ServerError::File { what: "read", path: certificate.to_owned(), source };
    let pem = std::fs::read(certificate).map_err(read)?;
    Ok(names_of_own(&pem, SUBJECT))
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

/// The subject of certificates that are made here.
const SUBJECT: &str = "Sealyard self-signed";

/// A self-signed certificate for this machine. Its key never leaves the keys' directory.
fn make(certificate: &Path, key: &Path, names: &[String]) -> Result<(), ServerError> {
    let failed = |error: rcgen::Error| ServerError::Tls(error.to_string());
    let mut params = CertificateParams::new(names).map_err(failed)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, SUBJECT);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, asked: &[&str]) -> (Vec<String>, Vec<u8>) {
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        let files = self_signed(folder, &[&["localhost".to_owned()], asked.as_slice()].concat(), &asked).unwrap();
        (names_in(&files.certificate).unwrap().unwrap(), std::fs::read(&files.certificate).unwrap())
    }

    #[test]
    fn a_certificate_gets_the_names_that_are_asked_for_later() {
        let folder = tempfile::tempdir().unwrap();
        let (first, made) = names(folder.path(), &[]);
        assert_eq!(first, ["localhost"]);
        let (second, other) = names(folder.path(), &["mlflow.corp"]);
        assert_eq!(second, ["localhost", "mlflow.corp"]);
        assert_ne!(made, other);
        // What it has once stays, and nothing is made anew without need.
        assert_eq!(names(folder.path(), &["MLflow.corp"]).1, other);
        assert_eq!(names(folder.path(), &[]).1, other);
        assert_eq!(names(folder.path(), &["192.0.2.7"]).0, ["localhost", "192.0.2.7", "mlflow.corp"]);
    }

    #[test]
    fn somebody_elses_certificate_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        std::fs::write(folder.path().join("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("tls.key"), made.signing_key.serialize_pem()).unwrap();
        self_signed(folder.path(), &["b.example".to_owned()], &["b.example".to_owned()]).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("tls.crt")).unwrap(), made.cert.pem());
    }
}
