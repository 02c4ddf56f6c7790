//! A vault that encrypts nothing, for `dev/bench/vault.py` alone: what it is compared with must be the same server on the same path.
//!
//! Only a build with the feature `bench-plain` has this, which nothing that is given to users is built with; and it does it only
//! when [`VARIABLE`] is set too, so that one binary serves both sides.

use std::sync::LazyLock;

/// Set to 1, chunks are neither encrypted nor authenticated.
const VARIABLE: &str = "SEALYARD_BENCH_PLAIN";

static ON: LazyLock<bool> = LazyLock::new(|| {
    let on = std::env::var_os(VARIABLE).is_some_and(|value| value == "1");
    if on {
        tracing::error!("this build is for benchmarks, and encrypts NOTHING because {VARIABLE} is set");
    }
    on
});

pub(crate) fn is_on() -> bool {
    *ON
}
