mod exchange;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, header};
use rustls::{ClientConfig, RootCertStore};
use sealyard_core::with_causes;

use crate::target::Host;
use crate::{AllowList, OutboundError, Resolver, SystemResolver, Target};

pub use exchange::Exchange;

/// No more of an answer is read.
pub const LONGEST_ANSWER: usize = 4096;

const RESOLVE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 16;

/// An answer, as far as it is of interest.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body, at most [`LONGEST_ANSWER`] bytes.
    pub body: Vec<u8>,
    /// How many seconds the receiver asks to be left alone.
    pub retry_after: Option<u64>,
}

/// A request of the server's own, to a party that the operator named, whose whole answer is wanted.
#[derive(Debug, Clone, Default)]
pub struct Ask<'a> {
    /// Where to.
    pub url: &'a str,
    /// Sent besides what HTTP needs.
    pub headers: Vec<(&'static str, String)>,
    /// A POST has one, a GET has none.
    pub body: Option<Bytes>,
    /// A longer answer is an error.
    pub most: usize,
}

/// Sends requests to where the guard lets them go.
#[derive(Debug)]
pub struct Outbound {
    allow: AllowList,
    resolver: Arc<dyn Resolver>,
    roots: Option<RootCertStore>,
    tls: OnceLock<ClientConfig>,
    whole: Duration,
}

impl Outbound {
    /// Lets requests go to the public internet and to what `allow` names.
    #[must_use]
    pub fn new(allow: AllowList) -> Self {
        Self { allow, resolver: Arc::new(SystemResolver), roots: None, tls: OnceLock::new(), whole: WHOLE }
    }

    /// With another resolver.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver, ..self }
    }

    /// Trusting these authorities in place of the system's.
    #[must_use]
    pub fn with_roots(self, roots: RootCertStore) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// With another bound on how long a request takes from its beginning to the end of the answer.
    #[must_use]
    pub const fn with_time_limit(mut self, whole: Duration) -> Self {
        self.whole = whole;
        self
    }

    /// Looks at a URL without resolving its name: before it is kept.
    ///
    /// # Errors
    /// [`OutboundError::Refused`].
    pub fn check(&self, url: &str) -> Result<Target, OutboundError> {
        Target::parse(url, &self.allow)
    }

    /// Sends a POST. The name is resolved once; if any of its addresses is refused, nothing is sent.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Response, OutboundError> {
        let target = self.check(url)?;
        tokio::time::timeout(self.whole, self.send_and_look(&target, headers, body))
            .await
            .map_err(|_| OutboundError::TimedOut)?
    }

    /// Sends a GET, or a POST if there is a body, and reads the answer to its end.
    ///
    /// # Errors
    /// [`OutboundError`]; half an answer, or one that is too long, is none.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<Response, OutboundError> {
        let target = self.check(ask.url)?;
        let whole = async {
            let method = if ask.body.is_some() { Method::POST } else { Method::GET };
            let mut answer = self.send(&target, method, &ask.headers, ask.body).await?;
            let status = answer.status().as_u16();
            let retry_after = retry_after(&answer);
            let mut body = Vec::new();
            while let Some(piece) = answer.chunk().await.map_err(transport)? {
                if body.len().saturating_add(piece.len()) > ask.most {
                    return Err(OutboundError::TooLong(ask.most));
                }
                body.extend_from_slice(&piece);
            }
            Ok(Response { status, body, retry_after })
        };
        tokio::time::timeout(self.whole, whole).await.map_err(|_| OutboundError::TimedOut)?
    }

    async fn send_and_look(
        &self,
        target: &Target,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Response, OutboundError> {
        let mut answer = self.send(target, Method::POST, headers, Some(body)).await?;
        let status = answer.status().as_u16();
        let retry_after = retry_after(&answer);
        let mut body = Vec::new();
        while body.len() < LONGEST_ANSWER {
            // A status is an answer, however the body ends.
            let Ok(Some(piece)) = answer.chunk().await else { break };
            body.extend(piece.iter().take(LONGEST_ANSWER - body.len()));
        }
        Ok(Response { status, body, retry_after })
    }

    async fn send(
        &self,
        target: &Target,
        method: Method,
        headers: &[(&'static str, String)],
        body: Option<Bytes>,
    ) -> Result<reqwest::Response, OutboundError> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls()?)
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("sealyard/", env!("CARGO_PKG_VERSION")));
        // An address in the URL was checked with the URL, and is connected to as it is.
        if let Host::Name(name) = target.host() {
            let addresses = self.resolve(target, name).await?;
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        let client = builder.build().map_err(transport)?;
        let mut request = client.request(method, target.url().clone());
        if let Some(body) = body {
            request = request.body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await.map_err(transport)
    }

    /// The addresses of the target's name, each of them checked.
    async fn resolve(&self, target: &Target, name: &str) -> Result<Vec<SocketAddr>, OutboundError> {
        let unresolved = || OutboundError::Unresolved(name.to_owned());
        let found = tokio::time::timeout(RESOLVE, self.resolver.resolve(name)).await;
        let found: Vec<IpAddr> = found.map_err(|_| unresolved())?.map_err(|_| unresolved())?;
        if found.is_empty() {
            return Err(unresolved());
        }
        for address in &found {
            target.check_address(*address, &self.allow)?;
        }
        let port = target.port();
        Ok(found.into_iter().take(MOST_ADDRESSES).map(|address| SocketAddr::new(address, port)).collect())
    }

    fn tls(&self) -> Result<ClientConfig, OutboundError> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = self.roots.clone().unwrap_or_else(system_roots);
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| OutboundError::Transport(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| config).clone())
    }
}

fn retry_after(answer: &reqwest::Response) -> Option<u64> {
    answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok())
}

/// The authorities that this machine trusts.
#[must_use]
pub fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // One that can't be read is one fewer to trust.
        let _ = roots.add(certificate);
    }
    roots
}

/// What went wrong, innermost last and without the URL.
fn transport(error: reqwest::Error) -> OutboundError {
    if error.is_timeout() {
        return OutboundError::TimedOut;
    }
    OutboundError::Transport(with_causes(&error.without_url()).chars().take(300).collect())
}
