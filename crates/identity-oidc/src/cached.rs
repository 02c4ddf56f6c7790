use std::sync::{Arc, PoisonError, RwLock};

use sealyard_core::Timestamp;
use tokio::sync::Mutex;

use crate::OidcError;

/// What was fetched from a provider, for a while.
pub(crate) struct Cached<T> {
    current: RwLock<Option<Held<T>>>,
    /// When it was last tried, successfully or not. Held while somebody fetches.
    tried: Mutex<Option<Timestamp>>,
    ages: Ages,
}

struct Held<T> {
    value: Arc<T>,
    at: Timestamp,
}

/// In seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ages {
    /// Younger, it is used without asking again.
    pub(crate) fresh: i64,
    /// Older, it is not used even if the provider does not answer.
    pub(crate) usable: i64,
    /// So long at least lies between two tries.
    pub(crate) apart: i64,
}

impl<T> Cached<T> {
    pub(crate) fn new(ages: Ages) -> Self {
        Self { current: RwLock::default(), tried: Mutex::default(), ages }
    }

    /// What is here, if it is younger than `seconds`. A clock that was set back makes nothing young.
    fn within(&self, now: Timestamp, seconds: i64) -> Option<Arc<T>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let held = current.as_ref()?;
        (held.at <= now && now < held.at.plus_seconds(seconds)).then(|| Arc::clone(&held.value))
    }

    /// What can be used without asking.
    pub(crate) fn fresh(&self, now: Timestamp) -> Option<Arc<T>> {
        self.within(now, self.ages.fresh)
    }

    /// Asks again, unless what is here is fresh and not what the caller found wanting, or it was asked a moment ago.
    pub(crate) async fn renew(
        &self,
        now: Timestamp,
        wanting: Option<&Arc<T>>,
        provider: &str,
        fetch: impl Future<Output = Result<T, OidcError>> + Send,
    ) -> Result<Arc<T>, OidcError> {
        let usable = || self.within(now, self.ages.usable);
        let mut tried = match self.tried.try_lock() {
            Ok(tried) => tried,
            // Somebody is asking; what is old and good enough need not wait for it.
            Err(_) => match usable().filter(|_| wanting.is_none()) {
                Some(value) => return Ok(value),
                None => self.tried.lock().await,
            },
        };
        let replaced = |value: &Arc<T>| wanting.is_none_or(|wanting| !Arc::ptr_eq(wanting, value));
        if let Some(value) = self.fresh(now).filter(replaced) {
            return Ok(value);
        }
        let moment_ago = |at: &Timestamp| *at <= now && now < at.plus_seconds(self.ages.apart);
        if tried.as_ref().is_some_and(moment_ago) {
            return usable().ok_or_else(|| OidcError::unavailable(provider, "it was asked a moment ago, in vain"));
        }
        *tried = Some(now);
        match fetch.await {
            Ok(value) => {
                let value = Arc::new(value);
                let held = Held { value: Arc::clone(&value), at: now };
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
                Ok(value)
            }
            Err(error) => usable().ok_or(error),
        }
    }
}
