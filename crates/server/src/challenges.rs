//! The plain listener of `http-01`: it gives the directory its proofs, sends browsers to TLS, and does nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode, header};
use sealyard_acme::HttpChallenges;

/// What the listener knows.
#[derive(Debug, Clone)]
pub(crate) struct Challenges {
    proofs: Arc<HttpChallenges>,
    domains: Arc<[String]>,
    port: u16,
}

const PROOFS: &str = "/.well-known/acme-challenge/";

impl Challenges {
    /// For these names, whose TLS is at `main`.
    pub(crate) fn new(proofs: Arc<HttpChallenges>, domains: &[String], main: SocketAddr) -> Self {
        Self { proofs, domains: domains.into(), port: main.port() }
    }

    pub(crate) fn router(self) -> Router {
        Router::new().fallback(answer).with_state(self)
    }
}

async fn answer(State(known): State<Challenges>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if let Some(token) = request.uri().path().strip_prefix(PROOFS) {
        return match known.proofs.answer(token) {
            Some(proof) => ([(header::CONTENT_TYPE, "application/octet-stream")], proof).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    // Only to names that are ours: whoever could choose the name could send browsers anywhere.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if !known.domains.contains(&name) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let port = if known.port == 443 { String::new() } else { format!(":{}", known.port) };
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let place = format!("https://{name}{port}{path}");
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, place)]).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(method: &str, host: &str, path: &str) -> (u16, Option<String>) {
        let known = Challenges::new(Arc::default(), &["ml.example.org".into()], "127.0.0.1:5000".parse().unwrap());
        let request = Request::builder().method(method).uri(path).header("host", host).body(Body::empty()).unwrap();
        let answer = known.router().oneshot(request).await.unwrap();
        let place = answer.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
        (answer.status().as_u16(), place)
    }

    #[tokio::test]
    async fn it_sends_to_tls_of_its_own_names_and_does_nothing_else() {
        let place = |text: &str| Some(text.to_owned());
        assert_eq!(ask("GET", "ml.example.org", "/a?b").await, (308, place("https://ml.example.org:5000/a?b")));
        assert_eq!(ask("GET", "ML.example.org:80", "//evil").await, (308, place("https://ml.example.org:5000//evil")));
        assert_eq!(ask("GET", "evil.example", "/").await, (404, None));
        assert_eq!(ask("GET", "ml.example.org@evil.example", "/").await, (404, None));
        assert_eq!(ask("GET", "ml.example.org", "/.well-known/acme-challenge/x").await, (404, None));
        assert_eq!(ask("POST", "ml.example.org", "/login").await, (405, None));
    }
}
