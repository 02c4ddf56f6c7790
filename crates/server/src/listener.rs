//! The accept loop: TLS, limits, graceful end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::activity::{Activity, Answer, Quiet};
use crate::descriptors;
use crate::patience::{FirstBytes, PatientBody};
use crate::peers::Peers;
use crate::plain;

/// So many connections at once, if there are descriptors for them; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// A connection that is not used is ended. A client whose downloads stand still has longer: it may be one that pauses.
const QUIET: Quiet = Quiet { idle: Duration::from_secs(60), stalled: Duration::from_secs(300) };
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
    let connections = descriptors::places(CONNECTIONS, descriptors::raise());
    serve_within(Limits { connections, quiet: QUIET }, listener, tls, router, stop).await;
}

/// What clients may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at once; half of them for each peer, so that one alone shuts nobody out.
    connections: usize,
    quiet: Quiet,
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(limits.connections));
    let peers = Peers::new(limits.connections.div_ceil(2));
    // Closed when the last connection has ended.
    let (ended, open) = watch::channel(());
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
        let Some(held) = peers.admit(peer.ip()) else {
            tracing::debug!(%peer, "a peer has as many connections as it may");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (acceptor, router, stop, open) = (acceptor.clone(), router.clone(), stop.clone(), open.clone());
        tokio::spawn(async move {
            let _place = (place, held, open);
            match acceptor {
                None => connection(stream, peer, router, limits.quiet, stop).await,
                Some(acceptor) => match tokio::time::timeout(PATIENCE, plain::handshake(&acceptor, stream)).await {
                    Ok(Ok(Some(stream))) => connection(stream, peer, router, limits.quiet, stop).await,
                    Ok(Ok(None)) => tracing::debug!(%peer, "a client spoke plain HTTP where TLS is spoken"),
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
                },
            }
        });
    }
    drop((listener, open));
    let _ = tokio::time::timeout(FAREWELL, ended.closed()).await;
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    quiet: Quiet,
    mut stop: watch::Receiver<bool>,
) {
    let activity = Activity::new();
    let requests = Arc::clone(&activity);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let mark = requests.begin();
        request.extensions_mut().insert(ConnectInfo(peer));
        let request = request.map(|body| axum::body::Body::new(PatientBody::new(BODY_PATIENCE, body)));
        let answer = router.clone().oneshot(request);
        async move { answer.await.map(|response| response.map(|body| Answer::new(body, mark))) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(64 * 1024);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(128).max_header_list_size(64 * 1024);
    builder.http2().keep_alive_interval(Some(PATIENCE)).keep_alive_timeout(PATIENCE);
    let stream = FirstBytes::within(PATIENCE, stream);
    let serving = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = activity.quiet(quiet) => None,
        // Also when whoever could say so is gone.
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            serving.as_mut().graceful_shutdown();
            // A polite end waits for the client to take what was sent, and that can be for ever.
            let patience = Quiet { idle: quiet.stalled, ..quiet };
            tokio::select! {
                ended = serving.as_mut() => ended,
                () = activity.quiet(patience) => return tracing::debug!(%peer, "a connection stood still"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Body, Bytes};
    use hyper::Request;
    use hyper::body::{Body as _, Frame};
    use hyper::client::conn::{http1, http2};
    use tokio::net::{TcpSocket, TcpStream};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    const IDLE: Duration = Duration::from_secs(1);
    const STALLED: Duration = Duration::from_millis(1500);
    /// A connection that is not ended shows by this.
    const LONG: Duration = Duration::from_secs(10);

    struct Running {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        serving: JoinHandle<()>,
    }

    async fn start(connections: usize, idle: Duration) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer);
        let (stop, stopped) = watch::channel(false);
        let limits = Limits { connections, quiet: Quiet { idle, stalled: STALLED } };
        let serving = tokio::spawn(serve_within(limits, listener, None, router, stopped));
        Running { address, stop, serving }
    }

    async fn answer(request: Request<Body>) -> hyper::Response<Body> {
        let body = match request.uri().path() {
            "/slow" => {
                sleep(IDLE * 4).await;
                Body::empty()
            }
            "/drip" => Body::new(Drip { left: 3, next: Box::pin(sleep(IDLE * 2)) }),
            _ => Body::from("here"),
        };
        hyper::Response::new(body)
    }

    /// A body of which a piece comes now and then.
    struct Drip {
        left: u32,
        next: Pin<Box<tokio::time::Sleep>>,
    }

    impl hyper::body::Body for Drip {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.next.as_mut().poll(cx));
            self.next.as_mut().reset(Instant::now() + IDLE * 2);
            self.left -= 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"drop")))))
        }
    }

    fn request(path: &str) -> Request<Body> {
        Request::get(format!("http://localhost{path}")).header("host", "localhost").body(Body::empty()).unwrap()
    }

    type Two = (http2::SendRequest<Body>, JoinHandle<hyper::Result<()>>);

    /// A client that answers pings, and takes so much of each answer.
    async fn two(address: SocketAddr, window: u32) -> Two {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).initial_stream_window_size(window);
        let (requests, connection) = builder.handshake(stream).await.unwrap();
        (requests, tokio::spawn(connection))
    }

    /// The length of an answer's body, once all of it has come.
    async fn length(mut body: Incoming) -> usize {
        let mut length = 0;
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            length += frame.unwrap().data_ref().map_or(0, Bytes::len);
        }
        length
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_without_a_place_left_can_be_stopped() {
        let server = start(1, IDLE).await;
        let held = TcpStream::connect(server.address).await.unwrap();
        // Until the one place is taken.
        sleep(Duration::from_millis(200)).await;
        server.stop.send(true).unwrap();
        timeout(Duration::from_secs(5), server.serving).await.unwrap().unwrap();
        drop(held);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_that_only_answers_pings_is_ended() {
        let server = start(8, IDLE).await;
        for used in [false, true] {
            let (mut requests, connection) = two(server.address, 1000).await;
            if used {
                assert_eq!(length(requests.send_request(request("/")).await.unwrap().into_body()).await, 4);
            }
            timeout(LONG, connection).await.unwrap().unwrap().unwrap();
        }
        let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
        let (mut requests, connection) = http1::handshake::<_, Body>(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        assert_eq!(length(requests.send_request(request("/")).await.unwrap().into_body()).await, 4);
        timeout(LONG, connection).await.unwrap().unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_whose_answers_nobody_takes_is_ended() {
        let server = start(8, IDLE).await;
        let (mut requests, connection) = two(server.address, 0).await;
        let answer = requests.send_request(request("/")).await.unwrap();
        let _ = timeout(LONG, connection).await.unwrap();
        drop(answer);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_in_flight_is_not_cut() {
        let server = start(8, IDLE).await;
        for (path, expected) in [("/slow", 0), ("/drip", 12)] {
            let (mut requests, _connection) = two(server.address, 1000).await;
            let answer = requests.send_request(request(path)).await.unwrap();
            assert_eq!(length(answer.into_body()).await, expected, "{path}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_comes_back_in_time_keeps_its_connection() {
        let server = start(8, IDLE).await;
        let (mut requests, connection) = two(server.address, 1000).await;
        for _ in 0..12 {
            assert_eq!(length(requests.send_request(request("/")).await.unwrap().into_body()).await, 4);
            sleep(IDLE / 5).await;
        }
        assert!(!connection.is_finished());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_peer_can_take_only_half_of_the_places() {
        let server = start(4, LONG).await;
        let first = [two(server.address, 1000).await, two(server.address, 1000).await];
        let mut refused = TcpStream::connect(server.address).await.unwrap();
        let mut read = [0; 1];
        let read = tokio::io::AsyncReadExt::read(&mut refused, &mut read);
        assert!(matches!(timeout(LONG / 2, read).await.unwrap(), Ok(0) | Err(_)));
        let other = TcpSocket::new_v4().unwrap();
        other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let stream = TokioIo::new(other.connect(server.address).await.unwrap());
        let (mut requests, connection) = http1::handshake::<_, Body>(stream).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(length(requests.send_request(request("/")).await.unwrap().into_body()).await, 4);
        drop(first);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stop_waits_for_what_is_in_flight() {
        let server = start(8, IDLE).await;
        let (mut requests, _connection) = two(server.address, 1000).await;
        let answer = requests.send_request(request("/drip")).await.unwrap();
        server.stop.send(true).unwrap();
        assert_eq!(length(answer.into_body()).await, 12);
        timeout(Duration::from_secs(5), server.serving).await.unwrap().unwrap();
    }
}
