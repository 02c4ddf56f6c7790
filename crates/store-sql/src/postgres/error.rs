use sealyard_core::with_causes;
use sealyard_store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::value::Mismatch;
use crate::error::backend;

/// What an error of the driver means to the one who asked.
pub(crate) fn store_error(error: Error) -> StoreError {
    if is_lost(&error) {
        tracing::warn!(error = %with_causes(&error), "the catalog's database is away");
        return StoreError::Unavailable;
    }
    if let Some(mismatch) = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Mismatch>()) {
        return StoreError::Invalid(mismatch.to_string());
    }
    match error.code() {
        Some(code) if *code == SqlState::QUERY_CANCELED => StoreError::TooLong,
        // An index entry of a key that is too long.
        Some(code) if *code == SqlState::PROGRAM_LIMIT_EXCEEDED => {
            StoreError::Invalid("a text is too long for the database's index".to_owned())
        }
        // A value that PostgreSQL can't make anything of, such as an escaped NUL character in a list.
        Some(code) if code.code().starts_with("22") => {
            tracing::warn!(error = %with_causes(&error), "the catalog's database refuses a value");
            StoreError::Invalid("a value is not one that the database can hold".to_owned())
        }
        Some(code) if is_momentary(code) => {
            tracing::warn!(error = %with_causes(&error), "the catalog's database asks to try again");
            StoreError::Unavailable
        }
        _ => backend(error),
    }
}

/// Whether the connection is of no use any more.
pub(crate) fn is_lost(error: &Error) -> bool {
    let ended = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    match error.code() {
        Some(code) => ended.contains(code) || code.code().starts_with("08"),
        None => error.is_closed() || has_io(error),
    }
}

/// Whether the same again may go well.
fn is_momentary(code: &SqlState) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::TOO_MANY_CONNECTIONS,
    ]
    .contains(code)
}

fn has_io(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = cause {
        if current.is::<std::io::Error>() {
            return true;
        }
        cause = current.source();
    }
    false
}
