//! What one listener is like: whom it lets connect, how, and how much of it each may take.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sealyard_transport::{CertificateRules, Metrics, Networks, Proxies, TlsSlot};

use crate::activity::Quiet;
use crate::descriptors;

/// So many connections at once, if there are descriptors for them; more wait in the kernel's queue.
pub(crate) const CONNECTIONS: usize = 4096;

/// A listener.
#[derive(Debug)]
pub(crate) struct Door {
    /// `None` speaks plain HTTP.
    pub(crate) tls: Option<Arc<TlsSlot>>,
    /// Who may connect; nobody is named where everybody may.
    pub(crate) allow: Networks,
    /// Whose word is believed about where a request comes from.
    pub(crate) proxies: Proxies,
    /// Whether only those connect.
    pub(crate) proxied: bool,
    /// Whether they speak TLS with whoever asks.
    pub(crate) behind_tls: bool,
    /// Whose account a client's certificate stands for.
    pub(crate) rules: Arc<CertificateRules>,
    pub(crate) limits: ConnectionLimits,
    /// Where refusals are counted.
    pub(crate) metrics: Arc<Metrics>,
}

/// What clients may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ConnectionLimits {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Of them for one peer, so that one alone shuts nobody out.
    pub(crate) per_address: usize,
    /// A connection that is not used is ended. A client whose downloads stand still has longer: it may be one that pauses.
    pub(crate) quiet: Quiet,
    /// A client that does not finish its handshake or its headers in this time is dropped.
    pub(crate) head: Duration,
    /// Bytes of a request's head.
    pub(crate) head_bytes: usize,
    /// Headers of a request.
    pub(crate) headers: usize,
    /// A request whose body stops for this long is ended.
    pub(crate) body: Duration,
    /// And one whose body comes slower than so many bytes a second, beyond that time.
    pub(crate) body_rate: u32,
    /// How long requests under way may take once the server is told to stop.
    pub(crate) farewell: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            per_address: CONNECTIONS.div_ceil(2),
            quiet: Quiet { idle: Duration::from_secs(60), stalled: Duration::from_secs(300) },
            head: Duration::from_secs(15),
            head_bytes: 64 * 1024,
            headers: 100,
            body: Duration::from_secs(30),
            body_rate: 1024,
            farewell: Duration::from_secs(10),
        }
    }
}

impl ConnectionLimits {
    /// As many connections as there are descriptors for.
    pub(crate) fn fitting(self) -> Self {
        let connections = descriptors::places(self.connections, descriptors::raise());
        Self { connections, per_address: self.per_address.min(connections.div_ceil(2)), ..self }
    }
}

impl Door {
    /// For everybody.
    pub(crate) fn new(tls: Option<Arc<TlsSlot>>) -> Self {
        Self {
            tls,
            allow: Networks::default(),
            proxies: Proxies::default(),
            proxied: false,
            behind_tls: false,
            rules: Arc::default(),
            limits: ConnectionLimits::default().fitting(),
            metrics: Arc::default(),
        }
    }

    /// Whether `peer` may connect. A proxy may, and is asked for whom.
    pub(crate) fn admits(&self, peer: IpAddr) -> bool {
        self.proxies.trusts(peer) || !self.proxied && (self.allow.is_empty() || self.allow.contain(peer))
    }

    /// Whether requests of `client` are taken.
    pub(crate) fn serves(&self, client: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.contain(client)
    }
}
