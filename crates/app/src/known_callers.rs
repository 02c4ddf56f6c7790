//! What was read of a caller a moment ago: clients ask many times a second, and a look into the catalog costs more than all else
//! that is done to find out who they are.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::Timestamp;
use sealyard_store::Store;

/// What another server on the same database changes takes effect here after this, as with grants. What this one changes takes
/// effect at once.
const MILLISECONDS: i64 = 1000;
/// So many are remembered at once; then all are forgotten.
const REMEMBERED: usize = 4096;

/// What the catalog said of callers, each by what names it.
pub(crate) struct KnownCallers<K, V>(Mutex<HashMap<K, Known<V>>>);

struct Known<V> {
    /// [`Store::people_version`] before it was read.
    version: u64,
    at: Timestamp,
    value: Arc<V>,
}

impl<K, V> Default for KnownCallers<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Says nothing of whom it knows.
impl<K, V> fmt::Debug for KnownCallers<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownCallers").finish_non_exhaustive()
    }
}

impl<K: Eq + Hash, V> KnownCallers<K, V> {
    /// What is remembered of `key` or, where that can have changed, what `read` finds, which is remembered if it is something.
    pub(crate) async fn get<E>(
        &self,
        store: &dyn Store,
        now: Timestamp,
        key: K,
        read: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        let version = store.people_version();
        if let Some(value) = version.and_then(|version| self.remembered(&key, version, now)) {
            return Ok(Some(value));
        }
        let Some(value) = read.await?.map(Arc::new) else {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            return Ok(None);
        };
        if let Some(version) = version {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(key, Known { version, at: now, value: Arc::clone(&value) });
        }
        Ok(Some(value))
    }

    fn remembered(&self, key: &K, version: u64, now: Timestamp) -> Option<Arc<V>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(key)?;
        let age = now.as_millis().checked_sub(known.at.as_millis())?;
        (known.version == version && (0..MILLISECONDS).contains(&age)).then(|| Arc::clone(&known.value))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use sealyard_store::{StoreError, Work};
    use tokio::sync::oneshot;

    use super::*;

    #[derive(Debug)]
    struct Versions(Option<AtomicU64>);

    impl Store for Versions {
        fn submit_read(&self, _: Work, _: oneshot::Sender<Result<(), StoreError>>) {}

        fn submit_write(&self, _: Work, _: oneshot::Sender<Result<(), StoreError>>) {}

        fn people_version(&self) -> Option<u64> {
            self.0.as_ref().map(|version| version.load(Ordering::SeqCst))
        }
    }

    async fn ask(
        known: &KnownCallers<u32, u32>,
        store: &Versions,
        now: i64,
        key: u32,
        found: Option<u32>,
    ) -> Option<u32> {
        let read = async { Ok::<_, ()>(found) };
        known.get(store, Timestamp::from_millis(now), key, read).await.unwrap().map(|value| *value)
    }

    #[tokio::test]
    async fn what_was_read_holds_until_it_can_have_changed() {
        let (known, store) = (KnownCallers::default(), Versions(Some(AtomicU64::new(7))));
        assert_eq!(ask(&known, &store, 5000, 1, Some(10)).await, Some(10));
        assert_eq!(ask(&known, &store, 5999, 1, Some(11)).await, Some(10));
        assert_eq!(ask(&known, &store, 5000, 2, Some(20)).await, Some(20), "another one");
        // Too old, from the future, changed.
        assert_eq!(ask(&known, &store, 6000, 1, Some(12)).await, Some(12));
        assert_eq!(ask(&known, &store, 5999, 1, Some(13)).await, Some(13));
        store.0.as_ref().unwrap().store(8, Ordering::SeqCst);
        assert_eq!(ask(&known, &store, 5999, 1, None).await, None);
        // Nobody is not remembered, and what was remembered is gone for good.
        assert_eq!(ask(&known, &store, 5999, 1, Some(14)).await, Some(14));
        assert_eq!(ask(&known, &store, 7000, 1, None).await, None);
        assert_eq!(ask(&known, &store, 5999, 1, Some(15)).await, Some(15), "by a clock that was set back");
    }

    #[tokio::test]
    async fn what_changes_while_it_is_read_is_read_again() {
        let (known, store) = (KnownCallers::default(), Versions(Some(AtomicU64::new(0))));
        let read = async {
            store.0.as_ref().unwrap().store(1, Ordering::SeqCst);
            Ok::<_, ()>(Some(1))
        };
        known.get(&store, Timestamp::from_millis(0), 1, read).await.unwrap();
        assert_eq!(ask(&known, &store, 0, 1, Some(2)).await, Some(2));
    }

    #[tokio::test]
    async fn nothing_is_remembered_of_a_store_that_does_not_tell_changes() {
        let (known, store) = (KnownCallers::default(), Versions(None));
        assert_eq!(ask(&known, &store, 0, 1, Some(1)).await, Some(1));
        assert_eq!(ask(&known, &store, 0, 1, Some(2)).await, Some(2));
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let (known, store) = (KnownCallers::default(), Versions(Some(AtomicU64::new(0))));
        for key in 0..20_000 {
            ask(&known, &store, 0, key, Some(key)).await;
            assert!(known.0.lock().unwrap().len() <= REMEMBERED);
        }
    }
}
