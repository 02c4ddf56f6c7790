use std::collections::BTreeMap;

use sealyard_store::StoreError;
use sealyard_store::import::{SourceDataset, SourceIssue, SourceScorer};
use sealyard_store::model::{DatasetRecord, EvaluationDataset};

use super::database::Cell;
use super::source::MlflowSource;
use super::traces::{bounded, sized, too_large};
use super::tracking::{list, time};

type Result<T> = std::result::Result<T, StoreError>;

/// Bytes of a text that is given whole or not at all.
const MOST_BYTES: u32 = 1024 * 1024;

impl MlflowSource {
    pub(super) fn read_datasets(&mut self, after: &str, limit: u32) -> Result<Vec<SourceDataset>> {
        if !self.has("evaluation_datasets") {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT dataset_id, name, {}, {}, digest, CAST(created_time AS BIGINT), CAST(last_update_time AS BIGINT),
                 created_by, last_updated_by, {}
             FROM evaluation_datasets WHERE dataset_id > ?1 ORDER BY dataset_id LIMIT ?2",
            bounded("schema", MOST_BYTES),
            bounded("profile", MOST_BYTES),
            too_large(&["schema", "profile"], MOST_BYTES)
        );
        let rows = self.database.rows(&sql, &[after.into(), i64::from(limit).into()])?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Cell> = rows.iter().map(|row| row.text(0).map(Cell::Text)).collect::<Result<_>>()?;
        let mut tags = self.pairs_of("evaluation_dataset_tags", "dataset_id", ("key", "value"), &ids)?;
        let mut experiments = self.experiments_of_datasets(&ids)?;
        rows.iter()
            .map(|row| {
                let id = row.text(0)?;
                let too_large = row.integer(9)? != 0;
                let dataset = EvaluationDataset {
                    name: row.text(1)?,
                    schema: row.optional_text(2)?,
                    profile: row.optional_text(3)?,
                    digest: row.text(4)?,
                    created: row.integer(5)?,
                    updated: row.integer(6)?,
                    created_by: row.optional_text(7)?,
                    updated_by: row.optional_text(8)?,
                    owner: String::new(),
                    tags: tags.remove(&id).unwrap_or_default(),
                    experiment_ids: experiments.remove(&id).unwrap_or_default(),
                    id,
                };
                Ok(SourceDataset { dataset, too_large })
            })
            .collect()
    }

    /// The association is read in both directions, as MLflow does.
    fn experiments_of_datasets(&mut self, ids: &[Cell]) -> Result<BTreeMap<String, Vec<String>>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if !self.has("entity_associations") {
            return Ok(found);
        }
        for (dataset, experiment) in [("source", "destination"), ("destination", "source")] {
            let sql = format!(
                "SELECT {dataset}_id, substr({experiment}_id, 1, 40) FROM entity_associations
                 WHERE {dataset}_type = 'evaluation_dataset' AND {experiment}_type = 'experiment' AND {dataset}_id IN {}
                 ORDER BY 1, 2 LIMIT 100000",
                list(ids.len())
            );
            for row in self.database.rows(&sql, ids)? {
                let experiments = found.entry(row.text(0)?).or_default();
                let id = row.text(1)?;
                if !experiments.contains(&id) {
                    experiments.push(id);
                }
            }
        }
        Ok(found)
    }

    /// The columns of a record that are JSON.
    fn json_of_records(&mut self) -> Result<[String; 5]> {
        let outputs = self.has_column("evaluation_dataset_records", "outputs")?;
        let text = |column: &str| format!("CAST({column} AS TEXT)");
        Ok([
            text("inputs"),
            if outputs { text("outputs") } else { "NULL".to_owned() },
            text("expectations"),
            text("tags"),
            text("source"),
        ])
    }

    pub(super) fn read_record_sizes(&mut self, dataset: &str, after: &str, limit: u32) -> Result<Vec<(String, u64)>> {
        let columns = self.json_of_records()?.map(|column| format!("coalesce(octet_length({column}), 0)"));
        let sql = format!(
            "SELECT dataset_record_id, CAST({} AS BIGINT) FROM evaluation_dataset_records
             WHERE dataset_id = ?1 AND dataset_record_id > ?2 ORDER BY dataset_record_id LIMIT ?3",
            columns.join(" + ")
        );
        let rows = self.database.rows(&sql, &[dataset.into(), after.into(), i64::from(limit).into()])?;
        rows.iter().map(sized).collect()
    }

    pub(super) fn read_records(&mut self, dataset: &str, ids: &[String]) -> Result<Vec<DatasetRecord>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT dataset_record_id, {}, source_id, source_type, CAST(created_time AS BIGINT),
                 CAST(last_update_time AS BIGINT), created_by, last_updated_by
             FROM evaluation_dataset_records WHERE dataset_record_id IN {} AND dataset_id = ?{} ORDER BY dataset_record_id",
            self.json_of_records()?.join(", "),
            list(ids.len()),
            ids.len() + 1
        );
        let parameters: Vec<Cell> = ids.iter().map(String::as_str).chain([dataset]).map(Cell::from).collect();
        let rows = self.database.rows(&sql, &parameters)?;
        rows.iter()
            .map(|row| {
                // SQLAlchemy keeps None as JSON's null.
                let json = |index: usize| Ok::<_, StoreError>(row.optional_text(index)?.filter(|text| text != "null"));
                Ok(DatasetRecord {
                    id: row.text(0)?,
                    inputs: row.text(1)?,
                    input_hash: String::new(),
                    outputs: json(2)?,
                    expectations: json(3)?,
                    tags: json(4)?,
                    source: json(5)?,
                    source_id: row.optional_text(6)?,
                    source_type: row.optional_text(7)?,
                    created: row.integer(8)?,
                    updated: row.integer(9)?,
                    created_by: row.optional_text(10)?,
                    updated_by: row.optional_text(11)?,
                })
            })
            .collect()
    }

    pub(super) fn read_scorers(&mut self, after: &(String, u32), limit: u32) -> Result<Vec<SourceScorer>> {
        if !self.has("scorers") {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT s.scorer_id, CAST(s.experiment_id AS BIGINT), s.scorer_name, CAST(v.scorer_version AS BIGINT), {},
                 CAST(v.creation_time AS BIGINT)
             FROM scorers s JOIN scorer_versions v ON v.scorer_id = s.scorer_id
             WHERE (s.scorer_id, v.scorer_version) > (?1, ?2) ORDER BY s.scorer_id, v.scorer_version LIMIT ?3",
            bounded("v.serialized_scorer", MOST_BYTES)
        );
        let parameters = [after.0.as_str().into(), i64::from(after.1).into(), i64::from(limit).into()];
        let rows = self.database.rows(&sql, &parameters)?;
        rows.iter()
            .map(|row| {
                let number = row.integer(3)?;
                let invalid = || StoreError::Invalid(format!("the source has a scorer of the version {number}"));
                Ok(SourceScorer {
                    id: row.text(0)?,
                    experiment: row.integer(1)?,
                    name: row.text(2)?,
                    version: u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(invalid)?,
                    serialized: row.optional_text(4)?,
                    created: row.integer(5)?,
                })
            })
            .collect()
    }

    pub(super) fn read_issues(&mut self, after: &str, limit: u32) -> Result<Vec<SourceIssue>> {
        if !self.has("issues") {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT issue_id, CAST(experiment_id AS BIGINT), name, {}, status, severity, {}, {}, source_run_id, created_by,
                 CAST(created_timestamp AS BIGINT), CAST(last_updated_timestamp AS BIGINT), {}
             FROM issues WHERE issue_id > ?1 ORDER BY issue_id LIMIT ?2",
            bounded("description", MOST_BYTES),
            bounded("root_causes", MOST_BYTES),
            bounded("categories", MOST_BYTES),
            too_large(&["description", "root_causes", "categories"], MOST_BYTES)
        );
        let rows = self.database.rows(&sql, &[after.into(), i64::from(limit).into()])?;
        rows.iter()
            .map(|row| {
                Ok(SourceIssue {
                    id: row.text(0)?,
                    experiment: row.integer(1)?,
                    name: row.text(2)?,
                    description: row.text(3)?,
                    status: row.text(4)?,
                    severity: row.optional_text(5)?,
                    root_causes: row.optional_text(6)?,
                    categories: row.optional_text(7)?,
                    source_run: row.optional_text(8)?,
                    said_by: row.optional_text(9)?,
                    created: time(row, 10)?,
                    updated: time(row, 11)?,
                    too_large: row.integer(12)? != 0,
                })
            })
            .collect()
    }
}
