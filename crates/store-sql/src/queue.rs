//! What the threads of both databases share: work that waits, and how it is run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;

use sealyard_store::{StoreError, Work};
use tokio::sync::oneshot;

use crate::error::backend;
use crate::session::Session;

/// Whom to tell when work is done.
pub(crate) type Done = oneshot::Sender<Result<(), StoreError>>;

/// Work and whom to tell when it is done.
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) done: Done,
}

/// Hands work to the threads behind `queue`; too much of it is refused at once.
pub(crate) fn submit(queue: Option<&SyncSender<Job>>, work: Work, done: Done) {
    let Some(queue) = queue else {
        let _ = done.send(Err(StoreError::Stopped));
        return;
    };
    match queue.try_send(Job { work, done }) {
        Ok(()) => {}
        Err(TrySendError::Full(job)) => {
            let _ = job.done.send(Err(StoreError::Busy));
        }
        Err(TrySendError::Disconnected(job)) => {
            let _ = job.done.send(Err(StoreError::Stopped));
        }
    }
}

/// `first` and what else waits, `most` pieces at most.
pub(crate) fn group(first: Job, jobs: &Receiver<Job>, most: usize) -> Vec<Job> {
    let mut group = vec![first];
    while group.len() < most
        && let Ok(job) = jobs.try_recv()
    {
        group.push(job);
    }
    group
}

/// Runs `work`; a panic in it is its own failure only.
pub(crate) fn attempt(mut session: Session<'_>, work: Work) -> Result<(), StoreError> {
    match catch_unwind(AssertUnwindSafe(|| work(&mut session))) {
        Ok(Ok(())) => session.settle(),
        Ok(Err(_)) => Err(StoreError::Undone),
        Err(_) => {
            tracing::error!("work on the catalog panicked and was undone");
            Err(StoreError::Undone)
        }
    }
}

pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(backend)
}

/// Waits for a store's threads, whose queues are closed.
pub(crate) fn join(threads: &mut Vec<JoinHandle<()>>) {
    let this = std::thread::current().id();
    for thread in threads.drain(..) {
        // Work can hold the last handle to the store; its own thread must not wait for itself.
        if thread.thread().id() != this {
            let _ = thread.join();
        }
    }
}
