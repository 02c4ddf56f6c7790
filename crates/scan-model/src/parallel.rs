use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sealyard_scan::SubjectReport;

/// Threads that look at files. Each may hold a file's content and what it expands to.
const THREADS: usize = 2;

/// What `look` gives for each number below `count`, in order; none where it did not come to an end.
pub(crate) fn each<T: Send>(count: usize, look: impl Fn(usize) -> T + Sync) -> Vec<Option<T>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, look(index)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS).min(count);
    let done: Vec<Vec<(usize, T)>> = if threads < 2 {
        vec![work()]
    } else {
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut done = vec![work()];
            // What a thread that panicked had done is lost, and shows as not done.
            done.extend(others.into_iter().filter_map(|other| other.join().ok()));
            done
        })
    };
    let mut results: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for (index, result) in done.into_iter().flatten() {
        if let Some(place) = results.get_mut(index) {
            *place = Some(result);
        }
    }
    results
}

/// The report on a file that a thread did not come to an end with.
pub(crate) fn failed(path: &str) -> SubjectReport {
    SubjectReport::unread(path, "unknown", "looking at it failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_once_and_in_order() {
        for count in [0, 1, 2, 1000] {
            let results = each(count, |index| index * 2);
            assert!(results.iter().enumerate().all(|(index, result)| *result == Some(index * 2)), "{count}");
            assert_eq!(results.len(), count);
        }
    }

    #[test]
    fn two_threads_work_at_once() {
        if thread::available_parallelism().map_or(1, usize::from) < 2 {
            return;
        }
        // Each waits for the other: alone none would come to an end.
        let both = std::sync::Barrier::new(2);
        assert_eq!(each(2, |_| both.wait()).len(), 2);
    }
}
