use sealyard_store::StoreError;
use sealyard_store::model::Pair;

use crate::session::Session;

/// A table of keys and values that belong to a row of another table.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairTable {
    read: &'static str,
    replace: &'static str,
    delete: &'static str,
}

macro_rules! pair_table {
    ($name:ident, $table:literal, $owner:literal) => {
        pub(super) const $name: PairTable = PairTable {
            read: concat!("SELECT key, value FROM ", $table, " WHERE ", $owner, " = ?1 ORDER BY key"),
            replace: concat!(
                "INSERT INTO ",
                $table,
                " (",
                $owner,
                ", key, value) VALUES (?1, ?2, ?3) ON CONFLICT (",
                $owner,
                ", key) DO UPDATE SET value = excluded.value"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE ", $owner, " = ?1 AND key = ?2"),
        };
    };
}

pair_table!(EXPERIMENT_TAGS, "experiment_tags", "experiment");
pair_table!(RUN_TAGS, "run_tags", "run");
pair_table!(RUN_PARAMS, "run_params", "run");
pair_table!(LOGGED_MODEL_TAGS, "logged_model_tags", "model");
pair_table!(LOGGED_MODEL_PARAMS, "logged_model_params", "model");
pair_table!(REGISTERED_MODEL_TAGS, "registered_model_tags", "model");
pair_table!(MODEL_VERSION_TAGS, "model_version_tags", "version");

impl Session<'_> {
    pub(super) fn pairs(&self, table: PairTable, owner: i64) -> Result<Vec<Pair>, StoreError> {
        self.all(table.read, [owner], |row| Ok(Pair { key: row.get(0)?, value: row.get(1)? }))
    }

    /// Writes the pairs; the value of a key that is there is replaced.
    pub(super) fn put_pairs(&self, table: PairTable, owner: i64, pairs: &[Pair]) -> Result<(), StoreError> {
        let rows = pairs.iter().map(|Pair { key, value }| (owner, key, value));
        self.upsert_many(table.replace, rows, |(_, key, _)| key.as_str(), |_, _| true)?;
        Ok(())
    }

    /// Removes one pair; its absence is `NotFound`.
    pub(super) fn delete_pair(&self, table: PairTable, owner: i64, key: &str) -> Result<(), StoreError> {
        match self.execute(table.delete, (owner, key))? {
            0 => Err(super::convert::not_found("tag", key)),
            _ => Ok(()),
        }
    }
}
