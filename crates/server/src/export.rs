//! Sending the ledger on: one task for each `[ledger.export.NAME]`, in the order of the log, from where it was.

use std::sync::Arc;
use std::time::Duration;

use sealyard_app::App;
use sealyard_ledger_export::{Entry, Sink};

/// How long nothing new is waited for.
const PAUSE: Duration = Duration::from_secs(1);
/// A receiver that is away is tried again after this, then after twice that, and so on.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends for as long as the server runs. One batch is held at a time.
pub(crate) async fn run(app: Arc<App>, name: String, mut sink: Sink) {
    let mut wait = FIRST_WAIT;
    let mut next = None;
    loop {
        match step(&app, &name, &mut sink, &mut next).await {
            Ok(true) => wait = FIRST_WAIT,
            Ok(false) => {
                wait = FIRST_WAIT;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::warn!(export = name, %error, seconds = wait.as_secs(), "the ledger could not be sent on; it will be tried again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Sends one batch; whether there was one.
pub(crate) async fn step(app: &App, name: &str, sink: &mut Sink, next: &mut Option<u64>) -> Result<bool, Failure> {
    let from = match *next {
        Some(from) => from,
        // A sink that knows what it has is right: the cursor is written after it.
        None => match sink.next()? {
            Some(known) => known,
            None => app.export_cursor(name).await?.unwrap_or(0),
        },
    };
    *next = Some(from);
    let batch = app.entries_to_export(from).await?;
    let entries: Vec<Entry> = batch.into_iter().map(|(index, bytes)| Entry { index, bytes }).collect();
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(false) };
    if first.index != from || last.index + 1 != from + entries.len() as u64 {
        return Err(format!("entries of the ledger are missing from {from} on").into());
    }
    let after = last.index + 1;
    sink.send(&entries, app.now()).await?;
    app.advance_export(name, after).await?;
    *next = Some(after);
    Ok(true)
}
