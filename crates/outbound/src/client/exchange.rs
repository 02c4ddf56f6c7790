use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};

use super::{CONNECT, transport};
use crate::target::Host;
use crate::{Outbound, OutboundError, Target};

/// A request in full, to a party that the operator named.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: &'a str,
    /// Its headers, besides what HTTP needs.
    pub headers: HeaderMap,
    /// Its body, if it has one.
    pub body: Option<Bytes>,
    /// A longer answer is an error.
    pub most: usize,
}

impl Outbound {
    /// Sends a request and reads the answer, its headers and all of its body.
    ///
    /// # Errors
    /// [`OutboundError`]; half an answer, or one that is too long, is none.
    pub async fn exchange(&self, exchange: Exchange<'_>) -> Result<http::Response<Bytes>, OutboundError> {
        let target = self.check(exchange.url)?;
        let whole = async {
            let client = self.client_for(&target).await?;
            let mut request = client.request(exchange.method, target.url().clone()).headers(exchange.headers);
            if let Some(body) = exchange.body {
                request = request.body(body);
            }
            let mut answer = request.send().await.map_err(transport)?;
            let mut parts = http::Response::new(());
            *parts.status_mut() = answer.status();
            *parts.headers_mut() = answer.headers().clone();
            let mut body = Vec::new();
            while let Some(piece) = answer.chunk().await.map_err(transport)? {
                if body.len().saturating_add(piece.len()) > exchange.most {
                    return Err(OutboundError::Transport("the answer is longer than it may be".to_owned()));
                }
                body.extend_from_slice(&piece);
            }
            Ok(parts.map(|()| Bytes::from(body)))
        };
        tokio::time::timeout(self.whole, whole).await.map_err(|_| OutboundError::TimedOut)?
    }

    /// A client that goes to addresses of the target that were looked at, and nowhere else.
    async fn client_for(&self, target: &Target) -> Result<Client, OutboundError> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls()?)
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("sealyard/", env!("CARGO_PKG_VERSION")));
        if let Host::Name(name) = target.host() {
            let addresses = self.resolve(target, name).await?;
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        builder.build().map_err(transport)
    }
}
