use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

/// How much of a body that nobody takes is still read, and for how long at most, of those that may send one ...
const OF_A_SENDER: (u64, Duration) = (32 << 20, Duration::from_secs(5));
/// ... and of those that may not: as much as an everyday client has already sent when it is answered.
const OF_ANYBODY: (u64, Duration) = (64 << 10, Duration::from_secs(1));

/// Reads on for a bit what a refused request still sends: a client that is writing when the connection is closed never
/// sees why.
pub(super) async fn read_on(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits_to_be_asked = waits_to_be_asked(request.headers());
    let mut sent = Sent::default();
    let request = request.map(|body| {
        sent = Sent(Arc::new(Mutex::new(Sending { body, asked: !waits_to_be_asked })));
        Body::new(sent.clone())
    });
    let response = next.run(request).await;
    if let Some((bytes, time)) = limits(response.status()) {
        let _ = tokio::time::timeout(time, sent.drain(bytes)).await;
    }
    response
}

fn limits(status: StatusCode) -> Option<(u64, Duration)> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS => {
            Some(OF_ANYBODY)
        }
        status if status.is_client_error() || status.is_server_error() => Some(OF_A_SENDER),
        _ => None,
    }
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
    asked: bool,
}

impl Sent {
    async fn drain(mut self, limit: u64) {
        let (asked, least) = {
            let sending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (sending.asked, sending.body.size_hint().lower())
        };
        // Too much to be read to its end: then nothing is gained by a part of it.
        if !asked || least > limit {
            return;
        }
        let mut left = limit;
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
        let mut sending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sending.asked = true;
        Pin::new(&mut sending.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).body.size_hint()
    }
}
