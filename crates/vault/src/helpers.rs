//! Threads that encrypt and write chunks beside the one that takes an object in and hashes it, so that two processors share the
//! work of one upload. They are few, belong to nobody, and never wait for a client.

use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// More are not started, however many processors there are.
const MOST: usize = 8;

/// Takes a job only while a helper waits for one; `None` where there is one processor, and nothing to share.
static HELPERS: LazyLock<Option<SyncSender<Job>>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    if processors < 2 {
        return None;
    }
    let (sender, receiver) = mpsc::sync_channel(0);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..processors.min(MOST) {
        let receiver = Arc::clone(&receiver);
        // With fewer of them, or none, whoever offers a job does it.
        let _ = thread::Builder::new().name("vault-helper".to_owned()).spawn(move || serve(&receiver));
    }
    Some(sender)
});

fn serve(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// Gives `job` to a helper that has nothing to do; else it comes back.
pub(crate) fn offer(job: Job) -> Result<(), Job> {
    match &*HELPERS {
        None => Err(job),
        Some(helpers) => helpers.try_send(job).map_err(|error| match error {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        }),
    }
}
