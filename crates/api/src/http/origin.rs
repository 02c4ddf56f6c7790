use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, header};

use super::{ApiError, ApiState, ErrorCode};

/// What a server answers to.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    allowed_hosts: Vec<String>,
    max_artifact_bytes: u64,
}

impl RouterConfig {
    /// Answers to `localhost`, `127.0.0.1` and `[::1]` only; uploads of up to 16 GiB.
    #[must_use]
    pub fn loopback() -> Self {
        let allowed_hosts = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        Self { allowed_hosts, max_artifact_bytes: 16 << 30 }
    }

    /// Answers to this name or address too; a port is left away.
    #[must_use]
    pub fn with_host(mut self, host: &str) -> Self {
        self.allowed_hosts.push(without_port(host).to_ascii_lowercase());
        self
    }

    /// Largest artifact in bytes.
    #[must_use]
    pub const fn with_max_artifact_bytes(mut self, bytes: u64) -> Self {
        self.max_artifact_bytes = bytes;
        self
    }

    pub(crate) const fn max_artifact_bytes(&self) -> u64 {
        self.max_artifact_bytes
    }

    fn allows(&self, host: &str) -> bool {
        let host = without_port(host).to_ascii_lowercase();
        self.allowed_hosts.contains(&host)
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => authority,
    }
}

/// Refuses names that are not this server's (a rebound DNS name is one) and changes that a page of another origin asks
/// for with the user's credentials.
pub(super) async fn check(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    match checked(state.config(), &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Whether the request names this server and, if it changes something, comes from no page of another origin.
pub(crate) fn checked(config: &RouterConfig, request: &Request) -> Result<(), ApiError> {
    let refuse_host = || {
        let reason = "this server does not go by that name; it is not in the list of allowed hosts";
        ApiError::refused(ErrorCode::PermissionDenied, "http.host", reason)
    };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let header = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(host), None) => Some(host.to_str().map_err(|_| refuse_host())?),
        (Some(_), Some(_)) => return Err(refuse_host()),
    };
    // HTTP/2 has the name in the URI; where both are there, both count.
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let host = header.or(authority).ok_or_else(refuse_host)?;
    if !config.allows(host) || authority.is_some_and(|authority| !config.allows(authority)) {
        return Err(refuse_host());
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let refuse_origin = || {
        ApiError::refused(
            ErrorCode::PermissionDenied,
            "http.origin",
            "a page of another origin may not change anything here",
        )
    };
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    if let Some(origin) = origins.next() {
        let origin = origin.to_str().map_err(|_| refuse_origin())?;
        let of_origin = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let same = of_origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host));
        if !same || origins.next().is_some() {
            return Err(refuse_origin());
        }
    }
    match request.headers().get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(refuse_origin()),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn ask(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let config = RouterConfig::loopback().with_host("ml.example.org:5000");
        checked(&config, &request.body(Body::empty()).unwrap()).is_ok()
    }

    #[test]
    fn only_own_names_are_answered() {
        for host in ["localhost", "LOCALHOST:5000", "127.0.0.1:1", "[::1]:5000", "[::1]", "ml.example.org"] {
            assert!(ask("GET", &[("host", host)]), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:5000", "", "[::2]", "localhost:x"]
        {
            assert!(!ask("GET", &[("host", host)]), "{host}");
        }
        assert!(!ask("GET", &[]));
        assert!(!ask("GET", &[("host", "localhost"), ("host", "evil.example")]));
    }

    #[test]
    fn other_origins_change_nothing() {
        let host = ("host", "localhost:5000");
        assert!(ask("POST", &[host]));
        assert!(ask("POST", &[host, ("origin", "https://localhost:5000")]));
        assert!(ask("GET", &[host, ("origin", "https://evil.example")]));
        for origin in ["https://evil.example", "null", "https://localhost:5001", "https://localhost", "localhost:5000"]
        {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                assert!(!ask(method, &[host, ("origin", origin)]), "{method} {origin}");
            }
        }
        assert!(!ask("POST", &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!ask("POST", &[host, ("sec-fetch-site", "same-site")]));
    }
}
