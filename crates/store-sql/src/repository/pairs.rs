use sealyard_store::StoreError;
use sealyard_store::model::Pair;

use super::runs::RunKey;
use crate::session::Session;

/// A table of keys and values that belong to a row of another table.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairTable {
    table: &'static str,
    owner: &'static str,
    read: &'static str,
    replace: &'static str,
    delete: &'static str,
}

macro_rules! pair_table {
    ($name:ident, $table:literal, $owner:literal) => {
        pair_table!($name, $table, $owner, "", "");
    };
    ($name:ident, $table:literal, $owner:literal, $columns:literal, $values:literal) => {
        pub(super) const $name: PairTable = PairTable {
            table: $table,
            owner: $owner,
            read: concat!("SELECT key, value FROM ", $table, " WHERE ", $owner, " = ?1 ORDER BY key"),
            replace: concat!(
                "INSERT INTO ",
                $table,
                " (",
                $owner,
                ", key, value",
                $columns,
                ") VALUES (?1, ?2, ?3",
                $values,
                ") ON CONFLICT (",
                $owner,
                ", key) DO UPDATE SET value = excluded.value"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE ", $owner, " = ?1 AND key = ?2"),
        };
    };
}

pair_table!(EXPERIMENT_TAGS, "experiment_tags", "experiment");
// These carry what a search narrows and sorts runs by.
pair_table!(RUN_TAGS, "run_tags", "run", ", experiment, started", ", ?4, ?5");
pair_table!(RUN_PARAMS, "run_params", "run", ", experiment, started", ", ?4, ?5");
pair_table!(LOGGED_MODEL_TAGS, "logged_model_tags", "model");
pair_table!(LOGGED_MODEL_PARAMS, "logged_model_params", "model");
pair_table!(REGISTERED_MODEL_TAGS, "registered_model_tags", "model");
pair_table!(MODEL_VERSION_TAGS, "model_version_tags", "version");
pair_table!(TRACE_TAGS, "trace_tags", "trace");
pair_table!(TRACE_METADATA, "trace_metadata", "trace");
pair_table!(EVALUATION_DATASET_TAGS, "evaluation_dataset_tags", "dataset");

impl Session<'_> {
    pub(super) fn pairs(&self, table: PairTable, owner: i64) -> Result<Vec<Pair>, StoreError> {
        self.all(table.read, [owner], |row| Ok(Pair { key: row.get(0)?, value: row.get(1)? }))
    }

    /// The pairs of all `owners`, each with its owner, by owner and key.
    pub(super) fn pairs_of(&self, table: PairTable, owners: &[i64]) -> Result<Vec<(i64, Pair)>, StoreError> {
        let PairTable { table, owner, .. } = table;
        self.all_of(
            owners,
            |among| format!("SELECT {owner}, key, value FROM {table} WHERE {owner} {among} ORDER BY {owner}, key"),
            |row| Ok((row.get(0)?, Pair { key: row.get(1)?, value: row.get(2)? })),
        )
    }

    /// Writes the pairs; the value of a key that is there is replaced.
    pub(super) fn put_pairs(&self, table: PairTable, owner: i64, pairs: &[Pair]) -> Result<(), StoreError> {
        let rows = pairs.iter().map(|Pair { key, value }| (owner, key, value));
        self.upsert_many(table.replace, rows, |(_, key, _)| key.as_str(), |_, _| true)?;
        Ok(())
    }

    /// The same for a run.
    pub(super) fn put_pairs_of_run(&self, table: PairTable, run: RunKey, pairs: &[Pair]) -> Result<(), StoreError> {
        let RunKey { number, experiment, started } = run;
        let rows = pairs.iter().map(|Pair { key, value }| (number, key, value, experiment, started));
        self.upsert_many(table.replace, rows, |row| row.1.as_str(), |_, _| true)?;
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
