//! When tokens were used last: noted in memory as they are used, and written together, so that no request waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sealyard_core::Timestamp;

use crate::tasks::to_its_end;
use crate::{App, AppError};

/// A use is noted when the noted one is older than this.
const NOTED_SECONDS: i64 = 60;
/// Tokens that are remembered; beyond, all are forgotten, and at worst one is written once more than needed.
const REMEMBERED: usize = 10_000;

/// Uses that were noted, and those that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct TokenUses(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    noted: HashMap<String, Timestamp>,
    waiting: HashMap<String, Timestamp>,
    writing: bool,
}

impl TokenUses {
    /// Notes a use; says whether somebody should write what waits.
    fn note(&self, id: &str, stored: Option<Timestamp>, now: Timestamp) -> bool {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = inner.noted.get(id).copied().max(stored);
        if known.is_some_and(|known| known.plus_seconds(NOTED_SECONDS) > now && known <= now) {
            return false;
        }
        if inner.noted.len() >= REMEMBERED {
            inner.noted.clear();
        }
        inner.noted.insert(id.to_owned(), now);
        inner.waiting.insert(id.to_owned(), now);
        !std::mem::replace(&mut inner.writing, true)
    }

    fn take(&self) -> Vec<(String, Timestamp)> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.writing = false;
        let mut all: Vec<_> = inner.waiting.drain().collect();
        all.sort();
        all
    }
}

impl App {
    /// Notes that a token was used. What is noted is written by a task of its own, with whatever was noted meanwhile.
    pub(crate) fn token_used(&self, id: &str, stored: Option<Timestamp>) {
        if !self.token_uses.note(id, stored, self.now()) {
            return;
        }
        let (uses, store) = (Arc::clone(&self.token_uses), Arc::clone(&self.store));
        drop(tokio::spawn(async move {
            let all = uses.take();
            let written = to_its_end("uses of tokens could not be written", async move {
                store.write(move |tx| Ok::<_, AppError>(tx.tokens_used(&all)?)).await
            });
            if let Err(error) = written.await {
                tracing::warn!(%error, "the use of a token could not be noted");
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute_and_written_by_one() {
        let uses = TokenUses::default();
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000 + seconds * 1000);
        assert!(uses.note("a", None, at(0)));
        assert!(!uses.note("b", None, at(0)), "somebody is about to write");
        assert_eq!(uses.take(), [("a".to_owned(), at(0)), ("b".to_owned(), at(0))]);
        assert!(!uses.note("a", None, at(59)), "noted less than a minute ago");
        assert!(uses.note("a", None, at(60)));
        uses.take();
        // Another server has noted it already.
        assert!(!uses.note("c", Some(at(30)), at(60)));
        assert!(uses.note("c", Some(at(0)), at(60)));
    }
}
