//! The accept loop: TLS, limits, graceful end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::patience::{FirstBytes, PatientBody};

/// So many connections at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// A client that does not finish its handshake or its headers in this time is dropped.
const PATIENCE: Duration = Duration::from_secs(15);
/// A request whose body stops for this long is ended.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// How long requests under way may take once the server is told to stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// Serves `router` until `stop` says so, then lets requests under way end.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    serve_at_once(CONNECTIONS, listener, tls, router, stop).await;
}

/// With so many connections at once.
async fn serve_at_once(
    connections: usize,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(connections));
    let graceful = GracefulShutdown::new();
    let next = async || {
        let place = Arc::clone(&places).acquire_owned().await.map_err(std::io::Error::other)?;
        listener.accept().await.map(|(stream, peer)| (place, stream, peer))
    };
    loop {
        // Also while there is no place: a server whose places are all taken must be able to stop.
        let (place, stream, peer) = tokio::select! {
            _ = stop.changed() => break,
            accepted = next() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most often: wait for connections to end rather than spin.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            match acceptor {
                None => connection(stream, peer, router, watcher).await,
                Some(acceptor) => match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, peer, router, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
                },
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(|body| axum::body::Body::new(PatientBody::new(BODY_PATIENCE, body))))
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(64 * 1024);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(128).max_header_list_size(64 * 1024);
    builder.http2().keep_alive_interval(Some(PATIENCE)).keep_alive_timeout(PATIENCE);
    let stream = FirstBytes::within(PATIENCE, stream);
    let serving = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_without_a_place_left_can_be_stopped() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve_at_once(1, listener, None, Router::new(), stopped));
        let held = tokio::net::TcpStream::connect(address).await.unwrap();
        // Until the one place is taken.
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
        drop(held);
    }
}
