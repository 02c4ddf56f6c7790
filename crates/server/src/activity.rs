//! Whether a connection is used. One that answers pings and does nothing else would keep its place for ever.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

/// How long a connection may do nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quiet {
    /// With no request in flight.
    pub(crate) idle: Duration,
    /// While the only thing in flight are answers that the client does not take.
    pub(crate) stalled: Duration,
}

/// What the requests of one connection are about.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Requests that the server has to do something for.
    working: usize,
    /// Requests whose answer is there and waits for the client to take more of it.
    offered: usize,
    /// When any of them last changed.
    since: Instant,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { working: 0, offered: 0, since: Instant::now() })))
    }

    /// Notes a request, which the server works on until the mark says otherwise.
    pub(crate) fn begin(self: &Arc<Self>) -> Mark {
        self.change(|state| state.working += 1);
        Mark { activity: Arc::clone(self), working: true }
    }

    /// Waits until there was nothing to do for so long.
    pub(crate) async fn quiet(&self, limits: Quiet) {
        loop {
            let (working, offered, since) = self.now();
            let patience = if offered > 0 { limits.stalled } else { limits.idle };
            let now = Instant::now();
            let due = since + patience;
            if working == 0 && due <= now {
                return;
            }
            // Whatever begins and ends meanwhile counts from its end, so that the next look comes early enough.
            let look = now + limits.idle;
            sleep_until(if working == 0 { due.min(look) } else { look }).await;
        }
    }

    fn now(&self) -> (usize, usize, Instant) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.working, state.offered, state.since)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.since = Instant::now();
    }
}

/// A request in flight, until it is dropped.
#[derive(Debug)]
pub(crate) struct Mark {
    activity: Arc<Activity>,
    working: bool,
}

impl Mark {
    fn set(&mut self, working: bool) {
        if self.working != working {
            self.working = working;
            self.activity.change(|state| {
                let (from, to) = if working {
                    (&mut state.offered, &mut state.working)
                } else {
                    (&mut state.working, &mut state.offered)
                };
                *from = from.saturating_sub(1);
                *to += 1;
            });
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let working = self.working;
        self.activity.change(|state| {
            let count = if working { &mut state.working } else { &mut state.offered };
            *count = count.saturating_sub(1);
        });
    }
}

/// An answer's body, which is in flight until its end.
#[derive(Debug)]
pub(crate) struct Answer<B> {
    body: B,
    mark: Mark,
}

impl<B> Answer<B> {
    /// The answer to the request of `mark`. From here on it is the client's turn whenever nobody asks for more of it.
    pub(crate) fn new(body: B, mut mark: Mark) -> Self {
        mark.set(false);
        Self { body, mark }
    }
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        this.mark.set(true);
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_ready() {
            this.mark.set(false);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
