use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sealyard_app::Caller;
use sealyard_transport::{Buckets, Crowd, Rate, peer_network};

use super::held::Held;
use super::{ApiError, ApiState, ErrorCode, peer};

/// So many addresses can be busy at the same time before the table forgives the least busy.
const ADDRESSES: usize = 1 << 16;
/// The same for accounts.
const ACCOUNTS: usize = 1 << 12;

/// How much of this server one address or one account may take. Shared by all listeners.
#[derive(Debug, Default)]
pub struct RequestLimits {
    addresses: Option<Buckets>,
    accounts: Option<Buckets>,
    at_once: Option<Arc<Crowd<String>>>,
    time: Option<Duration>,
}

impl RequestLimits {
    /// Requests a second from one address (with IPv6, from one network of 64 bits), whoever sends them.
    #[must_use]
    pub fn with_address_rate(self, rate: Rate) -> Self {
        Self { addresses: Buckets::new(rate, ADDRESSES), ..self }
    }

    /// Requests a second of one account, wherever they come from.
    #[must_use]
    pub fn with_account_rate(self, rate: Rate) -> Self {
        Self { accounts: Buckets::new(rate, ACCOUNTS), ..self }
    }

    /// Requests of one account that are worked on at the same time; 0 is without limit.
    #[must_use]
    pub fn with_requests_at_once(self, most: usize) -> Self {
        Self { at_once: (most > 0).then(|| Crowd::new(most)), ..self }
    }

    /// How long a request may take until its answer begins, its own body included; zero is without limit.
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time: (!time.is_zero()).then_some(time), ..self }
    }
}

/// Counts the request against its address, and ends it when it takes too long.
pub(super) async fn by_address(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let limits = state.config().limits();
    if let Some(buckets) = &limits.addresses {
        // Those without an address (a unix socket, a test) share one bucket.
        let address = peer_network(peer(&request).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        if let Err(wait) = buckets.take(&address) {
            state.count("throttled", "address");
            return too_many("limit.address-rate", "this address sends too many requests", wait);
        }
    }
    let Some(time) = limits.time else { return next.run(request).await };
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            state.count("throttled", "time");
            let message = "the request took too long and was given up";
            ApiError::new(ErrorCode::TemporarilyUnavailable, message).retry_after(1).into_response()
        }
    }
}

/// Counts the request against its account. Runs behind the authentication.
pub(super) async fn by_account(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let limits = state.config().limits();
    let caller = request.extensions().get::<Caller>().and_then(Caller::principal);
    let Some(name) = caller.map(|principal| principal.name.as_str().to_owned()) else {
        return next.run(request).await;
    };
    if let Some(buckets) = &limits.accounts
        && let Err(wait) = buckets.take(&name)
    {
        state.count("throttled", "account");
        return too_many("limit.account-rate", "this account sends too many requests", wait);
    }
    let place = match &limits.at_once {
        None => None,
        Some(crowd) => match crowd.admit(name) {
            Some(place) => Some(place),
            None => {
                state.count("throttled", "at-once");
                let reason = "this account has as many requests under way as it may";
                return too_many("limit.requests-at-once", reason, Duration::from_secs(1));
            }
        },
    };
    // An answer is under way until its last byte is taken, and not only until it begins.
    next.run(request).await.map(|body| Body::new(Held { body, _place: place }))
}

fn too_many(rule: &'static str, reason: &'static str, wait: Duration) -> Response {
    // Rounded up, or the client would come back too early.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    ApiError::refused(ErrorCode::RequestLimitExceeded, rule, reason).retry_after(seconds.max(1)).into_response()
}
