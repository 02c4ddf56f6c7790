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
/// Kinds that are told apart for one principal; further ones are counted together.
const MOST_KINDS: usize = 64;
/// What those are counted under.
const OTHERS: &str = "others";
/// Networks that are told apart; those beyond are counted together.
const MOST_NETWORKS: usize = 1000;
/// The actor of those who did not prove who they are.
const ANONYMOUS: &str = "anonymous";
/// The actor of what the server does unasked.
const SYSTEM: &str = "system";

/// Whose refusals are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Client {
    /// Who proved that it is they.
    Principal(String),
    /// Whoever asks from a network where nobody did; none for those whose network is not told apart.
    Network(Option<IpAddr>),
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
    /// Since when it was counted what is in `counts`.
    counted_since: Timestamp,
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

/// The windows that are open. Each kind of client has its own, so that those who are nobody never take the place of a name.
#[derive(Debug, Default)]
struct Windows {
    /// By name: there are no more of them than accounts.
    principals: HashMap<String, Window>,
    /// Anybody can have many; they are bounded.
    networks: HashMap<Option<IpAddr>, Window>,
}

/// What was refused lately, to whom.
#[derive(Debug, Default)]
pub(crate) struct RefusalLog(Mutex<Windows>);

impl RefusalLog {
    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this refusal is to be written in full; otherwise it is counted now.
    fn is_written(&self, client: Client, kind: Kind, now: Timestamp) -> bool {
        let mut windows = self.lock();
        let window = windows.of(client, now);
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
        let mut windows = self.lock();
        let Windows { principals, networks } = &mut *windows;
        principals.retain(|name, window| window.take(&Client::Principal(name.clone()), now, all, &mut taken));
        networks.retain(|network, window| window.take(&Client::Network(*network), now, all, &mut taken));
        taken
    }

    /// Counts again what could not be written.
    fn put_back(&self, counted: Vec<Counted>) {
        let mut windows = self.lock();
        for Counted { client, kind, count, since } in counted {
            let window = windows.of(client, since);
            window.used = true;
            window.counted_since = window.counted_since.min(since);
            window.count(kind, count);
        }
    }
}

impl Window {
    fn new(now: Timestamp) -> Self {
        Self { since: now, counted_since: now, left: IN_FULL, used: false, counts: BTreeMap::new() }
    }

    /// Takes out the counts if the window is over, or in any case. Says whether it is still needed.
    fn take(&mut self, client: &Client, now: Timestamp, all: bool, taken: &mut Vec<Counted>) -> bool {
        // A clock that was set back must not keep a window open.
        let over = self.since.plus_seconds(WINDOW_SECONDS) <= now || now < self.since;
        if !over && !all {
            return true;
        }
        // What is counted from here on is of the time from here on, also within the same window.
        let since = std::mem::replace(&mut self.counted_since, now);
        for (kind, count) in &mut self.counts {
            let count = std::mem::take(count);
            if count > 0 {
                taken.push(Counted { client: client.clone(), kind: kind.clone(), count, since });
            }
        }
        if !over {
            return true;
        }
        self.since = now;
        self.left = self.left.saturating_add(REFILL).min(IN_FULL);
        // Forgotten before it is full again, it would be full at once.
        std::mem::take(&mut self.used) || self.left < IN_FULL
    }

    fn count(&mut self, kind: Kind, more: u64) {
        let known = self.counts.len() < MOST_KINDS || self.counts.contains_key(&kind);
        let kind = if known { kind } else { Kind { of: OTHERS, ..Kind::default() } };
        let count = self.counts.entry(kind).or_default();
        *count = count.saturating_add(more);
    }
}

impl Windows {
    fn of(&mut self, client: Client, now: Timestamp) -> &mut Window {
        match client {
            Client::Principal(name) => self.principals.entry(name).or_insert_with(|| Window::new(now)),
            Client::Network(network) => {
                let known = self.networks.len() < MOST_NETWORKS || self.networks.contains_key(&network);
                let network = network.filter(|_| known);
                self.networks.entry(network).or_insert_with(|| Window::new(now))
            }
        }
    }
}

/// Whose refusal it is and of what kind; `None` for what is always written.
fn classify(event: &Event) -> Option<(Client, Kind)> {
    // Nobody outside makes the server do as much as they like unasked, and an import says of each file what became of it.
    if event.actor == SYSTEM {
        return None;
    }
    let (of, action, resource, rule) = match &event.act {
        Act::AccessDenied { action, resource, rule } => ("access-denied", action.as_str(), resource.as_str(), rule),
        Act::LoginFailed { reason, .. } => ("login-failed", "log in", "", reason),
        Act::ArtifactRefused { rule, .. } => ("artifact-refused", "upload", "", rule),
        Act::ArtifactUnreadable { rule, .. } => ("artifact-unreadable", "download", "", rule),
        Act::VersionRefused { rule, .. } => ("version-refused", "create", "", rule),
        _ => return None,
    };
    let client = if event.actor == ANONYMOUS {
        Client::Network(event.source.as_deref().and_then(|source| source.parse().ok()).map(network))
    } else {
        Client::Principal(event.actor.clone())
    };
    // `experiment:7`, `run "…"`; outside of the default workspace `team-a/experiment:7`.
    let head = resource.split([':', ' ']).next().unwrap_or_default();
    let of_resource = head.rsplit('/').next().unwrap_or_default();
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
        let (actor, network) = match client {
            Client::Principal(name) => (name.as_str(), None),
            Client::Network(network) => (ANONYMOUS, *network),
        };
        Event {
            time: now,
            actor: actor.to_owned(),
            source: network.map(|network| network.to_string()),
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
        Client::Principal(name.to_owned())
    }

    fn nobody(number: u32) -> Client {
        Client::Network(Some(IpAddr::from(number.to_be_bytes())))
    }

    fn sum(taken: &[Counted]) -> u64 {
        taken.iter().map(|counted| counted.count).sum()
    }

    fn clients(log: &RefusalLog) -> usize {
        let windows = log.lock();
        windows.principals.len() + windows.networks.len()
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
        assert_eq!(sum(&log.take(at(WINDOW_SECONDS), false)), u64::from(1000 - IN_FULL) + 9);
        // Who goes on is counted from the start.
        assert_eq!(written(&log, "eve", "read", 1000, at(WINDOW_SECONDS)), REFILL);
        let taken = log.take(at(WINDOW_SECONDS), true);
        assert_eq!(sum(&taken), u64::from(1000 - REFILL));
        assert_eq!(clients(&log), 2);
    }

    #[test]
    fn who_is_quiet_gets_the_budget_back_bit_by_bit_and_then_is_forgotten() {
        let log = RefusalLog::default();
        written(&log, "eve", "read", IN_FULL, at(0));
        for window in 1..=2 {
            assert!(log.take(at(window * WINDOW_SECONDS), false).is_empty());
        }
        assert_eq!(written(&log, "eve", "read", 1000, at(2 * WINDOW_SECONDS)), 2 * REFILL);
        let last = 2 + i64::from(IN_FULL / REFILL);
        for window in 3..last {
            log.take(at(window * WINDOW_SECONDS), false);
            assert_eq!(clients(&log), 1, "forgotten too early, in window {window}");
        }
        log.take(at(last * WINDOW_SECONDS), false);
        assert_eq!(clients(&log), 0);
    }

    #[test]
    fn no_two_counts_are_of_the_same_time() {
        let log = RefusalLog::default();
        let mut taken = Vec::new();
        for (second, all) in [(10, true), (20, true), (WINDOW_SECONDS + 9, false), (WINDOW_SECONDS + 20, true)] {
            written(&log, "eve", "read", IN_FULL + 1, at(second - 1));
            taken.extend(log.take(at(second), all).iter().map(|counted| counted.since));
        }
        assert_eq!(taken, [at(9), at(10), at(20), at(WINDOW_SECONDS + 9)]);
    }

    fn denied(resource: &str) -> Event {
        let act = Act::AccessDenied {
            action: "read".to_owned(),
            resource: resource.to_owned(),
            rule: "authorization".to_owned(),
        };
        Event {
            time: at(0),
            actor: "eve".to_owned(),
            source: None,
            request_id: None,
            in_workspace: None,
            outcome: Outcome::Refused,
            act,
        }
    }

    #[test]
    fn the_kind_of_a_thing_is_not_its_workspace() {
        for (resource, kind) in [
            ("experiment:7", "experiment"),
            ("team-a/experiment:7", "experiment"),
            ("team-a/registered-model:a/b c", "registered-model"),
            ("server", "server"),
            ("run \"a/b:c\"", "run"),
        ] {
            let (client, found) = classify(&denied(resource)).unwrap();
            assert_eq!((client, found.resource_kind.as_str()), (Client::Principal("eve".to_owned()), kind));
        }
    }

    #[test]
    fn what_the_server_itself_is_refused_is_always_written() {
        let event = Event { actor: SYSTEM.to_owned(), ..denied("server") };
        assert!(classify(&event).is_none());
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
        assert!(log.lock().principals.values().all(|window| window.counts.len() <= MOST_KINDS + 1));
    }

    #[test]
    fn those_who_are_nobody_are_bounded_and_take_no_name_away() {
        let log = RefusalLog::default();
        let networks = 3 * MOST_NETWORKS as u32;
        let full: u32 = (0..networks).map(|n| u32::from(log.is_written(nobody(n), kind("log in"), at(0)))).sum();
        assert_eq!(log.lock().networks.len(), MOST_NETWORKS + 1);
        assert_eq!(full, MOST_NETWORKS as u32 + IN_FULL);
        written(&log, "eve", "read", IN_FULL + 7, at(0));
        let taken = log.take(at(1), true);
        assert_eq!(sum(&taken), u64::from(networks - full) + 7);
        let told: Vec<(String, Option<String>, u64)> = taken
            .iter()
            .map(|counted| {
                let event = counted.event(at(1));
                (event.actor, event.source, counted.count)
            })
            .collect();
        let folded = u64::from(networks - full);
        assert_eq!(told, [("eve".to_owned(), None, 7), (ANONYMOUS.to_owned(), None, folded)]);
    }

    #[test]
    fn a_clock_set_back_keeps_no_window_open() {
        let log = RefusalLog::default();
        written(&log, "eve", "read", IN_FULL + 1, at(1000));
        assert_eq!(log.take(at(0), false).len(), 1);
    }
}
