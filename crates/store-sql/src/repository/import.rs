use sealyard_store::import::SourceExperiment;
use sealyard_store::model::{ImportRefusal, ScorerVersion, Span};
use sealyard_store::{Import, StoreError};

use super::convert::{Columns as _, already_exists};
use super::pairs::EXPERIMENT_TAGS;
use crate::seals::REGISTERED_MODELS;
use crate::session::Session;
use crate::sql::{Dialect, ToValue as _};

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
        if self.exists("SELECT 1 FROM registered_models WHERE number = ?1 AND last_version < ?2", (number, last))? {
            self.change(&REGISTERED_MODELS, [number], &[("last_version", last.to_value())])?;
        }
        Ok(())
    }

    fn import_spans(&mut self, trace_id: &str, spans: &[Span]) -> Result<(), StoreError> {
        self.put_imported_spans(trace_id, spans)
    }

    fn span_content(&mut self, trace_id: &str, span_id: &str) -> Result<Option<String>, StoreError> {
        let number = self.trace_key(trace_id)?;
        self.optional("SELECT content FROM spans WHERE trace = ?1 AND id = ?2", (number, span_id), |row| row.get(0))
    }

    fn links_of_trace(&mut self, trace_id: &str) -> Result<(Vec<String>, Vec<String>), StoreError> {
        let number = self.trace_key(trace_id)?;
        let runs = "SELECT run_id FROM trace_runs WHERE trace_id = ?1";
        let prompts = "SELECT prompt FROM trace_prompts WHERE trace = ?1";
        let mut runs: Vec<String> = self.all(runs, [trace_id], |row| row.get(0))?;
        let mut prompts: Vec<String> = self.all(prompts, [number], |row| row.get(0))?;
        runs.sort_unstable();
        prompts.sort_unstable();
        Ok((runs, prompts))
    }

    fn import_scorer(&mut self, scorer: &ScorerVersion) -> Result<(), StoreError> {
        let experiment = self.active_experiment(&scorer.experiment_id)?;
        self.execute(
            "INSERT INTO scorers (id, experiment, name) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (&scorer.scorer_id, experiment, &scorer.name),
        )?;
        let number: Option<i64> = self.optional(
            "UPDATE scorers SET last_version = CASE WHEN last_version < ?4 THEN ?4 ELSE last_version END
             WHERE experiment = ?1 AND name = ?2 AND id = ?3 RETURNING number",
            (experiment, &scorer.name, &scorer.scorer_id, i64::from(scorer.version)),
            |row| row.get(0),
        )?;
        // Its name or its id is another one's.
        let number = number.ok_or_else(|| already_exists("scorer", &scorer.name))?;
        self.execute(
            "INSERT INTO scorer_versions (scorer, version, serialized, created) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            (number, i64::from(scorer.version), &scorer.serialized, scorer.created),
        )?;
        Ok(())
    }

    fn add_import_refusal(&mut self, refusal: &ImportRefusal) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO import_refusals (what, rule, reason) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (&refusal.what, &refusal.rule, &refusal.reason),
        )?;
        Ok(())
    }

    fn is_import_refused(&mut self, what: &str) -> Result<bool, StoreError> {
        self.exists("SELECT 1 FROM import_refusals WHERE what = ?1", [what])
    }

    fn count_import_refusals(&mut self) -> Result<u64, StoreError> {
        let count = self.optional("SELECT count(*) FROM import_refusals", [], |row| row.unsigned(0))?;
        Ok(count.unwrap_or(0))
    }

    fn import_refusals(&mut self, limit: u32) -> Result<Vec<ImportRefusal>, StoreError> {
        self.all("SELECT what, rule, reason FROM import_refusals ORDER BY number LIMIT ?1", [i64::from(limit)], |row| {
            Ok(ImportRefusal { what: row.get(0)?, rule: row.get(1)?, reason: row.get(2)? })
        })
    }

    fn holds_nothing(&mut self) -> Result<bool, StoreError> {
        let anything = "/* all workspaces */ SELECT 1 FROM experiments WHERE number <> 0 UNION ALL SELECT 1 FROM runs
            UNION ALL SELECT 1 FROM logged_models UNION ALL SELECT 1 FROM registered_models UNION ALL SELECT 1 FROM traces
            UNION ALL SELECT 1 FROM evaluation_datasets UNION ALL SELECT 1 FROM scorers UNION ALL SELECT 1 FROM issues
            UNION ALL SELECT 1 FROM webhooks LIMIT 1";
        Ok(!self.exists(anything, [])?)
    }
}
