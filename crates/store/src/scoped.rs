use std::sync::Arc;

use tokio::sync::oneshot;

use crate::{Store, StoreError, Work};

/// A catalog of which only one workspace can be seen: every transaction of it is in that workspace, from its beginning. Who
/// holds this and nothing else can't forget which workspace a question is about.
#[derive(Debug)]
pub struct InWorkspace {
    store: Arc<dyn Store>,
    workspace: i64,
}

impl InWorkspace {
    /// The part of `store` that is the workspace of this number.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, workspace: i64) -> Self {
        Self { store, workspace }
    }

    fn enter(&self, work: Work) -> Work {
        let workspace = self.workspace;
        Box::new(move |tx| {
            tx.enter(workspace);
            work(tx)
        })
    }
}

impl Store for InWorkspace {
    fn submit_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        self.store.submit_read(self.enter(work), done);
    }

    fn submit_short_read(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        self.store.submit_short_read(self.enter(work), done);
    }

    fn submit_write(&self, work: Work, done: oneshot::Sender<Result<(), StoreError>>) {
        self.store.submit_write(self.enter(work), done);
    }

    fn people_version(&self) -> Option<u64> {
        self.store.people_version()
    }
}
