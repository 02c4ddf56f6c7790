//! What stands between a socket and a request: who may connect, with which certificate, from which network, how often; and
//! counts of what was answered.
//!
//! Nothing in here knows of routes or accounts. The server puts these parts together for each of its listeners, and the HTTP
//! layer asks them about a request.
#![forbid(unsafe_code)]

mod bucket;
mod client_certificate;
mod client_verifier;
mod crowd;
mod error;
mod files;
mod forwarded;
mod key_pair;
mod metrics;
mod network;
mod own_names;
mod slot;

pub use bucket::{Buckets, Rate};
pub use client_certificate::{CertificateField, CertificateNames, CertificateRule, CertificateRules};
pub use client_verifier::{ClientAuthentication, ClientCertificateSettings};
pub use crowd::{Crowd, Place};
pub use error::TransportError;
pub use forwarded::Proxies;
pub use key_pair::{KeyPairFiles, fingerprint};
pub use metrics::{Gauges, Metrics};
pub use network::{Network, NetworkError, Networks, peer_network};
pub use own_names::names_of_own;
pub use slot::{ClientChain, TlsSlot};
