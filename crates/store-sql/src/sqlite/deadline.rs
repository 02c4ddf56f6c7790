//! By when the work of this thread must be done.
//!
//! SQLite looks at the time between steps of its machine only. A function of ours is one step, however long the text that it is
//! given, so it must look by itself.

use std::cell::Cell;
use std::time::Instant;

use rusqlite::ffi;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Sets or takes away the deadline of this thread's work.
pub(crate) fn set(deadline: Option<Instant>) {
    DEADLINE.set(deadline);
}

/// Whether this thread's work has taken too long.
pub(crate) fn passed() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() >= deadline)
}

/// Fails once the deadline has passed.
pub(crate) fn check() -> rusqlite::Result<()> {
    if passed() { Err(too_long()) } else { Ok(()) }
}

/// What a function fails with so that its statement ends like one that was interrupted.
pub(crate) fn too_long() -> rusqlite::Error {
    // A message would make SQLite forget the code.
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)
}
