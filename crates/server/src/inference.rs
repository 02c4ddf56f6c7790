use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use sealyard_transport::TlsSlot;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::door::Door;
use crate::{ServerError, listener};

/// How often the files of TLS are looked at.
pub(crate) const LOOK: Duration = Duration::from_secs(5);

/// A running model server.
#[derive(Debug)]
pub struct InferenceServer {
    url: String,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl InferenceServer {
    /// Serves `router`; without TLS only on loopback. The files of TLS are read anew when they change.
    ///
    /// # Errors
    /// [`ServerError::Listen`], [`ServerError::LoopbackOnly`].
    pub async fn start(listen: SocketAddr, tls: Option<Arc<TlsSlot>>, router: Router) -> Result<Self, ServerError> {
        if tls.is_none() && !listen.ip().is_loopback() {
            return Err(ServerError::LoopbackOnly("serving without TLS"));
        }
        let failed = |source| ServerError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (stop, stopped) = watch::channel(false);
        if let Some(tls) = &tls {
            tokio::spawn(Arc::clone(tls).follow(LOOK));
        }
        let serving = tokio::spawn(listener::serve(listener, Arc::new(Door::new(tls)), router, stopped));
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
