use std::time::Duration;

use sealyard_api::RequestLimits;
use sealyard_transport::Rate;
use serde::Deserialize;

use crate::door::ConnectionLimits;

/// `[limits]`: how much of the server anybody may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Connections of a listener at once.
    pub connections: usize,
    /// Of them for one address; with IPv6 for one network of 48 bits. Never more than half of all, nor of those that are free.
    pub connections_per_address: usize,
    /// Seconds until a request's head must be there.
    pub head_seconds: u64,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
    /// Seconds that a request's body may stand still.
    pub body_seconds: u64,
    /// Bytes a second that it must come with, beyond that time; 0 is any.
    pub body_bytes_per_second: u32,
    /// Bytes of the largest artifact.
    pub artifact_bytes: u64,
    /// Seconds until an answer must begin; 0 is for ever.
    pub request_seconds: u64,
    /// Requests of one account at once; 0 is without limit.
    pub requests_at_once: usize,
    /// Requests of one account.
    pub account_rate: Rate,
    /// Requests of one address.
    pub address_rate: Rate,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let connection = ConnectionLimits::default();
        Self {
            connections: connection.connections,
            connections_per_address: connection.per_address,
            head_seconds: connection.head.as_secs(),
            head_bytes: connection.head_bytes,
            headers: connection.headers,
            body_seconds: connection.body.as_secs(),
            body_bytes_per_second: connection.body_rate,
            artifact_bytes: 16 << 30,
            request_seconds: 3600,
            requests_at_once: 256,
            account_rate: Rate { per_second: 2000, burst: 4000 },
            address_rate: Rate { per_second: 5000, burst: 10_000 },
        }
    }
}

/// Less than this, and the server could not be used, not even to find out why.
const SHORTEST_HEAD: usize = 8 * 1024;

impl LimitSettings {
    /// Whether both accounts and addresses have a rate.
    pub(crate) const fn bound_rates(&self) -> bool {
        self.account_rate.per_second > 0 && self.address_rate.per_second > 0
    }

    /// Those of a listener.
    pub(crate) fn connection(&self) -> ConnectionLimits {
        ConnectionLimits {
            connections: self.connections.max(1),
            per_address: self.connections_per_address.max(1),
            head: Duration::from_secs(self.head_seconds.max(1)),
            head_bytes: self.head_bytes.clamp(SHORTEST_HEAD, 16 << 20),
            headers: self.headers.clamp(16, 10_000),
            body: Duration::from_secs(self.body_seconds.max(1)),
            body_rate: self.body_bytes_per_second,
            ..ConnectionLimits::default()
        }
    }

    /// Those of an account or an address, over all listeners.
    pub(crate) fn requests(&self) -> RequestLimits {
        RequestLimits::default()
            .with_account_rate(self.account_rate)
            .with_address_rate(self.address_rate)
            .with_requests_at_once(self.requests_at_once)
            .with_time(Duration::from_secs(self.request_seconds))
    }
}
