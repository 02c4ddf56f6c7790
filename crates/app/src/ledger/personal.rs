//! What entries have of persons: shown to whoever reads the ledger, and erased when it must be.

use sealyard_core::Timestamp;
use sealyard_identity::{Administer, Authorized, LedgerLog, Read};
use sealyard_ledger::personal::{Kept, digest_in};
use sealyard_ledger::{Act, Outcome};
use serde_json::Value;

use crate::{App, AppError, Caller};

impl App {
    /// Puts to each entry what is kept apart of it: an object, or the text `erased`.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn with_personal(
        &self,
        _authorized: &Authorized<Read, LedgerLog>,
        entries: Vec<(u64, Vec<u8>)>,
    ) -> Result<Vec<(u64, Vec<u8>, Option<Value>)>, AppError> {
        self.find_personal(entries).await
    }

    pub(super) async fn find_personal(
        &self,
        entries: Vec<(u64, Vec<u8>)>,
    ) -> Result<Vec<(u64, Vec<u8>, Option<Value>)>, AppError> {
        self.store()
            .read(move |tx| {
                let mut with = Vec::with_capacity(entries.len());
                for (index, bytes) in entries {
                    let personal = match digest_in(&bytes) {
                        None => None,
                        Some(digest) => Some(match tx.personal(&digest)? {
                            Kept::There { text, .. } => serde_json::from_str(&text).unwrap_or_default(),
                            Kept::Erased => Value::String("erased".to_owned()),
                            Kept::Missing => Value::String("missing".to_owned()),
                        }),
                    };
                    with.push((index, bytes, personal));
                }
                Ok(with)
            })
            .await
    }

    /// Erases what entries have of persons: of what `actor`, or everybody, did before `before`. Gives of how many.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a moment that is still to come: an erasure says what was there when it was done.
    pub async fn erase_personal(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Administer, LedgerLog>,
        actor: Option<String>,
        before: Timestamp,
    ) -> Result<u64, AppError> {
        if before > self.now() {
            return Err(AppError::Invalid("before is a moment that is still to come".to_owned()));
        }
        let event = self.event(caller, Outcome::Done, Act::PersonalErased { of: actor.clone(), before, count: 0 });
        let erased = self
            .store()
            .write(move |tx| {
                let count = tx.erase_personal(actor.as_deref(), before)?;
                let act = Act::PersonalErased { of: actor, before, count };
                tx.record(&sealyard_ledger::Event { act, ..event })?;
                Ok::<_, AppError>(count)
            })
            .await?;
        self.sequencer.notify();
        Ok(erased)
    }
}
