use sealyard_store::StoreError;

/// A failure of the database, passed on whole.
pub(crate) fn backend(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    let error = error.into();
    let sqlite = error.downcast_ref::<rusqlite::Error>();
    let interrupted = sqlite
        .and_then(rusqlite::Error::sqlite_error_code)
        .is_some_and(|code| code == rusqlite::ErrorCode::OperationInterrupted);
    if interrupted {
        StoreError::TooLong
    } else if sqlite.is_some_and(is_full) {
        StoreError::Full
    } else {
        StoreError::Backend(error)
    }
}

/// Whether a disk without room is behind it. SQLite says so by several codes, by what it wanted to make larger.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    error.sqlite_error().is_some_and(|error| {
        let extended =
            [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_SHMMAP];
        error.code == rusqlite::ErrorCode::DiskFull || extended.contains(&error.extended_code)
    })
}

/// A stored value that no release wrote.
pub(crate) fn corrupt(what: &'static str) -> StoreError {
    backend(CorruptRow(what))
}

#[derive(Debug, thiserror::Error)]
#[error("a stored {0} can't be read; the database was changed by something else")]
struct CorruptRow(&'static str);

/// Gives database errors as [`StoreError::Backend`].
pub(crate) trait OrBackend<T> {
    fn or_backend(self) -> Result<T, StoreError>;
}

impl<T> OrBackend<T> for rusqlite::Result<T> {
    fn or_backend(self) -> Result<T, StoreError> {
        self.map_err(backend)
    }
}
