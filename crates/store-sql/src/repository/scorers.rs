use sealyard_store::model::ScorerVersion;
use sealyard_store::{Scorers, StoreError};

use super::convert::{Columns as _, not_found};
use super::experiments::found;
use crate::session::Session;
use crate::sql::Row;

const FROM: &str = "SELECT s.id, s.experiment, s.name, v.version, v.serialized, v.created
                    FROM scorers s JOIN scorer_versions v ON v.scorer = s.number";

/// How long they are, in place of the scorers themselves.
const SIZE: &str = "SELECT octet_length(v.serialized) FROM scorers s JOIN scorer_versions v ON v.scorer = s.number";
/// A list ends early when it holds so much.
const LIST_BYTES: u64 = 48 << 20;

/// How many of those that have these sizes are given together: at least the first.
fn fitting(sizes: &[u64]) -> i64 {
    let mut bytes = 0_u64;
    let fits = sizes.iter().take_while(|size| {
        bytes = bytes.saturating_add(**size);
        bytes <= LIST_BYTES
    });
    i64::try_from(fits.count().max(1)).unwrap_or(1)
}

impl Scorers for Session<'_> {
    fn register_scorer(
        &mut self,
        experiment_id: &str,
        name: &str,
        scorer_id: &str,
        serialized: &str,
        now: i64,
    ) -> Result<ScorerVersion, StoreError> {
        let experiment = self.active_experiment(experiment_id)?;
        self.execute(
            "INSERT INTO scorers (id, experiment, name) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (scorer_id, experiment, name),
        )?;
        let made: Option<(i64, i64)> = self.optional(
            "UPDATE scorers SET last_version = last_version + 1 WHERE experiment = ?1 AND name = ?2
             RETURNING number, last_version",
            (experiment, name),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let (number, version) = made.ok_or_else(|| not_found("scorer", name))?;
        self.execute(
            "INSERT INTO scorer_versions (scorer, version, serialized, created) VALUES (?1, ?2, ?3, ?4)",
            (number, version, serialized, now),
        )?;
        let version = u32::try_from(version).map_err(|_| StoreError::Invalid("too many versions".to_owned()))?;
        self.scorer(experiment_id, name, Some(version))?.ok_or_else(|| not_found("scorer", name))
    }

    fn size_of_scorers(&mut self, experiment_id: &str) -> Result<u64, StoreError> {
        let experiment = self.experiment_key(experiment_id)?;
        let size: Option<u64> = self.optional(
            "SELECT coalesce(sum(octet_length(v.serialized)), 0)
             FROM scorers s JOIN scorer_versions v ON v.scorer = s.number WHERE s.experiment = ?1",
            [experiment],
            |row| row.unsigned(0),
        )?;
        Ok(size.unwrap_or(0))
    }

    fn scorers(&mut self, experiment_id: &str, limit: u32) -> Result<Vec<ScorerVersion>, StoreError> {
        let Some(experiment) = found(self.experiment_key(experiment_id))? else { return Ok(Vec::new()) };
        let newest = "s.experiment = ?1
             AND v.version = (SELECT max(w.version) FROM scorer_versions w WHERE w.scorer = s.number) ORDER BY s.name";
        let sizes = self.all(&format!("{SIZE} WHERE {newest} LIMIT ?2"), (experiment, limit), |row| row.unsigned(0))?;
        self.all(&format!("{FROM} WHERE {newest} LIMIT ?2"), (experiment, fitting(&sizes)), read)
    }

    fn scorer_versions(
        &mut self,
        experiment_id: &str,
        name: &str,
        limit: u32,
    ) -> Result<Vec<ScorerVersion>, StoreError> {
        let Some(experiment) = found(self.experiment_key(experiment_id))? else { return Ok(Vec::new()) };
        let of_one = "s.experiment = ?1 AND s.name = ?2 ORDER BY v.version LIMIT ?3";
        let sizes = self.all(&format!("{SIZE} WHERE {of_one}"), (experiment, name, limit), |row| row.unsigned(0))?;
        self.all(&format!("{FROM} WHERE {of_one}"), (experiment, name, fitting(&sizes)), read)
    }

    fn scorer(
        &mut self,
        experiment_id: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<ScorerVersion>, StoreError> {
        let Some(experiment) = found(self.experiment_key(experiment_id))? else { return Ok(None) };
        match version {
            Some(version) => self.optional(
                &format!("{FROM} WHERE s.experiment = ?1 AND s.name = ?2 AND v.version = ?3"),
                (experiment, name, i64::from(version)),
                read,
            ),
            None => self.optional(
                &format!("{FROM} WHERE s.experiment = ?1 AND s.name = ?2 ORDER BY v.version DESC LIMIT 1"),
                (experiment, name),
                read,
            ),
        }
    }

    fn delete_scorer(&mut self, experiment_id: &str, name: &str, version: Option<u32>) -> Result<u64, StoreError> {
        let Some(experiment) = found(self.experiment_key(experiment_id))? else { return Ok(0) };
        let number: Option<i64> = self.optional(
            "SELECT number FROM scorers WHERE experiment = ?1 AND name = ?2",
            (experiment, name),
            |row| row.get(0),
        )?;
        let Some(number) = number else { return Ok(0) };
        let deleted = match version {
            Some(version) => self.execute(
                "DELETE FROM scorer_versions WHERE scorer = ?1 AND version = ?2",
                (number, i64::from(version)),
            )?,
            None => {
                let deleted = self.execute("DELETE FROM scorer_versions WHERE scorer = ?1", [number])?;
                self.execute("DELETE FROM scorers WHERE number = ?1", [number])?;
                deleted
            }
        };
        Ok(deleted as u64)
    }
}

fn read(row: &Row<'_>) -> Result<ScorerVersion, StoreError> {
    Ok(ScorerVersion {
        scorer_id: row.get(0)?,
        experiment_id: row.get::<i64>(1)?.to_string(),
        name: row.get(2)?,
        version: row.get(3)?,
        serialized: row.get(4)?,
        created: row.get(5)?,
    })
}
