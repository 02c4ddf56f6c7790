use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, header};
use sealyard_transport::Metrics;

use super::{ApiError, ApiState, ErrorCode, RequestLimits, Surface};
use crate::ui::Pages;

/// What a server answers to.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    allowed_hosts: Vec<String>,
    max_artifact_bytes: u64,
    tls: bool,
    pages: Option<Arc<Pages>>,
    surface: Surface,
    limits: Arc<RequestLimits>,
    metrics: Option<Arc<Metrics>>,
}

impl RouterConfig {
    /// Answers to `localhost`, `127.0.0.1` and `[::1]` only; uploads of up to 16 GiB.
    #[must_use]
    pub fn loopback() -> Self {
        let allowed_hosts = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        Self {
            allowed_hosts,
            max_artifact_bytes: 16 << 30,
            tls: false,
            pages: None,
            surface: Surface::All,
            limits: Arc::default(),
            metrics: None,
        }
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

    /// Whether the listener speaks TLS: then cookies go back over TLS only.
    #[must_use]
    pub const fn with_tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Serves these pages, and lets browsers log in.
    #[must_use]
    pub fn with_pages(mut self, pages: Pages) -> Self {
        self.pages = Some(Arc::new(pages));
        self
    }

    /// Has only these of the routes.
    #[must_use]
    pub const fn with_surface(mut self, surface: Surface) -> Self {
        self.surface = surface;
        self
    }

    /// Bounds what one address or account may take.
    #[must_use]
    pub fn with_limits(mut self, limits: Arc<RequestLimits>) -> Self {
        self.limits = limits;
        self
    }

    /// Counts answers in there.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    pub(crate) const fn surface(&self) -> Surface {
        self.surface
    }

    pub(crate) fn limits(&self) -> &RequestLimits {
        &self.limits
    }

    pub(crate) const fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.metrics.as_ref()
    }

    pub(crate) const fn tls(&self) -> bool {
        self.tls
    }

    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    pub(crate) const fn pages(&self) -> Option<&Arc<Pages>> {
        self.pages.as_ref()
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
    // A SAML provider's page sends its response here, from its own origin. What makes it count is the provider's signature and
    // the cookie of the log-in that this browser began.
    if let Some(rest) = request.uri().path().strip_prefix("/auth/saml/")
        && rest.split_once('/').is_some_and(|(_, end)| end == "acs")
    {
        return Ok(());
    }
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    if let Some(origin) = origins.next() {
        let origin = origin.to_str().map_err(|_| refuse_origin())?;
        // Without TLS of its own it may stand behind a proxy that has it.
        let plain = if config.tls() { None } else { origin.strip_prefix("http://") };
        let of_origin = origin.strip_prefix("https://").or(plain);
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

fn refuse_origin() -> ApiError {
    let reason = "a page of another origin may not change anything here";
    ApiError::refused(ErrorCode::PermissionDenied, "http.origin", reason)
}

/// Whether a request that shows a cookie was made by a page of this server. What changes something must prove it by
/// `Sec-Fetch-Site` or `Origin`, which no page can forge; what reads must at least not say otherwise. Comes after
/// [`checked`], which compares `Origin` with the server's name.
pub(crate) fn check_with_cookie(request: &Request) -> Result<(), ApiError> {
    let header = |name: &str| request.headers().get(name).map(http::HeaderValue::as_bytes);
    let site = header("sec-fetch-site");
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        let navigates = header("sec-fetch-mode") == Some(b"navigate");
        return match site {
            None | Some(b"same-origin" | b"none") => Ok(()),
            // A link that was followed from elsewhere; the page that had it gets to see nothing.
            Some(_) if navigates && header("sec-fetch-dest") == Some(b"document") => Ok(()),
            Some(_) => Err(refuse_origin()),
        };
    }
    match (site, header("origin")) {
        (Some(b"same-origin"), _) | (None, Some(_)) => Ok(()),
        _ => Err(refuse_origin()),
    }
}

/// Whether a request that shows nothing but its connection's certificate may. A browser uses the certificate for whatever page
/// asks, as it does with a cookie; a client that is no browser says nothing of pages. What changes something [`checked`] has seen.
pub(crate) fn check_with_certificate(request: &Request) -> Result<(), ApiError> {
    if matches!(*request.method(), Method::GET | Method::HEAD) { check_with_cookie(request) } else { Ok(()) }
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
    fn a_page_without_tls_is_not_of_a_server_with_it() {
        let asks = |tls: bool, origin: &str| {
            let request = Request::post("/x").header("host", "localhost:5000").header("origin", origin);
            let config = RouterConfig::loopback().with_tls(tls);
            checked(&config, &request.body(Body::empty()).unwrap()).is_ok()
        };
        assert!(asks(true, "https://localhost:5000") && asks(false, "http://localhost:5000"));
        assert!(asks(false, "https://localhost:5000"), "behind a proxy that has the TLS");
        assert!(!asks(true, "http://localhost:5000"));
    }

    #[test]
    fn only_the_response_of_a_saml_provider_comes_from_elsewhere() {
        let allowed = |host: &str, path: &str| {
            let request = Request::post(path).header("host", host).header("origin", "https://idp.example.org");
            let request = request.header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
            checked(&RouterConfig::loopback(), &request).is_ok()
        };
        assert!(allowed("localhost", "/auth/saml/corp/acs"));
        assert!(!allowed("evil.example", "/auth/saml/corp/acs"));
        for path in [
            "/auth/saml/corp/login",
            "/auth/saml/corp/acs/",
            "/auth/saml/a/b/acs",
            "/auth/oidc/corp/acs",
            "/login",
            "/acs",
        ] {
            assert!(!allowed("localhost", path), "{path}");
        }
    }

    #[test]
    fn a_cookie_counts_only_from_a_page_of_this_server() {
        let allowed = |method: &str, headers: &[(&str, &str)]| {
            let request = Request::builder().method(method).uri("/x");
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            check_with_cookie(&request.body(Body::empty()).unwrap()).is_ok()
        };
        let same = ("sec-fetch-site", "same-origin");
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(allowed(method, &[same]));
            assert!(allowed(method, &[("origin", "https://localhost:5000")]), "older browsers; `checked` compares it");
            assert!(!allowed(method, &[]), "{method}: nothing says where it comes from");
            for site in ["cross-site", "same-site", "none", ""] {
                assert!(!allowed(method, &[("sec-fetch-site", site), ("origin", "https://localhost:5000")]), "{site}");
            }
        }
        assert!(allowed("GET", &[same]) && allowed("GET", &[]));
        assert!(!allowed("GET", &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")]));
        assert!(!allowed(
            "GET",
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]
        ));
        assert!(allowed(
            "GET",
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
        ));
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
