use sealyard_store::import::SourceExperiment;
use sealyard_store::{Import, StoreError};

use super::convert::already_exists;
use super::pairs::EXPERIMENT_TAGS;
use crate::session::Session;
use crate::sql::Dialect;

impl Import for Session<'_> {
    fn import_experiment(&mut self, experiment: &SourceExperiment) -> Result<(), StoreError> {
        if experiment.id < 0 {
            return Err(StoreError::Invalid(format!("{} is no id of an experiment", experiment.id)));
        }
        let taken = "SELECT 1 FROM experiments WHERE number <> ?2 AND key = ?1 AND workspace = ?3
            UNION ALL SELECT 1 FROM experiments WHERE number = ?2 AND workspace <> ?3";
        if self.exists(taken, (self.key_of(&experiment.name), experiment.id, self.workspace()))? {
            return Err(already_exists("experiment", &experiment.name));
        }
        self.execute(
            "INSERT INTO experiments (number, key, name, workspace, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (number) DO UPDATE SET key = excluded.key, name = excluded.name, created = excluded.created,
                 updated = excluded.updated",
            (
                experiment.id,
                self.key_of(&experiment.name),
                &experiment.name,
                self.workspace(),
                experiment.created.as_millis(),
                experiment.updated.as_millis(),
            ),
        )?;
        if self.dialect() == Dialect::Postgres {
            // SQLite does so by itself: the next number is above all that ever were.
            self.optional(
                "/* all workspaces */ SELECT setval(pg_get_serial_sequence('experiments', 'number'), GREATEST(?1, (SELECT max(number) FROM experiments), 1))",
                [experiment.id],
                |_| Ok(()),
            )?;
        }
        self.put_pairs(EXPERIMENT_TAGS, experiment.id, &experiment.tags)
    }

    fn reserve_versions(&mut self, name: &str, last: u32) -> Result<(), StoreError> {
        let number = self.registered_model_key(name)?;
        self.execute(
            "UPDATE registered_models SET last_version = ?2 WHERE number = ?1 AND last_version < ?2",
            (number, last),
        )?;
        Ok(())
    }

    fn holds_nothing(&mut self) -> Result<bool, StoreError> {
        let anything = "/* all workspaces */ SELECT 1 FROM experiments WHERE number <> 0 UNION ALL SELECT 1 FROM runs
            UNION ALL SELECT 1 FROM logged_models UNION ALL SELECT 1 FROM registered_models LIMIT 1";
        Ok(!self.exists(anything, [])?)
    }
}
