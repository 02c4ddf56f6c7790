//! Who read which stored files, without an entry for each of a thousand requests.
//!
//! The first read of a run, model or version by somebody has an entry of its own, written before the first byte is given out. What
//! the same one reads of the same thing within the hour is counted, and `artifact-reads-counted` says how much it was. So who
//! read what is never lost; a server that is killed loses the counts of the hour.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sealyard_core::Timestamp;
use sealyard_ledger::{Act, Event, Outcome};

use crate::tracking::is_model_id;
use crate::{App, AppError};

/// So long reads of the same are counted together.
const WINDOW_SECONDS: i64 = 60 * 60;
/// Windows that are open at a time; beyond, the oldest end early.
const MOST: usize = 4096;

/// Reads that are being counted.
#[derive(Debug, Default)]
pub(crate) struct Reads(Mutex<BTreeMap<Key, Window>>);

/// Who reads what, and where: models of two workspaces may have one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    actor: String,
    resource: String,
    workspace: Option<String>,
}

impl Key {
    fn of(event: &Event, resource: &str) -> Self {
        let Event { actor, in_workspace: workspace, .. } = event.clone();
        Self { actor, resource: resource.to_owned(), workspace }
    }
}

#[derive(Debug)]
struct Window {
    since: Timestamp,
    /// Whether the entry of the first read is in the catalog. Until then each has its own.
    written: bool,
    reads: u64,
    bytes: u64,
}

impl Reads {
    /// Counts a read; whether it is the first of its window, and which windows ended for it.
    fn note(&self, event: &Event, resource: &str, bytes: u64) -> (bool, Vec<Event>) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Key::of(event, resource);
        if let Some(window) = windows.get_mut(&key)
            && event.time < window.since.plus_seconds(WINDOW_SECONDS)
        {
            if !window.written {
                return (true, Vec::new());
            }
            window.reads += 1;
            window.bytes = window.bytes.saturating_add(bytes);
            return (false, Vec::new());
        }
        let mut ended = Vec::new();
        if let Some(window) = windows.remove(&key) {
            ended.extend(counted(&key, &window, event.time));
        }
        if windows.len() >= MOST
            && let Some(oldest) = windows.iter().min_by_key(|(_, window)| window.since).map(|(key, _)| key.clone())
            && let Some(window) = windows.remove(&oldest)
        {
            ended.extend(counted(&oldest, &window, event.time));
        }
        windows.insert(key, Window { since: event.time, written: false, reads: 0, bytes: 0 });
        (true, ended)
    }

    /// The entry of a first read is in the catalog: what comes now is counted.
    fn written(&self, key: &Key) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(key) {
            window.written = true;
        }
    }

    /// Takes the windows that are over, or all.
    fn take(&self, now: Timestamp, all: bool) -> Vec<Event> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |window: &Window| all || now >= window.since.plus_seconds(WINDOW_SECONDS);
        let keys: Vec<_> = windows.iter().filter(|(_, window)| over(window)).map(|(key, _)| key.clone()).collect();
        let mut ended = Vec::new();
        for key in keys {
            if let Some(window) = windows.remove(&key) {
                ended.extend(counted(&key, &window, now));
            }
        }
        ended
    }
}

fn counted(key: &Key, window: &Window, now: Timestamp) -> Option<Event> {
    let Key { actor, resource, workspace } = key;
    let Window { since, reads, bytes, .. } = window;
    let act = Act::ArtifactReadsCounted { resource: resource.clone(), reads: *reads, bytes: *bytes, since: *since };
    (*reads > 0).then(|| Event {
        time: now,
        actor: actor.clone(),
        source: None,
        request_id: None,
        in_workspace: workspace.clone(),
        outcome: Outcome::Done,
        act,
    })
}

/// The run, model or version that a path is of; `None` for traces, which are data that applications make and read all the time.
fn resource_of(path: &str) -> Option<String> {
    let (scheme, rest) = path.split_once(":/")?;
    let mut parts = rest.split('/');
    let first = parts.next()?;
    match scheme {
        "runs" => Some(format!("runs:/{first}")),
        "models" if is_model_id(first) => Some(format!("models:/{first}")),
        "models" => Some(format!("models:/{first}/{}", parts.next()?)),
        "mlflow-artifacts" => Some("mlflow-artifacts:/".to_owned()),
        _ => None,
    }
}

impl App {
    /// Notes that `event`'s actor is given `bytes` of the file at `path`; before they are.
    pub(crate) async fn note_read(&self, event: Event, path: &str, bytes: u64) -> Result<(), AppError> {
        let Some(resource) = resource_of(path) else { return Ok(()) };
        let (first, mut events) = self.reads.note(&event, &resource, bytes);
        let key = Key::of(&event, &resource);
        if first {
            let act = Act::ArtifactRead { resource, path: path.to_owned(), bytes };
            events.push(Event { outcome: Outcome::Done, act, ..event });
        }
        if events.is_empty() {
            return Ok(());
        }
        self.record_all(events).await?;
        self.reads.written(&key);
        Ok(())
    }

    /// Writes what was read and only counted: of the hours that are over, or everything, as when the server stops.
    ///
    /// # Errors
    /// [`AppError::Store`]; the counts are lost then, and the entries of the first reads are not.
    pub async fn write_counted_reads(&self, all: bool) -> Result<(), AppError> {
        let events = self.reads.take(self.now(), all);
        if events.is_empty() { Ok(()) } else { self.record_all(events).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(actor: &str, seconds: i64) -> Event {
        Event {
            time: Timestamp::from_millis(seconds * 1000),
            actor: actor.to_owned(),
            source: None,
            request_id: None,
            in_workspace: None,
            outcome: Outcome::Done,
            act: Act::ArtifactUnreadable { path: String::new(), rule: String::new() },
        }
    }

    #[test]
    fn paths_are_of_something() {
        for (path, of) in [
            ("runs:/r1/a/b", Some("runs:/r1")),
            ("models:/m-0123456789abcdef0123456789abcdef/1/a", Some("models:/m-0123456789abcdef0123456789abcdef")),
            ("models:/m-fraud/3/a", Some("models:/m-fraud/3")),
            ("models:/fraud/3/a", Some("models:/fraud/3")),
            ("mlflow-artifacts:/x/y", Some("mlflow-artifacts:/")),
            ("traces:/t/a", None),
            ("nonsense", None),
        ] {
            assert_eq!(resource_of(path).as_deref(), of, "{path}");
        }
    }

    #[test]
    fn the_first_has_an_entry_and_the_rest_is_counted() {
        let reads = Reads::default();
        let ada = Key::of(&event("ada", 0), "runs:/r");
        for _ in 0..2 {
            assert_eq!(reads.note(&event("ada", 0), "runs:/r", 5), (true, vec![]), "as long as none is written");
        }
        reads.written(&ada);
        for _ in 0..3 {
            assert_eq!(reads.note(&event("ada", 10), "runs:/r", 5), (false, vec![]));
        }
        assert!(reads.note(&event("bob", 10), "runs:/r", 5).0, "another one");
        assert!(reads.note(&event("ada", 10), "runs:/s", 5).0, "another thing");
        let (first, ended) = reads.note(&event("ada", 3600), "runs:/r", 5);
        assert!(first, "another hour");
        let mut elsewhere = event("ada", 3600);
        elsewhere.in_workspace = Some("other".into());
        assert!(reads.note(&elsewhere, "runs:/r", 5).0, "another workspace");
        let since = Timestamp::from_millis(0);
        let act = Act::ArtifactReadsCounted { resource: "runs:/r".into(), reads: 3, bytes: 15, since };
        assert_eq!(ended.into_iter().map(|event| event.act).collect::<Vec<_>>(), [act]);
        reads.written(&Key::of(&event("bob", 0), "runs:/r"));
        reads.note(&event("bob", 20), "runs:/r", 7);
        assert!(reads.take(Timestamp::from_millis(3_000_000), false).is_empty());
        assert_eq!(reads.take(Timestamp::from_millis(3_610_000), false).len(), 1, "of bob, whose hour is over");
        assert!(reads.take(Timestamp::from_millis(9_000_000), true).is_empty(), "what was read once has its entry");
    }

    #[test]
    fn many_windows_are_bounded() {
        let reads = Reads::default();
        for number in 0..MOST as i64 + 10 {
            reads.note(&event("ada", number), &format!("runs:/{number}"), 1);
            reads.note(&event("ada", number), &format!("runs:/{number}"), 1);
        }
        assert_eq!(reads.0.lock().unwrap().len(), MOST);
    }
}
