use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::{CertificateField, CertificateNames};

/// The names and addresses that the first certificate of a PEM text is for; `None` unless `subject` is its common name.
#[must_use]
pub fn names_of_own(pem: &[u8], subject: &str) -> Option<Vec<String>> {
    let der = CertificateDer::from_pem_slice(pem).ok()?;
    let ours = CertificateNames::read(&der)?;
    if !ours.has(CertificateField::CommonName, subject) {
        return None;
    }
    let mut found = Vec::new();
    for extension in Certificate::from_der(&der).ok()?.tbs_certificate.extensions.unwrap_or_default() {
        if extension.extn_id != SubjectAltName::OID {
            continue;
        }
        for name in SubjectAltName::from_der(extension.extn_value.as_bytes()).ok()?.0 {
            match name {
                GeneralName::DnsName(text) => found.push(text.to_string()),
                GeneralName::IpAddress(bytes) => {
                    let bytes = bytes.as_bytes();
                    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
                    found.push(four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()?.to_string());
                }
                _ => {}
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn names_and_addresses_of_ones_own_certificate_are_read() {
        let names: Vec<String> = ["localhost", "192.0.2.7", "::1", "mlflow.corp"].map(str::to_owned).to_vec();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "ours");
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        assert_eq!(names_of_own(made.as_bytes(), "ours"), Some(names));
        assert_eq!(names_of_own(made.as_bytes(), "another"), None);
        assert_eq!(names_of_own(b"nothing", "ours"), None);
    }
}
