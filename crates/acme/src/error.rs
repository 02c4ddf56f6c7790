use std::path::PathBuf;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcmeError {
    /// The settings can't be.
    #[error("{0}")]
    Settings(String),
    /// A file can't be used.
    #[error("could not {what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The directory said no, or what it said makes no sense.
    #[error("the ACME directory: {0}")]
    Directory(#[from] instant_acme::Error),
    /// It did not do what it should.
    #[error("the ACME directory {0}")]
    Unexpected(String),
    /// A key or request could not be made.
    #[error("a certificate request could not be made")]
    Request(#[from] rcgen::Error),
    /// What came can't be used.
    #[error("the certificate can't be used")]
    Certificate(#[from] sealyard_transport::TransportError),
}
