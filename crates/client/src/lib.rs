//! The HTTP client that the commands and the runner use.
//!
//! It trusts the certificate it is given and nothing else, follows no redirect, uses no proxy, and believes nothing it
//! is told about a model: manifests, evidence and files are checked by whoever asked for them.
#![forbid(unsafe_code)]

mod credentials;
mod error;
mod files;
mod gates;
mod identities;
mod ledger;
mod mlflow;
mod models;
mod uri;
mod vault;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use sealyard_core::Redacted;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use credentials::{Connection, ConnectionError};
pub use error::ClientError;
pub use files::{FetchError, FileFetcher};
pub use identities::{CreatedToken, TokenSummary};
pub use ledger::{FoundEntry, LedgerPage, LedgerStatus};
pub use models::{EvidenceItem, Manifest};
pub use uri::{ModelUri, ModelUriError};

/// No answer that is held in memory is larger.
const LARGEST_ANSWER: usize = 64 << 20;

/// A connection to one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<Redacted<String>>,
    basic: Option<(String, Redacted<String>)>,
}

impl Client {
    /// A client for `connection`.
    ///
    /// # Errors
    /// [`ClientError::Tls`] when the certificate can't be used.
    pub fn new(connection: &Connection) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(connection.tls_config()?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .build()
            .map_err(ClientError::Transport)?;
        let base = connection.url.trim_end_matches('/').to_owned();
        Ok(Self { http, base, token: connection.token.clone(), basic: connection.basic.clone() })
    }

    /// The server's URL without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// A request with this client's credentials.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match (&self.token, &self.basic) {
            (Some(token), _) => request.bearer_auth(token.expose()),
            (None, Some((name, password))) => request.basic_auth(name, Some(password.expose())),
            (None, None) => request,
        }
    }

    /// Sends and turns every answer but a success into an error.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(ClientError::Transport)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = bounded(answer).await.unwrap_or_default();
        Err(ClientError::answer(status.as_u16(), &body))
    }

    /// Sends a request that answers with JSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        parse(&bounded(self.send(request).await?).await?)
    }

    /// A GET that answers with JSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.send(self.request(Method::GET, path)).await?;
        parse(&bounded(answer).await?)
    }

    /// A request with a JSON body that answers with JSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn call<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let answer = self.send(self.request(method, path).json(body)).await?;
        parse(&bounded(answer).await?)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(ClientError::Json)
}

/// The body, if it is of a size that can be held.
async fn bounded(mut answer: Response) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(ClientError::Transport)? {
        if body.len() + piece.len() > LARGEST_ANSWER {
            return Err(ClientError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Percent-encodes one path segment.
#[must_use]
pub fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Percent-encodes a path, keeping its slashes.
#[must_use]
pub fn path(text: &str) -> String {
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}
