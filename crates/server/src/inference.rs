use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Identity, ServerError, listener};

/// A running model server.
#[derive(Debug)]
pub struct InferenceServer {
    url: String,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl InferenceServer {
    /// Serves `router`; without an identity only on loopback.
    ///
    /// # Errors
    /// [`ServerError::Listen`], [`ServerError::LoopbackOnly`].
    pub async fn start(listen: SocketAddr, identity: Option<Identity>, router: Router) -> Result<Self, ServerError> {
        if identity.is_none() && !listen.ip().is_loopback() {
            return Err(ServerError::LoopbackOnly("serving without TLS"));
        }
        let failed = |source| ServerError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let scheme = if identity.is_some() { "https" } else { "http" };
        let (stop, stopped) = watch::channel(false);
        let tls = identity.map(|identity| Arc::clone(&identity.config));
        let serving = tokio::spawn(listener::serve(listener, tls, router, stopped));
        Ok(Self { url: format!("{scheme}://{address}"), stop, serving })
    }

    /// Such as `http://127.0.0.1:5001`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets requests under way end, then stops.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.serving.await;
    }
}
