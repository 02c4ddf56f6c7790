use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sealyard_core::{Clock, Timestamp};

/// Wrong passwords before the first wait.
const FREE_FAILURES: u32 = 5;
/// The first wait; each further failure doubles it.
const FIRST_WAIT_SECONDS: i64 = 1;
const LONGEST_WAIT_SECONDS: i64 = 15 * 60;
/// After this long without a failure, all is forgotten.
const MEMORY_SECONDS: i64 = 60 * 60;
/// Passwords being checked at once for one name and address, so that a burst can't outrun the count.
const IN_FLIGHT: u32 = 32;
/// The most names and addresses remembered; about 2 MiB.
const ENTRIES: usize = 10_000;
/// Longer names are cut: what an attacker sends must not fill the memory.
const NAME_BYTES: usize = 128;

/// Too many wrong passwords for this name from this address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too many failed attempts to sign in; try again in {retry_after_seconds} s")]
#[non_exhaustive]
pub struct Throttled {
    /// How long to wait; what `Retry-After` says.
    pub retry_after_seconds: i64,
}

/// Slows down the guessing of passwords: per name and address, so that an attacker elsewhere can't lock a user out.
#[derive(Debug)]
pub struct LoginThrottle {
    clock: Arc<dyn Clock>,
    entries: Mutex<HashMap<Key, Entry>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    name: String,
    address: IpAddr,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    in_flight: u32,
    last: Timestamp,
}

impl LoginThrottle {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, entries: Mutex::default() })
    }

    /// Asks to check one password. The answer counts as wrong unless [`Attempt::succeeded`] or
    /// [`Attempt::not_judged`] is called.
    ///
    /// # Errors
    /// [`Throttled`] while this name must wait at this address; don't check the password then.
    pub fn attempt(self: &Arc<Self>, name: &str, address: IpAddr) -> Result<Attempt, Throttled> {
        let now = self.clock.now();
        let key = Key::new(name, address);
        let mut entries = self.lock();
        if !entries.contains_key(&key) && entries.len() >= ENTRIES {
            make_room(&mut entries, now);
        }
        let entry = entries.entry(key.clone()).or_insert(Entry { failures: 0, in_flight: 0, last: now });
        if entry.in_flight == 0 && entry.is_old(now) {
            entry.failures = 0;
        }
        let ready = entry.last.plus_seconds(entry.wait());
        if now < ready {
            let left = ready.as_millis().saturating_sub(now.as_millis());
            // A clock that was set back must not lock anyone out for longer than the longest wait.
            let seconds = (left / 1000).saturating_add(1).clamp(1, LONGEST_WAIT_SECONDS);
            if left > entry.wait().saturating_mul(1000) {
                entry.last = now;
            }
            return Err(Throttled { retry_after_seconds: seconds });
        }
        let most = if entry.failures < FREE_FAILURES { IN_FLIGHT } else { 1 };
        if entry.in_flight >= most {
            return Err(Throttled { retry_after_seconds: 1 });
        }
        entry.in_flight += 1;
        drop(entries);
        Ok(Attempt { throttle: Arc::clone(self), key, outcome: Outcome::Failed })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, key: &Key, outcome: Outcome) {
        let now = self.clock.now();
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(key) else { return };
        entry.in_flight = entry.in_flight.saturating_sub(1);
        match outcome {
            Outcome::Failed => {
                entry.failures = entry.failures.saturating_add(1);
                entry.last = now;
            }
            Outcome::Succeeded => entry.failures = 0,
            Outcome::NotJudged => {}
        }
        if entry.in_flight == 0 && entry.failures == 0 {
            entries.remove(key);
        }
    }
}

impl Key {
    fn new(name: &str, address: IpAddr) -> Self {
        let end = name.floor_char_boundary(NAME_BYTES);
        // Directories don't tell case apart: another spelling of a name must not begin at zero.
        Self { name: name.get(..end).unwrap_or_default().to_ascii_lowercase(), address: network(address) }
    }
}

/// What stands for everybody at an address: one IPv6 customer has at least a /64, so the rest of it tells nobody apart.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

impl Entry {
    fn wait(&self) -> i64 {
        let Some(doublings) = self.failures.checked_sub(FREE_FAILURES) else { return 0 };
        FIRST_WAIT_SECONDS.checked_shl(doublings.min(20)).unwrap_or(LONGEST_WAIT_SECONDS).min(LONGEST_WAIT_SECONDS)
    }

    fn is_old(&self, now: Timestamp) -> bool {
        self.last.plus_seconds(MEMORY_SECONDS) <= now
    }
}

/// Forgets the old, and then the least suspicious tenth: an attacker who floods with new names must not push out the
/// count on the name that matters. Attempts in flight stay.
fn make_room(entries: &mut HashMap<Key, Entry>, now: Timestamp) {
    entries.retain(|_, entry| entry.in_flight > 0 || !entry.is_old(now));
    if entries.len() < ENTRIES {
        return;
    }
    #[allow(clippy::iter_over_hash_type, reason = "sorted before use")]
    let mut ranks: Vec<(u32, Timestamp)> = entries.values().map(|entry| (entry.failures, entry.last)).collect();
    ranks.sort_unstable();
    let Some(&limit) = ranks.get(ENTRIES / 10) else { return };
    let mut left = ENTRIES / 10 + 1;
    entries.retain(|_, entry| {
        let goes = left > 0 && entry.in_flight == 0 && (entry.failures, entry.last) <= limit;
        left -= usize::from(goes);
        !goes
    });
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Failed,
    Succeeded,
    NotJudged,
}

/// One password being checked. Dropping it counts as a wrong one.
#[derive(Debug)]
#[must_use = "dropping an attempt counts as a wrong password"]
pub struct Attempt {
    throttle: Arc<LoginThrottle>,
    key: Key,
    outcome: Outcome,
}

impl Attempt {
    /// The password was right: all is forgiven.
    pub fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// The password was neither right nor wrong, as when the database did not answer.
    pub fn not_judged(mut self) {
        self.outcome = Outcome::NotJudged;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.throttle.finish(&self.key, self.outcome);
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::FixedClock;

    use super::*;

    fn throttle() -> (Arc<FixedClock>, Arc<LoginThrottle>) {
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_000_000_000)));
        let throttle = LoginThrottle::new(Arc::clone(&clock) as Arc<dyn Clock>);
        (clock, throttle)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn fail(throttle: &Arc<LoginThrottle>, name: &str, from: &str, times: u32) {
        for _ in 0..times {
            drop(throttle.attempt(name, address(from)).unwrap());
        }
    }

    #[test]
    fn another_spelling_is_the_same_name() {
        let (_, throttle) = throttle();
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
        assert!(throttle.attempt("ADA", address("192.0.2.1")).is_err());
    }

    #[test]
    fn waits_double_and_end() {
        let (clock, throttle) = throttle();
        let here = address("192.0.2.1");
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
        let mut wait = 1;
        for _ in 0..14 {
            assert!(throttle.attempt("ada", here).is_err());
            clock.set(clock.now().plus_seconds(wait).plus_seconds(-1));
            if wait > 1 {
                assert!(throttle.attempt("ada", here).is_err(), "{wait}");
            }
            clock.set(clock.now().plus_seconds(1));
            drop(throttle.attempt("ada", here).unwrap());
            wait = (wait * 2).min(LONGEST_WAIT_SECONDS);
        }
        clock.set(clock.now().plus_seconds(MEMORY_SECONDS));
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
    }

    #[test]
    fn others_are_not_held_up_and_success_forgives() {
        let (clock, throttle) = throttle();
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
        assert!(throttle.attempt("ada", address("192.0.2.1")).is_err());
        throttle.attempt("ada", address("192.0.2.2")).unwrap().succeeded();
        throttle.attempt("bob", address("192.0.2.1")).unwrap().succeeded();
        clock.set(clock.now().plus_seconds(1));
        throttle.attempt("ada", address("192.0.2.1")).unwrap().succeeded();
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
    }

    #[test]
    fn a_neighbouring_ipv6_address_is_the_same_one() {
        let (_, throttle) = throttle();
        fail(&throttle, "ada", "2001:db8::1", FREE_FAILURES);
        assert!(throttle.attempt("ada", address("2001:db8::ffff:2")).is_err());
        assert!(throttle.attempt("ada", address("2001:db8:0:1::1")).is_ok());
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
        assert!(throttle.attempt("ada", address("::ffff:192.0.2.1")).is_err());
    }

    #[test]
    fn a_burst_can_not_outrun_the_count() {
        let (clock, throttle) = throttle();
        let here = address("192.0.2.1");
        let burst: Vec<_> = (0..1000).filter_map(|_| throttle.attempt("ada", here).ok()).collect();
        assert_eq!(burst.len(), IN_FLIGHT as usize);
        drop(burst);
        assert!(throttle.attempt("ada", here).is_err());
        clock.set(clock.now().plus_seconds(LONGEST_WAIT_SECONDS));
        let one = throttle.attempt("ada", here).unwrap();
        assert!(throttle.attempt("ada", here).is_err(), "one at a time after failures");
        one.not_judged();
        throttle.attempt("ada", here).unwrap().succeeded();
        assert!(throttle.lock().is_empty());
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let (clock, throttle) = throttle();
        let here = address("192.0.2.1");
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
        clock.set(Timestamp::from_millis(0));
        assert!(throttle.attempt("ada", here).is_err());
        clock.set(clock.now().plus_seconds(1));
        assert!(throttle.attempt("ada", here).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_a_flood_does_not_wash_out_the_target() {
        let (_, throttle) = throttle();
        fail(&throttle, "ada", "192.0.2.1", FREE_FAILURES);
        for number in 0..2 * ENTRIES {
            drop(throttle.attempt(&format!("{number}{}", "é".repeat(500)), address("192.0.2.1")));
        }
        assert!(throttle.lock().len() <= ENTRIES);
        assert!(throttle.lock().keys().all(|key| key.name.len() <= NAME_BYTES));
        assert!(throttle.attempt("ada", address("192.0.2.1")).is_err());
    }
}
