use sealyard_store::StoreError;

/// A failure of the database, passed on whole.
pub(crate) fn backend(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    let error = error.into();
    let interrupted = error
        .downcast_ref::<rusqlite::Error>()
        .and_then(rusqlite::Error::sqlite_error_code)
        .is_some_and(|code| code == rusqlite::ErrorCode::OperationInterrupted);
    if interrupted { StoreError::TooLong } else { StoreError::Backend(error) }
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
