use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

/// How much of a body that nobody takes is still read,
const BYTES: u64 = 32 << 20;
/// and for how long at most.
const TIME: Duration = Duration::from_secs(5);

/// Reads on for a bit what a failed request still sends: a client that is writing when the connection is closed never
/// sees why, and whoever shall try again must get to read that. Of a body that nobody began to take, because its sender may
/// not send it or asked for what can't be, nothing is read.
pub(super) async fn read_on(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits_to_be_asked = waits_to_be_asked(request.headers());
    let mut sent = Sent::default();
    let request = request.map(|body| {
        sent = Sent(Arc::new(Mutex::new(Sending { body, taken: false })));
        Body::new(sent.clone())
    });
    let response = next.run(request).await;
    let status = response.status();
    let again = status == StatusCode::SERVICE_UNAVAILABLE && !waits_to_be_asked;
    if again || ((status.is_client_error() || status.is_server_error()) && sent.lock().taken) {
        let _ = tokio::time::timeout(TIME, sent.drain()).await;
    }
    response
}

/// Whether the client sends nothing before it is told to go on, which reading its body does.
fn waits_to_be_asked(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// A request's body that is still there after its handler has let go of it.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<Sending>>);

#[derive(Debug, Default)]
struct Sending {
    body: Body,
    /// Whether somebody began to read it.
    taken: bool,
}

impl Sent {
    fn lock(&self) -> MutexGuard<'_, Sending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn drain(mut self) {
        // Too much to be read to its end: then nothing is gained by a part of it.
        if self.size_hint().lower() > BYTES {
            return;
        }
        let mut left = BYTES;
        while let Some(Ok(frame)) = self.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, |data| data.len() as u64)) else { return };
            left = rest;
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut sending = self.lock();
        sending.taken = true;
        Pin::new(&mut sending.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::middleware::from_fn;
    use axum::response::IntoResponse as _;
    use futures::{StreamExt as _, stream};
    use tower::{Layer as _, ServiceExt as _};

    use super::*;

    const PIECE: usize = 1 << 20;

    async fn answered(status: StatusCode, expect: bool, body: Body) -> StatusCode {
        let answers = tower::service_fn(move |_: Request| async move { Ok::<_, Infallible>(status.into_response()) });
        let service = from_fn(read_on).layer(answers);
        let request = Request::put("/");
        let request = if expect { request.header("expect", "100-Continue") } else { request };
        service.oneshot(request.body(body).unwrap()).await.unwrap().status()
    }

    /// How many of so many pieces are read by somebody who does not take them.
    async fn read(status: StatusCode, expect: bool, pieces: usize) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let endless = stream::repeat_with(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; PIECE]))
        });
        assert_eq!(answered(status, expect, Body::from_stream(endless.take(pieces))).await, status);
        count.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn who_shall_try_again_gets_to_read_that() {
        assert_eq!(read(StatusCode::SERVICE_UNAVAILABLE, false, 7).await, 7);
        assert_eq!(read(StatusCode::SERVICE_UNAVAILABLE, false, 1000).await, 33);
        // Who waits to be asked for it is not asked, and of nobody else anything is read.
        assert_eq!(read(StatusCode::SERVICE_UNAVAILABLE, true, 7).await, 0);
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST, StatusCode::OK] {
            assert_eq!(read(status, false, 7).await, 0, "{status}");
        }
    }

    #[tokio::test]
    async fn who_stops_sending_is_answered_all_the_same() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let answer = tokio::time::timeout(Duration::from_secs(60), answered(status, false, never)).await;
        assert_eq!(answer.unwrap(), status);
    }
}
