//! Sending the ledger on: one task for each `[ledger.export.NAME]`, in the order of the log, from where it was.

use std::sync::Arc;
use std::time::Duration;

use sealyard_app::App;
use sealyard_core::Timestamp;
use sealyard_ledger_export::{Entry, Sink};

/// How long nothing new is waited for.
const PAUSE: Duration = Duration::from_secs(1);
/// A receiver that is away is tried again after this, then after twice that, and so on.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Bytes of entries that are sent at a time, but for one entry that is longer: receivers bound what they take.
const MOST_BYTES: usize = 512 * 1024;
/// The ledger is told of a receiver that is away for this many seconds, and again after an hour at the earliest: what it is told
/// is sent on as well.
const STALLED: i64 = 300;
const STALLED_AGAIN: i64 = 3600;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One export and how far it is.
#[derive(Debug)]
pub(crate) struct Export {
    name: String,
    sink: Sink,
    /// Whether what entries have of persons goes with them.
    personal: bool,
    /// The entry that comes next; `None` when it must be looked up.
    next: Option<u64>,
    failing: Option<Timestamp>,
    told: Option<Timestamp>,
}

impl Export {
    pub(crate) const fn new(name: String, sink: Sink, personal: bool) -> Self {
        Self { name, sink, personal, next: None, failing: None, told: None }
    }

    /// Sends for as long as the server runs. One batch is held at a time.
    pub(crate) async fn run(mut self, app: Arc<App>) {
        let mut wait = FIRST_WAIT;
        loop {
            match self.step(&app).await {
                Ok(more) => {
                    (wait, self.failing) = (FIRST_WAIT, None);
                    if !more {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(export = self.name, %error, seconds = wait.as_secs(), "the ledger could not be sent on; it will be tried again");
                    self.tell(&app, error.to_string()).await;
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// Sends what there is, some hundred entries at most; whether there was something.
    async fn step(&mut self, app: &App) -> Result<bool, Failure> {
        // Looked up again after a failure: some of it may have got there.
        let from = match self.next.take() {
            Some(from) => from,
            None => self.look_up(app).await?,
        };
        let batch = app.entries_to_export(from, self.personal).await?;
        let entries: Vec<Entry> =
            batch.into_iter().map(|(index, bytes, personal)| Entry { index, bytes, personal }).collect();
        if entries.iter().zip(from..).any(|(entry, index)| entry.index != index) {
            return Err(format!("entries of the ledger are missing from {from} on").into());
        }
        let mut next = from;
        for piece in pieces(&entries) {
            self.sink.send(piece, app.now()).await?;
            next += piece.len() as u64;
            app.advance_export(&self.name, next).await?;
        }
        self.next = Some(next);
        Ok(next > from)
    }

    async fn look_up(&mut self, app: &App) -> Result<u64, Failure> {
        // A sink that knows what it has is right: the cursor is written after it.
        let next = match self.sink.last()? {
            Some(last) => {
                let here = app.exported_entry(last.index).await?.map(|bytes| Entry {
                    index: last.index,
                    bytes,
                    personal: None,
                });
                if here.is_none_or(|entry| entry.leaf() != last.leaf) {
                    let index = last.index;
                    return Err(format!("what was exported up to entry {index} is of another ledger, or of another past of this one; move it away").into());
                }
                last.index + 1
            }
            None => app.export_cursor(&self.name).await?.unwrap_or(0),
        };
        app.begin_export(&self.name, self.sink.destination(), next).await?;
        Ok(next)
    }

    /// Has it on record that entries stay here.
    async fn tell(&mut self, app: &App, reason: String) {
        let now = app.now();
        let since = *self.failing.get_or_insert(now);
        if now < since.plus_seconds(STALLED) || self.told.is_some_and(|told| now < told.plus_seconds(STALLED_AGAIN)) {
            return;
        }
        self.told = Some(now);
        let next = app.export_cursor(&self.name).await.ok().flatten().unwrap_or(0);
        if let Err(error) = app.record_stalled_export(&self.name, next, &reason).await {
            tracing::error!(export = self.name, %error, "it could not be recorded that the ledger is not sent on");
        }
    }
}

/// Cuts entries into pieces that are no longer than a receiver may take.
fn pieces(entries: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        let mut bytes = 0_usize;
        let fit = |entry: &&Entry| {
            bytes = bytes.saturating_add(entry.bytes.len());
            bytes <= MOST_BYTES
        };
        let number = rest.iter().take_while(fit).count().max(1);
        let (piece, after) = rest.split_at_checked(number)?;
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_bounded_and_have_everything() {
        let entry = |index, length| Entry { index, bytes: vec![b'x'; length], personal: None };
        let entries: Vec<Entry> =
            (0..40).map(|index| entry(index, 65_000)).chain([entry(40, MOST_BYTES + 1), entry(41, 1)]).collect();
        let found: Vec<&[Entry]> = pieces(&entries).collect();
        assert_eq!(found.concat(), entries);
        let bytes = |piece: &&[Entry]| piece.iter().map(|entry| entry.bytes.len()).sum::<usize>();
        assert!(found.iter().all(|piece| piece.len() == 1 || bytes(piece) <= MOST_BYTES));
        assert_eq!(found.len(), 7);
        assert_eq!(pieces(&[]).count(), 0);
    }
}
