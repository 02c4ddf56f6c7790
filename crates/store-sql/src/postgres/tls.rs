use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use sealyard_store::StoreError;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::Roots;
use crate::error::backend;

/// A connector that accepts a server only under its name, with a certificate from `roots`.
pub(crate) fn connector(roots: &Roots) -> Result<MakeRustlsConnect, StoreError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            // Single certificates of the system that can't be read are no reason to trust none.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Roots::File(path) => {
            let unusable = |error: &dyn std::fmt::Display| {
                StoreError::Invalid(format!("sslrootcert {} can't be used: {error}", path.display()))
            };
            let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                store.add(certificate).map_err(|error| unusable(&error))?;
            }
        }
    }
    if store.is_empty() {
        return Err(StoreError::Invalid(
            "there is no certificate to trust the database's server by; name a file with sslrootcert=".into(),
        ));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(backend)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
