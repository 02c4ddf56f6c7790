use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

/// Places in a row of the table; all of one row are looked at.
const WAYS: usize = 8;
/// Parts with a lock of their own.
const SHARDS: usize = 16;

/// How often something may happen: `per_second` on average, `burst` at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests a second; 0 is without limit.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// A token bucket for each key, in a table of a fixed size.
///
/// Of each key only the moment is kept at which its bucket is full again (the "theoretical arrival time" of GCRA). A key whose
/// bucket is full needs no place. When all places of a row are taken, the key that is nearest to full gives up its place: it
/// is forgiven what it took, which is less than what anybody else in the row took. So no number of addresses fills the
/// memory, and none of them makes the table forget who asks the most.
#[derive(Debug)]
pub struct Buckets {
    hasher: RandomState,
    began: Instant,
    /// Nanoseconds from one request to the next.
    interval: u64,
    /// Nanoseconds that a bucket may be ahead.
    tolerance: u64,
    shards: Vec<Mutex<Vec<[Entry; WAYS]>>>,
}

/// One key's bucket; all zero is an empty place.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    key: u64,
    full_at: u64,
}

impl Buckets {
    /// For about `keys` keys that are not idle at the same time; `None` where nothing is limited.
    #[must_use]
    pub fn new(rate: Rate, keys: usize) -> Option<Self> {
        if rate.per_second == 0 {
            return None;
        }
        let interval = 1_000_000_000 / u64::from(rate.per_second);
        let rows = keys.div_ceil(WAYS * SHARDS).next_power_of_two();
        let shards = (0..SHARDS).map(|_| Mutex::new(vec![[Entry::default(); WAYS]; rows])).collect();
        Some(Self {
            hasher: RandomState::new(),
            began: Instant::now(),
            interval,
            tolerance: interval.saturating_mul(u64::from(rate.burst.max(1)) - 1),
            shards,
        })
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// How long to wait until there is one.
    pub fn take(&self, key: &impl Hash) -> Result<(), Duration> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: &impl Hash, at: Instant) -> Result<(), Duration> {
        // A time of 0 would be an empty place.
        let now = u64::try_from(at.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX / 2).max(1);
        // The hash is keyed by a random value, so nobody can choose addresses that share a row or a key.
        let hash = self.hasher.hash_one(key);
        let part = |bits: u64, among: usize| usize::try_from(bits).unwrap_or(0) & (among - 1);
        let Some(shard) = self.shards.get(part(hash >> 60, SHARDS)) else { return Ok(()) };
        let mut rows = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let row = part(hash & 0x0fff_ffff, rows.len());
        let Some(row) = rows.get_mut(row) else { return Ok(()) };
        let place = match row.iter().position(|entry| entry.key == hash && entry.full_at != 0) {
            Some(place) => place,
            // An empty one has 0 and one that is full again a time that has passed: both come first.
            None => row.iter().enumerate().min_by_key(|(_, entry)| entry.full_at).map_or(0, |(place, _)| place),
        };
        let Some(entry) = row.get_mut(place) else { return Ok(()) };
        let full_at = if entry.key == hash { entry.full_at.max(now) } else { now };
        let ahead = full_at - now;
        if ahead > self.tolerance {
            return Err(Duration::from_nanos(ahead - self.tolerance));
        }
        *entry = Entry { key: hash, full_at: full_at.saturating_add(self.interval) };
        Ok(())
    }

    /// Bytes that the table takes, now and for ever.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let rows = |shard: &Mutex<Vec<[Entry; WAYS]>>| shard.lock().unwrap_or_else(PoisonError::into_inner).capacity();
        self.shards.iter().map(rows).sum::<usize>() * size_of::<[Entry; WAYS]>()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn buckets(per_second: u32, burst: u32, keys: usize) -> Buckets {
        Buckets::new(Rate { per_second, burst }, keys).unwrap()
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let buckets = buckets(10, 5, 1000);
        let at = buckets.began;
        for _ in 0..5 {
            assert_eq!(buckets.take_at(&"a", at), Ok(()));
        }
        let wait = buckets.take_at(&"a", at).unwrap_err();
        assert!(wait > Duration::from_millis(90) && wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(buckets.take_at(&"b", at), Ok(()), "another key has its own bucket");
        let mut taken = 0;
        for millisecond in 0..1000 {
            taken += u32::from(buckets.take_at(&"a", at + Duration::from_millis(millisecond)).is_ok());
        }
        assert!((9..=10).contains(&taken), "{taken}");
        // A refusal costs nothing: after a pause all of the burst is there again.
        let later = at + Duration::from_secs(60);
        assert_eq!((0..10).filter(|_| buckets.take_at(&"a", later).is_ok()).count(), 5);
    }

    #[test]
    fn no_rate_is_no_bucket() {
        assert!(Buckets::new(Rate { per_second: 0, burst: 5 }, 10).is_none());
    }

    #[test]
    fn a_million_addresses_take_no_more_memory_and_free_nobody() {
        let buckets = buckets(1, 3, 1 << 16);
        let (before, at) = (buckets.bytes(), buckets.began);
        let flood = IpAddr::from([203, 0, 113, 9]);
        while buckets.take_at(&flood, at).is_ok() {}
        for number in 0..1_000_000_u32 {
            let address = IpAddr::V4(Ipv4Addr::from_bits(number | 0x0a00_0000));
            assert_eq!(buckets.take_at(&address, at), Ok(()), "its first request");
        }
        assert_eq!(buckets.bytes(), before);
        assert!(before <= 4 << 20, "{before}");
        assert!(buckets.take_at(&flood, at).is_err(), "who asked the most is not forgotten");
    }
}
