//! A store that lets something else happen first: what another request does between a check and a write.

use std::sync::{Arc, Mutex};

use sealyard_store::{Store, StoreError, Transaction, Work};
use tokio::sync::oneshot;

type Meddler = Box<dyn FnOnce(&mut dyn Transaction) + Send>;

#[derive(Clone)]
pub(crate) struct MeddlingStore {
    inner: Arc<dyn Store>,
    next: Arc<Mutex<Option<Meddler>>>,
    /// Writes that are still let through before one is lost.
    until_lost: Arc<Mutex<Option<u32>>>,
}

impl std::fmt::Debug for MeddlingStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MeddlingStore")
    }
}

impl MeddlingStore {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, next: Arc::default(), until_lost: Arc::default() }
    }

    /// Runs `meddle` right before the next write.
    pub(crate) fn before_next_write(&self, meddle: impl FnOnce(&mut dyn Transaction) + Send + 'static) {
        *self.next.lock().unwrap() = Some(Box::new(meddle));
    }

    /// Loses the database for one write, after `writes` more.
    pub(crate) fn lose_after(&self, writes: u32) {
        *self.until_lost.lock().unwrap() = Some(writes);
    }

    /// Whether it was lost.
    pub(crate) fn was_lost(&self) -> bool {
        self.until_lost.lock().unwrap().is_none()
    }

    /// Whether it was run.
    pub(crate) fn has_meddled(&self) -> bool {
        self.next.lock().unwrap().is_none()
    }
}

impl Store for MeddlingStore {
    fn submit_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        self.inner.submit_read(work, done);
    }

    fn submit_write(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        let left = self.until_lost.lock().unwrap().take();
        match left {
            Some(0) => return drop(done.send(Err(StoreError::Unavailable))),
            Some(left) => *self.until_lost.lock().unwrap() = Some(left - 1),
            None => {}
        }
        if let Some(meddle) = self.next.lock().unwrap().take() {
            let work = Box::new(move |tx: &mut dyn Transaction| {
                meddle(tx);
                Ok(())
            });
            self.inner.submit_write(work, oneshot::channel().0);
        }
        self.inner.submit_write(work, done);
    }
}
