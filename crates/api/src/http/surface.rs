use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use super::routes::Endpoint;
use super::{Takes, not_found};

/// Which of the routes a listener has. The others are as if they were not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Surface {
    /// All.
    #[default]
    All,
    /// All but the administration, which has a listener of its own.
    WithoutAdministration,
    /// Only the administration.
    Administration,
    /// Only what a model server needs to find, judge and fetch a model. It changes nothing.
    Loading,
}

/// What takes an administrator and is still no administration of who may do what.
const NOT_ADMINISTRATION: [&str; 3] = ["/mlflow/workspaces", "/mlflow/webhooks", "/v1/runs/explain"];
/// What is administration although it does not take an administrator: who may MANAGE something gives others rights on it, and
/// whoever is somebody makes tokens, and administrators end the sessions of others.
const ADMINISTRATION: [&str; 4] = ["/permissions/", "/v1/tokens", "/v1/sessions", "/v1/access/"];
/// What a loader asks by other means than reading: what a gate would say.
const LOADING: [(&str, &str); 1] = [("POST", "/api/sealyard/v1/decisions")];

/// What anybody may ask, at every listener.
const ALIVE: [&str; 3] = ["/health", "/ping", "/version"];

/// Whether a route is about who is asking and their own account alone: that is on both sides, since whoever works with models
/// reaches no other listener.
fn is_own(endpoint: &Endpoint) -> bool {
    let path = endpoint.path.as_str();
    path.ends_with("/whoami")
        || path.ends_with("/users/current")
        || path.starts_with("/account/")
        || path.starts_with("/api/sealyard/v1/account/")
}

/// Whether a route is about who may do what, or about the ledger.
pub(crate) fn is_administration(endpoint: &Endpoint) -> bool {
    let path = endpoint.path.as_str();
    if ADMINISTRATION.iter().any(|part| path.contains(part)) || path.starts_with("/scim/") {
        return true;
    }
    endpoint.takes == Takes::Administrator && !NOT_ADMINISTRATION.iter().any(|part| path.contains(part))
}

impl Surface {
    fn has(self, endpoint: &Endpoint) -> bool {
        // Other pages, log-ins and uploads without a token are where most of the rest is.
        if ALIVE.contains(&endpoint.path.as_str()) {
            return true;
        }
        match self {
            Self::All => true,
            Self::WithoutAdministration => !is_administration(endpoint),
            Self::Administration => is_administration(endpoint) || is_own(endpoint),
            Self::Loading => {
                let reads = endpoint.method == "GET" && matches!(endpoint.takes, Takes::Read | Takes::Somebody);
                let asks = LOADING.contains(&(endpoint.method, endpoint.path.as_str()));
                (reads || asks) && !is_administration(endpoint) && !endpoint.path.contains("/account/")
            }
        }
    }
}

/// The routes that a listener has.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    all: bool,
    routes: HashSet<(&'static str, String)>,
}

impl Shown {
    pub(super) fn new(surface: Surface, endpoints: &[Endpoint]) -> Self {
        let shown = endpoints.iter().filter(|endpoint| surface.has(endpoint));
        let routes = shown.map(|endpoint| (endpoint.method, endpoint.path.clone())).collect();
        Self { all: surface == Surface::All, routes }
    }

    fn has(&self, method: &Method, path: &str) -> bool {
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        // A method that the route does not take is answered as everywhere.
        let known = |method: &'static str| self.routes.contains(&(method, path.to_owned()));
        match method {
            "GET" => known("GET") || known("ANY"),
            "POST" => known("POST") || known("ANY"),
            "PUT" => known("PUT") || known("ANY"),
            "PATCH" => known("PATCH") || known("ANY"),
            "DELETE" => known("DELETE") || known("ANY"),
            _ => known("ANY"),
        }
    }
}

/// Hides what this listener does not have. Runs behind the authentication, so that who is nobody can't tell what is hidden from
/// what is not there at all.
pub(super) async fn hide(State(shown): State<Arc<Shown>>, request: Request, next: Next) -> Response {
    if shown.all {
        return next.run(request).await;
    }
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    if shown.has(request.method(), path) { next.run(request).await } else { not_found().await.into_response() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_who_may_do_what_is_administration() {
        let found = |path: &str| crate::endpoints().into_iter().filter(|endpoint| endpoint.path == path).collect();
        for path in [
            "/api/2.0/mlflow/users/create",
            "/ajax-api/2.0/mlflow/users/update-password",
            "/api/3.0/mlflow/roles/assign",
            "/api/2.0/mlflow/experiments/permissions/create",
            "/api/sealyard/v1/users",
            "/api/sealyard/v1/grants",
            "/api/sealyard/v1/tokens",
            "/api/sealyard/v1/tokens/{id}",
            "/api/sealyard/v1/sessions",
            "/api/sealyard/v1/access/explanation",
            "/api/sealyard/v1/ledger/entries",
        ] {
            let endpoints: Vec<Endpoint> = found(path);
            assert!(!endpoints.is_empty() && endpoints.iter().all(is_administration), "{path}");
        }
        for path in [
            "/api/2.0/mlflow/runs/create",
            "/api/2.0/mlflow/users/current",
            "/api/sealyard/v1/whoami",
            "/api/3.0/mlflow/workspaces",
            "/api/sealyard/v1/account/second-factor",
            "/account/tokens/create",
            "/account/command-line",
        ] {
            let endpoints: Vec<Endpoint> = found(path);
            assert!(!endpoints.is_empty() && !endpoints.iter().any(is_administration), "{path}");
        }
    }

    #[test]
    fn each_route_is_on_one_side() {
        for endpoint in crate::endpoints() {
            let administration = Surface::Administration.has(&endpoint);
            let rest = Surface::WithoutAdministration.has(&endpoint);
            let both = ALIVE.contains(&endpoint.path.as_str()) || is_own(&endpoint);
            assert!(administration != rest || both, "{endpoint:?}");
            if Surface::Loading.has(&endpoint) {
                assert!(endpoint.takes != Takes::Nobody || both, "{endpoint:?}");
                assert!(!endpoint.path.contains("/account/"), "{endpoint:?}");
                assert!(rest && (endpoint.method == "GET" || endpoint.path.ends_with("/decisions")), "{endpoint:?}");
            }
        }
    }
}
