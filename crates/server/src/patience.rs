//! Ends what clients begin and don't go on with: each of them would otherwise hold a connection for as long as it likes.
//!
//! hyper bounds the time for headers, but only from when it knows the protocol's version on, and not that for bodies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// So many bytes tell HTTP/1 from HTTP/2: the length of the latter's preface.
const PREFACE: usize = 24;

/// A stream whose first bytes must come in time. What comes later is for others to bound.
#[derive(Debug)]
pub(crate) struct FirstBytes<S> {
    stream: S,
    missing: usize,
    deadline: Pin<Box<Sleep>>,
}

impl<S> FirstBytes<S> {
    pub(crate) fn within(patience: Duration, stream: S) -> Self {
        Self { stream, missing: PREFACE, deadline: Box::pin(sleep(patience)) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstBytes<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        if let Poll::Ready(result) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            this.missing = this.missing.saturating_sub(buffer.filled().len().saturating_sub(before));
            return Poll::Ready(result);
        }
        if this.missing > 0 {
            ready!(this.deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client began no request in time")));
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstBytes<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A request's body that ends in an error when nothing of it comes for a while.
#[derive(Debug)]
pub(crate) struct PatientBody<B = Incoming> {
    body: B,
    patience: Duration,
    /// Runs only while somebody waits for a piece; a slow reader on our side is not the client's fault.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<B> PatientBody<B> {
    pub(crate) const fn new(patience: Duration, body: B) -> Self {
        Self { body, patience, deadline: None }
    }
}

impl<B> Body for PatientBody<B>
where
    B: Body + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = B::Data;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.deadline = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = this.patience;
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(deadline.as_mut().poll(cx));
        // Asked again, it waits anew instead of ending at once.
        deadline.as_mut().reset(Instant::now() + patience);
        let error = io::Error::new(io::ErrorKind::TimedOut, "the rest of the request did not come in time");
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_client_that_begins_nothing_is_dropped() {
        for sent in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n"] {
            let (mut client, server) = duplex(100);
            client.write_all(sent).await.unwrap();
            let mut server = FirstBytes::within(PATIENCE, server);
            let error = server.read_to_end(&mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test]
    async fn a_client_that_began_may_wait() {
        let (mut client, server) = duplex(100);
        client.write_all(&[b'x'; PREFACE]).await.unwrap();
        let mut server = FirstBytes::within(PATIENCE, server);
        server.read_exact(&mut [0; PREFACE]).await.unwrap();
        let more = tokio::time::timeout(PATIENCE * 4, server.read_u8()).await;
        assert!(more.is_err(), "{more:?}");
    }

    #[tokio::test]
    async fn a_body_that_stops_ends_in_an_error() {
        struct Never;
        impl Body for Never {
            type Data = &'static [u8];
            type Error = io::Error;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
                Poll::Pending
            }
        }
        let mut body = PatientBody::new(PATIENCE, Never);
        let found = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert!(matches!(found, Some(Err(_))));
    }
}
