use std::collections::BTreeMap;

use sealyard_store::StoreError;
use sealyard_store::import::{SourceRegisteredModel, SourceVersion};
use sealyard_store::model::Pair;

use super::database::{Cell, Cells};
use super::source::MlflowSource;
use super::tracking::time;

type Result<T> = std::result::Result<T, StoreError>;

fn version(row: &Cells, index: usize) -> Result<u32> {
    let number = row.integer(index)?;
    let invalid = || StoreError::Invalid(format!("the source has a version with the number {number}"));
    u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(invalid)
}

impl MlflowSource {
    pub(super) fn read_registered_models(&mut self, after: &str, limit: u32) -> Result<Vec<SourceRegisteredModel>> {
        let rows = self.database.rows(
            "SELECT name, description, CAST(creation_time AS BIGINT), CAST(last_updated_time AS BIGINT) FROM registered_models
             WHERE name > ?1 ORDER BY name LIMIT ?2",
            &[after.into(), i64::from(limit).into()],
        )?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<Cell> = rows.iter().map(|row| row.text(0).map(Cell::Text)).collect::<Result<_>>()?;
        let mut tags = self.pairs_of("registered_model_tags", "name", ("key", "value"), &names)?;
        rows.iter()
            .map(|row| {
                let name = row.text(0)?;
                let aliases = self.database.rows(
                    "SELECT alias, CAST(version AS BIGINT) FROM registered_model_aliases WHERE name = ?1 ORDER BY alias",
                    &[name.as_str().into()],
                )?;
                Ok(SourceRegisteredModel {
                    description: row.text(1)?,
                    created: time(row, 2)?,
                    updated: time(row, if row.optional_integer(3)?.is_some() { 3 } else { 2 })?,
                    tags: tags.remove(&name).unwrap_or_default(),
                    aliases: aliases.iter().map(|row| Ok((row.text(0)?, version(row, 1)?))).collect::<Result<_>>()?,
                    name,
                })
            })
            .collect()
    }

    pub(super) fn read_versions(&mut self, name: &str) -> Result<Vec<SourceVersion>> {
        let mut tags: BTreeMap<i64, Vec<Pair>> = BTreeMap::new();
        let rows = self.database.rows(
            "SELECT CAST(version AS BIGINT), key, value FROM model_version_tags WHERE name = ?1 ORDER BY version, key",
            &[name.into()],
        )?;
        for row in &rows {
            tags.entry(row.integer(0)?).or_default().push(Pair::new(row.text(1)?, row.text(2)?));
        }
        let rows = self.database.rows(
            "SELECT CAST(version AS BIGINT), description, user_id, source, storage_location, run_id, status, current_stage,
                 CAST(creation_time AS BIGINT), CAST(last_updated_time AS BIGINT)
             FROM model_versions WHERE name = ?1 ORDER BY version",
            &[name.into()],
        )?;
        let mut versions = Vec::new();
        for row in &rows {
            versions.push(SourceVersion {
                version: version(row, 0)?,
                description: row.text(1)?,
                user: row.text(2)?,
                source: row.text(3)?,
                storage: row.optional_text(4)?,
                run_id: row.optional_text(5)?.filter(|id| !id.is_empty()),
                status: row.text(6)?,
                stage: row.text(7)?,
                created: time(row, 8)?,
                updated: time(row, if row.optional_integer(9)?.is_some() { 9 } else { 8 })?,
                tags: tags.remove(&row.integer(0)?).unwrap_or_default(),
            });
        }
        Ok(versions)
    }
}
