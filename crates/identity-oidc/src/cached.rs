use std::sync::{Arc, PoisonError, RwLock};

use sealyard_core::Timestamp;
use tokio::sync::Mutex;

use crate::OidcError;

/// What was fetched from a provider, for a while.
pub(crate) struct Cached<T> {
    current: RwLock<Option<Held<T>>>,
    /// Until when it is not tried again. Held while somebody fetches.
    rests: Mutex<Option<Rest>>,
    ages: Ages,
}

struct Held<T> {
    value: Arc<T>,
    at: Timestamp,
}

struct Rest {
    since: Timestamp,
    until: Timestamp,
}

/// Seconds between two tries of what fails: long enough for a provider that is down, short enough for people who wait.
const AFTER_FAILURE: i64 = 2;

/// In seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ages {
    /// Younger, it is used without asking again.
    pub(crate) fresh: i64,
    /// Older, it is not used even if the provider does not answer.
    pub(crate) usable: i64,
    /// What was fetched is not fetched again sooner, whatever it lacks.
    pub(crate) apart: i64,
}

impl<T> Cached<T> {
    pub(crate) fn new(ages: Ages) -> Self {
        Self { current: RwLock::default(), rests: Mutex::default(), ages }
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
        let mut rests = match self.rests.try_lock() {
            Ok(rests) => rests,
            // Somebody is asking; what is old and good enough need not wait for it.
            Err(_) => match usable().filter(|_| wanting.is_none()) {
                Some(value) => return Ok(value),
                None => self.rests.lock().await,
            },
        };
        let replaced = |value: &Arc<T>| wanting.is_none_or(|wanting| !Arc::ptr_eq(wanting, value));
        if let Some(value) = self.fresh(now).filter(replaced) {
            return Ok(value);
        }
        // A clock that was set back ends every rest.
        if rests.as_ref().is_some_and(|rest| rest.since <= now && now < rest.until) {
            return usable().ok_or_else(|| OidcError::unavailable(provider, "it was asked a moment ago, in vain"));
        }
        *rests = Some(Rest { since: now, until: now.plus_seconds(AFTER_FAILURE) });
        match fetch.await {
            Ok(value) => {
                *rests = Some(Rest { since: now, until: now.plus_seconds(self.ages.apart) });
                let value = Arc::new(value);
                let held = Held { value: Arc::clone(&value), at: now };
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
                Ok(value)
            }
            Err(error) => usable().ok_or(error),
        }
    }
}
