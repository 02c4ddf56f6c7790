use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// How many of something each key has at once, so that no one takes all places.
pub struct Crowd<K> {
    most: usize,
    held: Mutex<HashMap<K, usize>>,
}

impl<K> fmt::Debug for Crowd<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowd").field("most", &self.most).finish_non_exhaustive()
    }
}

impl<K: Eq + Hash + Clone> Crowd<K> {
    /// Each key may have `most` at once.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// Counts one more until what is given back is dropped; `None` if the key has as many as it may. What is kept is as long
    /// as the list of those who have a place now.
    pub fn admit(self: &Arc<Self>, key: K) -> Option<Place<K>> {
        self.admit_up_to(usize::MAX, key)
    }

    /// The same where at the moment no key may have more than `share`.
    pub fn admit_up_to(self: &Arc<Self>, share: usize, key: K) -> Option<Place<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&key).copied().unwrap_or_default();
        if count >= self.most.min(share) {
            return None;
        }
        held.insert(key.clone(), count + 1);
        Some(Place { crowd: Arc::clone(self), key })
    }
}

/// One place of a key.
#[derive(Debug)]
pub struct Place<K: Eq + Hash + Clone> {
    crowd: Arc<Crowd<K>>,
    key: K,
}

impl<K: Eq + Hash + Clone> Drop for Place<K> {
    fn drop(&mut self) {
        let mut held = self.crowd.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_places() {
        let crowd = Crowd::new(1);
        let held = crowd.admit("a").unwrap();
        assert!(crowd.admit("a").is_none());
        assert!(crowd.admit("b").is_some());
        drop(held);
        assert!(crowd.held.lock().unwrap().is_empty());
        assert!(crowd.admit("a").is_some());
        let crowd = Crowd::new(3);
        let held = [crowd.admit_up_to(2, "a").unwrap(), crowd.admit_up_to(2, "a").unwrap()];
        assert!(crowd.admit_up_to(2, "a").is_none() && crowd.admit("a").is_some());
        drop(held);
        // One that was refused leaves nothing behind.
        let none = Crowd::new(0);
        assert!(none.admit("a").is_none() && none.held.lock().unwrap().is_empty());
    }
}
