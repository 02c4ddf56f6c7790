//! The accept loop: who may connect, TLS, limits, graceful end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use sealyard_api::{ApiError, ErrorCode};
use sealyard_transport::ClientChain;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::activity::{Activity, Answer, Quiet};
use crate::door::Door;
use crate::patience::{FirstBytes, PatientBody};
use crate::places::Places;
use crate::plain;

/// Serves `router` until `stop` says so, then lets requests under way end.
pub(crate) async fn serve(listener: TcpListener, door: Arc<Door>, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Places::new(door.limits.connections, door.limits.per_address);
    // Closed when the last connection has ended.
    let (ended, open) = watch::channel(());
    let next = async || {
        let place = places.free().await.map_err(std::io::Error::other)?;
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
        // Before a byte of it is read.
        if !door.admits(peer.ip()) {
            door.metrics.event("connections_refused", "address");
            tracing::debug!(%peer, "this address may not connect");
            continue;
        }
        let Some(place) = places.give(place, peer.ip()) else {
            door.metrics.event("connections_refused", "too-many");
            tracing::debug!(%peer, "a peer has as many connections as it may");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (door, router, stop, open) = (Arc::clone(&door), router.clone(), stop.clone(), open.clone());
        tokio::spawn(async move {
            let _place = (place, open);
            let Some(slot) = door.tls.clone() else { return connection(stream, peer, None, door, router, stop).await };
            match tokio::time::timeout(door.limits.head, plain::handshake(&slot, stream)).await {
                Ok(Ok(Some(stream))) => {
                    let shown = stream.get_ref().1.peer_certificates();
                    let client = match (ClientChain::new(&slot, shown), shown.is_some()) {
                        // The handshake has read it already; should it not be readable now, it is nobody's.
                        (None, true) => return tracing::debug!(%peer, "a client's certificate can't be read"),
                        (client, _) => client,
                    };
                    connection(stream, peer, client, door, router, stop).await;
                }
                Ok(Ok(None)) => {
                    tracing::debug!(%peer, "a client spoke plain HTTP where TLS is spoken, or asked for a proof")
                }
                Ok(Err(error)) => {
                    door.metrics.event("connections_refused", "handshake");
                    tracing::debug!(%peer, %error, "a TLS handshake failed");
                }
                Err(_) => {
                    door.metrics.event("connections_refused", "handshake");
                    tracing::debug!(%peer, "a TLS handshake took too long");
                }
            }
        });
    }
    drop((listener, open));
    let _ = tokio::time::timeout(door.limits.farewell, ended.closed()).await;
}

/// What is known of a request before anything of it is looked at: where it comes from, and whose certificate came with it.
fn identify(
    door: &Door,
    peer: SocketAddr,
    client: Option<&ClientChain>,
    request: &mut hyper::Request<Incoming>,
) -> Result<(), ApiError> {
    let headers = request.headers().get_all("x-forwarded-for").iter().map(http::HeaderValue::as_bytes);
    let address = door.proxies.client(peer.ip(), headers);
    let address = address.ok_or_else(|| ApiError::invalid("the proxy's X-Forwarded-For can't be read"))?;
    if !door.serves(address) {
        door.metrics.event("connections_refused", "address");
        let reason = "requests from this address are not taken here";
        return Err(ApiError::refused(ErrorCode::PermissionDenied, "listener.address", reason));
    }
    let port = if address == peer.ip() { peer.port() } else { 0 };
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, port)));
    if let (Some(client), Some(slot)) = (client, &door.tls) {
        if !slot.still_good(client) {
            let reason = "the client's certificate has ended or was revoked since the connection began";
            return Err(ApiError::refused(ErrorCode::Unauthenticated, "certificate.client", reason));
        }
        request.extensions_mut().insert(sealyard_api::ShownCertificate {
            account: door.rules.account(client.names()).map(str::to_owned),
            expires: client.names().expires(),
        });
    }
    Ok(())
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    client: Option<ClientChain>,
    door: Arc<Door>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let limits = door.limits;
    let activity = Activity::new();
    let requests = Arc::clone(&activity);
    let client = client.map(Arc::new);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let mark = requests.begin();
        let identified = identify(&door, peer, client.as_deref(), &mut request);
        let request = request.map(|body| axum::body::Body::new(PatientBody::new(limits.body, limits.body_rate, body)));
        let router = router.clone();
        async move {
            let response = match identified {
                Ok(()) => router.oneshot(request).await?,
                Err(error) => refusal(error),
            };
            Ok::<_, std::convert::Infallible>(response.map(|body| Answer::new(body, mark)))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes);
    builder.http1().max_headers(limits.headers);
    let most = u32::try_from(limits.head_bytes).unwrap_or(u32::MAX);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(128).max_header_list_size(most);
    builder.http2().keep_alive_interval(Some(limits.head)).keep_alive_timeout(limits.head);
    let stream = FirstBytes::within(limits.head, stream);
    let serving = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = activity.quiet(limits.quiet) => None,
        // Also when whoever could say so is gone.
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            serving.as_mut().graceful_shutdown();
            // A polite end waits for the client to take what was sent, and that can be for ever.
            let patience = Quiet { idle: limits.quiet.stalled, ..limits.quiet };
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

/// An answer that no route gave. The connection ends with it.
fn refusal(error: ApiError) -> Response {
    let mut response = axum::response::IntoResponse::into_response(error);
    response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    response
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

    use sealyard_transport::{Networks, Proxies};

    use super::*;
    use crate::door::ConnectionLimits;

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
        start_with(connections, idle, |door| door).await
    }

    async fn start_with(connections: usize, idle: Duration, change: impl FnOnce(Door) -> Door) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer);
        let (stop, stopped) = watch::channel(false);
        let quiet = Quiet { idle, stalled: STALLED };
        let per_address = connections.div_ceil(2);
        let limits = ConnectionLimits { connections, per_address, quiet, ..ConnectionLimits::default() };
        let door = change(Door { limits, ..Door::new(None) });
        let serving = tokio::spawn(serve(listener, Arc::new(door), router, stopped));
        Running { address, stop, serving }
    }

    async fn answer(request: Request<Body>) -> hyper::Response<Body> {
        let body = match request.uri().path() {
            "/slow" => {
                sleep(IDLE * 4).await;
                Body::empty()
            }
            "/drip" => Body::new(Drip { left: 3, next: Box::pin(sleep(IDLE * 2)) }),
            "/who" => {
                let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>().unwrap();
                Body::from(peer.ip().to_string())
            }
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

    /// The answer to a request from `own`, with these headers.
    async fn ask(address: SocketAddr, own: &str, headers: &[(&str, &str)]) -> Result<(u16, String), String> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{own}:0").parse().unwrap()).unwrap();
        let stream = socket.connect(address).await.map_err(|error| error.to_string())?;
        let (mut requests, connection) =
            http1::handshake::<_, Body>(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        let mut request = request("/who");
        for (name, value) in headers {
            request.headers_mut().append(
                hyper::header::HeaderName::try_from(*name).unwrap(),
                hyper::header::HeaderValue::try_from(*value).unwrap(),
            );
        }
        let answer = requests.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(Body::new(answer.into_body()), 9999).await.unwrap();
        Ok((status, String::from_utf8(body.to_vec()).unwrap()))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_networks_of_the_list_may_connect() {
        let allow = Networks::parse(["127.0.0.2", "10.0.0.0/8"]).unwrap();
        let server = start_with(8, LONG, |door| Door { allow, ..door }).await;
        assert_eq!(ask(server.address, "127.0.0.2", &[]).await.unwrap(), (200, "127.0.0.2".to_owned()));
        assert!(ask(server.address, "127.0.0.3", &[]).await.is_err());
        // What it says of itself changes nothing.
        assert!(ask(server.address, "127.0.0.3", &[("x-forwarded-for", "127.0.0.2")]).await.is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_forwarded_address_is_believed_of_trusted_proxies_only() {
        let server = start(8, LONG).await;
        let forged = [("x-forwarded-for", "10.1.1.1")];
        assert_eq!(ask(server.address, "127.0.0.3", &forged).await.unwrap().1, "127.0.0.3");
        let proxies = Proxies::new(Networks::parse(["127.0.0.9"]).unwrap());
        let allow = Networks::parse(["10.0.0.0/8"]).unwrap();
        let server = start_with(8, LONG, |door| Door { allow, proxies, ..door }).await;
        assert_eq!(ask(server.address, "127.0.0.9", &forged).await.unwrap(), (200, "10.1.1.1".to_owned()));
        let first = [("x-forwarded-for", "10.1.1.1, 192.0.2.1")];
        let (status, body) = ask(server.address, "127.0.0.9", &first).await.unwrap();
        assert!(status == 403 && body.contains("listener.address"), "{body}");
        assert_eq!(ask(server.address, "127.0.0.9", &[("x-forwarded-for", "nonsense")]).await.unwrap().0, 400);
        assert!(ask(server.address, "127.0.0.3", &forged).await.is_err(), "no proxy, and not in the list");
        let proxies = Proxies::new(Networks::parse(["127.0.0.9"]).unwrap());
        let server = start_with(8, LONG, |door| Door { proxies, proxied: true, ..door }).await;
        assert_eq!(ask(server.address, "127.0.0.9", &forged).await.unwrap(), (200, "10.1.1.1".to_owned()));
        assert!(ask(server.address, "127.0.0.3", &[]).await.is_err(), "past the proxy");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn heads_that_are_too_large_are_refused() {
        let server = start_with(8, LONG, |door| {
            let limits = ConnectionLimits { headers: 20, head_bytes: 16 * 1024, ..door.limits };
            Door { limits, ..door }
        })
        .await;
        let few: Vec<_> = (0..10).map(|_| ("x-a", "b")).collect();
        assert_eq!(ask(server.address, "127.0.0.1", &few).await.unwrap().0, 200);
        let many: Vec<_> = (0..30).map(|_| ("x-a", "b")).collect();
        assert!(matches!(ask(server.address, "127.0.0.1", &many).await, Ok((431, _)) | Err(_)));
        let long = "x".repeat(32 * 1024);
        assert!(matches!(ask(server.address, "127.0.0.1", &[("x-a", &long)]).await, Ok((431, _)) | Err(_)));
        let (mut requests, _connection) = two(server.address, 1000).await;
        let mut large = request("/");
        large.headers_mut().insert("x-a", long.parse().unwrap());
        let answer = requests.send_request(large).await;
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 431));
    }
}
