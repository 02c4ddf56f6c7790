//! What is destroyed shall be gone from the files of a SQLite catalog, too.
//!
//! `secure_delete` clears pages as they are written back, but what a page was before stays in the write-ahead log until that is
//! written over. So the writer empties the log after work that says that it destroyed something.

use std::cell::Cell;

thread_local! {
    static DESTROYED: Cell<bool> = const { Cell::new(false) };
}

/// The work on this thread destroys something that must not stay in any file.
pub(crate) fn note() {
    DESTROYED.set(true);
}

/// Whether work on this thread did since this was asked the last time.
pub(crate) fn take() -> bool {
    DESTROYED.take()
}
