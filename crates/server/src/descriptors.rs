//! How many descriptors this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is kept for files, the catalog, the vault and calls to elsewhere.
const RESERVED: u64 = 128;
/// Connections are worth trying, however low the limit is.
const FEWEST: u64 = 16;

/// Raises the limit as far as this process may, and gives the limit that holds then; `None` without one.
///
/// The usual limit of 1024 is there for programs that use `select`, which this one does not.
pub(crate) fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
    getrlimit(Resource::Nofile).current
}

/// How many of `wanted` connections there can be under that limit.
pub(crate) fn places(wanted: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return wanted };
    let places = limit.saturating_sub(RESERVED).max(FEWEST);
    usize::try_from(places).map_or(wanted, |places| places.min(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        let limit = getrlimit(Resource::Nofile);
        // By one only: other tests of this process open files meanwhile.
        let hard = limit.maximum.unwrap_or(1 << 20);
        setrlimit(Resource::Nofile, Rlimit { current: Some(hard - 1), maximum: limit.maximum }).unwrap();
        assert_eq!(raise(), limit.maximum);
    }

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(places(4096, None), 4096);
        assert_eq!(places(4096, Some(1 << 20)), 4096);
        assert_eq!(places(4096, Some(1024)), 896);
        assert_eq!(places(4096, Some(100)), 16);
        assert_eq!(places(8, Some(100)), 8);
    }
}
