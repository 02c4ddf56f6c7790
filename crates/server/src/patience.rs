//! Ends what clients begin and don't go on with: each of them would otherwise hold a connection for as long as it likes.
//!
//! hyper bounds the time for headers, but only from when it knows the protocol's version on, and not that for bodies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Buf as _, Frame, Incoming, SizeHint};
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

/// A request's body that ends in an error when nothing of it comes for a while, or when it comes in drips.
#[derive(Debug)]
pub(crate) struct PatientBody<B = Incoming> {
    body: B,
    patience: Duration,
    /// Bytes a second below which patience runs out.
    rate: u32,
    received: u64,
    /// How long was waited for the client in all. A slow reader on our side is not the client's fault.
    waited: Duration,
    /// Since when somebody waits for a piece, and until when.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> PatientBody<B> {
    pub(crate) const fn new(patience: Duration, rate: u32, body: B) -> Self {
        Self { body, patience, rate, received: 0, waited: Duration::ZERO, waiting: None }
    }

    /// How long the next piece may take: never longer than the patience, and in all no longer than that plus what the bytes that
    /// came take at the lowest rate.
    fn left(&self) -> Duration {
        if self.rate == 0 {
            return self.patience;
        }
        let earned = Duration::from_millis(self.received.saturating_mul(1000) / u64::from(self.rate));
        self.patience.saturating_add(earned).saturating_sub(self.waited).min(self.patience)
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
            if let Some((since, _)) = this.waiting.take() {
                this.waited += since.elapsed();
            }
            if let Some(Ok(frame)) = &frame {
                this.received += frame.data_ref().map_or(0, |data| data.remaining() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let left = this.left();
        let (_, deadline) = this.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        ready!(deadline.as_mut().poll(cx));
        // Asked again, it waits anew instead of ending at once.
        this.waiting = None;
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
        let mut body = PatientBody::new(PATIENCE, 0, Never);
        let found = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert!(matches!(found, Some(Err(_))));
    }

    #[tokio::test]
    async fn a_body_that_comes_in_drips_ends_in_an_error() {
        /// So many bytes now and then.
        struct Drips(&'static [u8], Pin<Box<Sleep>>);
        impl Body for Drips {
            type Data = &'static [u8];
            type Error = io::Error;
            fn poll_frame(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
                ready!(self.1.as_mut().poll(cx));
                self.1.as_mut().reset(Instant::now() + PATIENCE / 5);
                Poll::Ready(Some(Ok(Frame::data(self.0))))
            }
        }
        let pieces = async |piece: &'static [u8]| {
            let mut body = PatientBody::new(PATIENCE, 1000, Drips(piece, Box::pin(sleep(PATIENCE / 5))));
            for number in 0..40 {
                if !matches!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await, Some(Ok(_))) {
                    return number;
                }
            }
            40
        };
        // Each piece comes well within the patience, but the one brings 100 bytes a second and the other 10,000.
        let slow = pieces(b"x").await;
        assert!((2..=12).contains(&slow), "{slow}");
        assert_eq!(pieces(&[0; 100]).await, 40);
    }
}
