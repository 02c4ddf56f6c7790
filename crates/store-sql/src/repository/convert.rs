use sealyard_core::{Digest, Timestamp, TreePath, Verdict};
use sealyard_store::StoreError;

use crate::error::corrupt;
use crate::sql::Row;

/// The key of an experiment whose id is `id`: a decimal number in its one spelling.
pub(super) fn experiment_number(id: &str) -> Option<i64> {
    let number: i64 = id.parse().ok()?;
    (number >= 0 && number.to_string() == id).then_some(number)
}

pub(super) fn not_found(kind: &'static str, id: impl Into<String>) -> StoreError {
    StoreError::NotFound { kind, id: id.into() }
}

pub(super) fn already_exists(kind: &'static str, id: impl Into<String>) -> StoreError {
    StoreError::AlreadyExists { kind, id: id.into() }
}

/// A row count or size as the database holds it.
pub(super) fn integer(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Invalid(format!("{value} is too large")))
}

/// Reads the columns that have a type of their own.
pub(crate) trait Columns {
    fn timestamp(&self, index: usize) -> Result<Timestamp, StoreError>;
    fn optional_timestamp(&self, index: usize) -> Result<Option<Timestamp>, StoreError>;
    fn digest(&self, index: usize) -> Result<Digest, StoreError>;
    fn optional_digest(&self, index: usize) -> Result<Option<Digest>, StoreError>;
    fn unsigned(&self, index: usize) -> Result<u64, StoreError>;
    fn verdict(&self, index: usize) -> Result<Verdict, StoreError>;
    fn tree_path(&self, index: usize) -> Result<TreePath, StoreError>;
    fn named<T>(&self, index: usize, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError>;
}

impl Columns for Row<'_> {
    fn timestamp(&self, index: usize) -> Result<Timestamp, StoreError> {
        self.get(index).map(Timestamp::from_millis)
    }

    fn optional_timestamp(&self, index: usize) -> Result<Option<Timestamp>, StoreError> {
        self.get::<Option<i64>>(index).map(|time| time.map(Timestamp::from_millis))
    }

    fn digest(&self, index: usize) -> Result<Digest, StoreError> {
        self.get(index).map(Digest::from_bytes)
    }

    fn optional_digest(&self, index: usize) -> Result<Option<Digest>, StoreError> {
        self.get::<Option<[u8; 32]>>(index).map(|bytes| bytes.map(Digest::from_bytes))
    }

    fn unsigned(&self, index: usize) -> Result<u64, StoreError> {
        self.get(index)
    }

    fn verdict(&self, index: usize) -> Result<Verdict, StoreError> {
        self.named(index, |text| {
            [Verdict::Safe, Verdict::NotAssessed, Verdict::Suspicious, Verdict::Unsafe]
                .into_iter()
                .find(|verdict| verdict.to_string() == text)
        })
    }

    fn tree_path(&self, index: usize) -> Result<TreePath, StoreError> {
        self.named(index, |text| TreePath::new(text).ok())
    }

    fn named<T>(&self, index: usize, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(self.text(index)?).ok_or_else(|| corrupt("column with names of its own"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_has_one_spelling() {
        assert_eq!(experiment_number("0"), Some(0));
        assert_eq!(experiment_number("17"), Some(17));
        for other in ["", "00", "017", "+1", "-1", "1 ", "0x1", "99999999999999999999"] {
            assert_eq!(experiment_number(other), None, "{other}");
        }
    }
}
