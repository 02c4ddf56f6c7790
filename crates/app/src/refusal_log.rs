//! Refusals on their way into the ledger.
//!
//! Whoever is refused says how often: without a bound, someone who may do nothing could fill the disk with entries. So the
//! first refusal of each kind is written at once, and so are some more; what comes beyond that is counted, and the counts are
//! written when the window ends, when the ledger is read and when the server stops.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sealyard_core::{Clock, Timestamp};
use sealyard_identity::network;
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Store;

use crate::ledger::Wake;
use crate::tasks::to_its_end;
use crate::{App, AppError};

/// So long is counted before the counts are written.
const WINDOW_SECONDS: i64 = 60;
/// Refusals of one principal that are written in full, beside the first of each kind.
const IN_FULL: u32 = 50;
/// So many more are with each window that ends.
const REFILL: u32 = 5;
/// Kinds that are told apart for one principal, and principals that are; further ones are counted together.
const MOST_KINDS: usize = 64;
const MOST_CLIENTS: usize = 1000;
/// What those are counted under.
const OTHERS: &str = "others";

/// Whose refusals are counted together: a principal's, or those from a network where nobody proved who they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Client {
    actor: String,
    network: Option<IpAddr>,
}

/// Refusals that are alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    workspace: Option<String>,
    of: &'static str,
    action: String,
    resource_kind: String,
    rule: String,
}

#[derive(Debug)]
struct Window {
    since: Timestamp,
    /// Refusals that are still written in full.
    left: u32,
    /// Whether any came since the window began.
    used: bool,
    /// The kinds that were met, with how many are counted and not written.
    counts: BTreeMap<Kind, u64>,
}

/// A count that was taken out to be written.
#[derive(Debug)]
struct Counted {
    client: Client,
    kind: Kind,
    count: u64,
    since: Timestamp,
}

/// What was refused lately, to whom.
#[derive(Debug, Default)]
pub(crate) struct RefusalLog(Mutex<HashMap<Client, Window>>);

impl RefusalLog {
    fn lock(&self) -> MutexGuard<'_, HashMap<Client, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this refusal is to be written in full; otherwise it is counted now.
    fn is_written(&self, client: Client, kind: Kind, now: Timestamp) -> bool {
        let mut clients = self.lock();
        let window = window(&mut clients, client, now);
        window.used = true;
        if window.counts.len() < MOST_KINDS && !window.counts.contains_key(&kind) {
            window.counts.insert(kind, 0);
            window.left = window.left.saturating_sub(1);
            return true;
        }
        if let Some(left) = window.left.checked_sub(1) {
            window.left = left;
            return true;
        }
        window.count(kind, 1);
        false
    }

    /// Takes out the counts of windows that ended, or all of them.
    fn take(&self, now: Timestamp, all: bool) -> Vec<Counted> {
        let mut taken = Vec::new();
        let mut clients = self.lock();
        clients.retain(|client, window| {
            // A clock that was set back must not keep a window open.
            let over = window.since.plus_seconds(WINDOW_SECONDS) <= now || now < window.since;
            if !over && !all {
                return true;
            }
            for (kind, count) in &mut window.counts {
                let count = std::mem::take(count);
                if count > 0 {
                    taken.push(Counted { client: client.clone(), kind: kind.clone(), count, since: window.since });
                }
            }
            if !over {
                return true;
            }
            window.since = now;
            window.left = window.left.saturating_add(REFILL).min(IN_FULL);
            std::mem::take(&mut window.used)
        });
        taken
    }

    /// Counts again what could not be written.
    fn put_back(&self, counted: Vec<Counted>) {
        let mut clients = self.lock();
        for Counted { client, kind, count, since } in counted {
            let window = window(&mut clients, client, since);
            window.used = true;
            window.since = window.since.min(since);
            window.count(kind, count);
        }
    }
}

impl Window {
    fn count(&mut self, kind: Kind, more: u64) {
        let known = self.counts.len() < MOST_KINDS || self.counts.contains_key(&kind);
        let kind = if known { kind } else { Kind { of: OTHERS, ..Kind::default() } };
        let count = self.counts.entry(kind).or_default();
        *count = count.saturating_add(more);
    }
}

fn window(clients: &mut HashMap<Client, Window>, client: Client, now: Timestamp) -> &mut Window {
    let known = clients.len() < MOST_CLIENTS || clients.contains_key(&client);
    let client = if known { client } else { Client { actor: OTHERS.to_owned(), network: None } };
    let fresh = || Window { since: now, left: IN_FULL, used: false, counts: BTreeMap::new() };
    clients.entry(client).or_insert_with(fresh)
}

/// Whose refusal it is and of what kind; `None` for what is always written.
fn classify(event: &Event) -> Option<(Client, Kind)> {
    let (of, action, resource, rule) = match &event.act {
        Act::AccessDenied { action, resource, rule } => ("access-denied", action.as_str(), resource.as_str(), rule),
        Act::LoginFailed { reason, .. } => ("login-failed", "log in", "", reason),
        Act::ArtifactRefused { rule, .. } => ("artifact-refused", "upload", "", rule),
        Act::ArtifactUnreadable { rule, .. } => ("artifact-unreadable", "download", "", rule),
        Act::VersionRefused { rule, .. } => ("version-refused", "create", "", rule),
        _ => return None,
    };
    let anonymous = event.actor == "anonymous";
    let source = event.source.as_deref().and_then(|source| source.parse().ok());
    let client = Client { actor: event.actor.clone(), network: source.filter(|_| anonymous).map(network) };
    let of_resource = resource.split([':', '/', ' ']).next().unwrap_or_default();
    let kind = Kind {
        workspace: event.in_workspace.clone(),
        of,
        action: action.chars().take(64).collect(),
        resource_kind: of_resource.chars().take(64).collect(),
        rule: rule.chars().take(64).collect(),
    };
    Some((client, kind))
}

impl Counted {
    fn event(&self, now: Timestamp) -> Event {
        let Self { client, kind, count, since } = self;
        Event {
            time: now,
            actor: client.actor.clone(),
            source: client.network.map(|network| network.to_string()),
            request_id: None,
            in_workspace: kind.workspace.clone(),
            outcome: Outcome::Refused,
            act: Act::RefusalsCounted {
                of: kind.of.to_owned(),
                action: kind.action.clone(),
                resource_kind: kind.resource_kind.clone(),
                rule: kind.rule.clone(),
                count: *count,
                since: *since,
            },
        }
    }
}

/// What writes refusals; whoever has one needs no [`App`].
#[derive(Debug, Clone)]
pub(crate) struct Refusals {
    log: Arc<RefusalLog>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    sequencer: Wake,
}

impl Refusals {
    /// Writes or counts a refusal. Goes on to its end when the one who was refused hangs up.
    pub(crate) async fn record(&self, event: Event) -> Result<(), AppError> {
        let now = self.clock.now();
        let Some((client, kind)) = classify(&event) else { return self.write(vec![event]).await };
        if !self.log.is_written(client.clone(), kind.clone(), now) {
            return Ok(());
        }
        let this = self.clone();
        to_its_end("a refusal could not be recorded", async move {
            let written = this.write(vec![event]).await;
            if written.is_err() {
                this.log.put_back(vec![Counted { client, kind, count: 1, since: now }]);
            }
            written
        })
        .await
    }

    async fn write_counted(&self, all: bool) -> Result<(), AppError> {
        let now = self.clock.now();
        let counted = self.log.take(now, all);
        if counted.is_empty() {
            return Ok(());
        }
        let this = self.clone();
        to_its_end("counted refusals could not be recorded", async move {
            let written = this.write(counted.iter().map(|counted| counted.event(now)).collect()).await;
            if written.is_err() {
                this.log.put_back(counted);
            }
            written
        })
        .await
    }

    async fn write(&self, events: Vec<Event>) -> Result<(), AppError> {
        self.store.write(move |tx| events.iter().try_for_each(|event| Ok::<_, AppError>(tx.record(event)?))).await?;
        self.sequencer.notify();
        Ok(())
    }
}

impl App {
    /// What writes refusals, for work that outlives the request.
    pub(crate) fn refusals(&self) -> Refusals {
        Refusals {
            log: Arc::clone(&self.refusal_log),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            sequencer: self.sequencer.clone(),
        }
    }

    /// Writes a refusal, or counts it when the same principal was refused often of late.
    pub(crate) async fn record_refusal(&self, event: Event) -> Result<(), AppError> {
        self.refusals().record(event).await
    }

    /// Writes the counts of refusals whose window ended.
    pub(crate) async fn write_ended_counts(&self) -> Result<(), AppError> {
        self.refusals().write_counted(false).await
    }

    /// Writes what was refused and only counted until now: before the ledger is read, and before the server stops.
    ///
    /// # Errors
    /// [`AppError::Store`]; the counts are kept then.
    pub async fn write_counted_refusals(&self) -> Result<(), AppError> {
        self.refusals().write_counted(true).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str) -> Client {
        Client { actor: name.to_owned(), network: None }
    }

    fn kind(action: &str) -> Kind {
        Kind { of: "access-denied", action: action.to_owned(), ..Kind::default() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_seconds(seconds)
    }

    fn written(log: &RefusalLog, name: &str, action: &str, times: u32, now: Timestamp) -> u32 {
        (0..times).map(|_| u32::from(log.is_written(client(name), kind(action), now))).sum()
    }

    #[test]
    fn beyond_the_budget_refusals_are_counted_and_none_is_lost() {
        let log = RefusalLog::default();
        assert_eq!(written(&log, "eve", "read", 1000, at(0)), IN_FULL);
        assert_eq!(written(&log, "eve", "edit", 10, at(1)), 1, "the first of a kind is always written");
        assert_eq!(written(&log, "ada", "read", 10, at(1)), 10, "others have their own");
        assert!(log.take(at(WINDOW_SECONDS - 1), false).is_empty());
        let counts = |taken: Vec<Counted>| taken.iter().map(|counted| counted.count).sum::<u64>();
        assert_eq!(counts(log.take(at(WINDOW_SECONDS), false)), u64::from(1000 - IN_FULL) + 9);
        // Who goes on is counted from the start; who was quiet is forgotten.
        assert_eq!(written(&log, "eve", "read", 1000, at(WINDOW_SECONDS)), REFILL);
        let taken = log.take(at(WINDOW_SECONDS), true);
        assert_eq!(counts(taken), u64::from(1000 - REFILL));
        assert_eq!(log.lock().len(), 2);
        assert!(log.take(at(3 * WINDOW_SECONDS), false).is_empty());
        assert!(log.take(at(4 * WINDOW_SECONDS), false).is_empty());
        assert!(log.lock().is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_counted_on() {
        let log = RefusalLog::default();
        written(&log, "eve", "read", IN_FULL + 7, at(0));
        log.put_back(log.take(at(1), true));
        let taken = log.take(at(2), true);
        assert_eq!((taken.len(), taken[0].count, taken[0].since), (1, 7, at(0)));
    }

    #[test]
    fn kinds_and_clients_are_bounded_and_still_counted() {
        let log = RefusalLog::default();
        let kinds = MOST_KINDS as u32 + 100;
        let full: u32 = (0..kinds).map(|n| written(&log, "eve", &n.to_string(), 1, at(0))).sum();
        let counted: u64 = log.take(at(1), true).iter().map(|counted| counted.count).sum();
        assert_eq!(u64::from(full) + counted, u64::from(kinds));
        assert_eq!(full, MOST_KINDS as u32);
        for number in 0..3 * MOST_CLIENTS {
            written(&log, &format!("user-{number}"), "read", 1, at(0));
        }
        assert_eq!(log.lock().len(), MOST_CLIENTS + 1);
        assert!(log.lock().values().all(|window| window.counts.len() <= MOST_KINDS + 1));
    }

    #[test]
    fn a_clock_set_back_keeps_no_window_open() {
        let log = RefusalLog::default();
        written(&log, "eve", "read", IN_FULL + 1, at(1000));
        assert_eq!(log.take(at(0), false).len(), 1);
    }
}
