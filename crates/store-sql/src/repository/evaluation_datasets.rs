use sealyard_store::model::{
    DatasetRecord, EvaluationDataset, EvaluationDatasetQuery, EvaluationDatasetUpdate, Page, Pair,
};
use sealyard_store::{EvaluationDatasets, StoreError};

use super::convert::{Columns as _, experiment_number, not_found};
use super::experiments::found;
use super::pairs::EVALUATION_DATASET_TAGS;
use crate::error::backend;
use crate::search::{EVALUATION_DATASETS, Scope, Search};
use crate::session::Session;
use crate::sql::Row;

const RECORD: &str = "id, inputs, input_hash, outputs, expectations, tags, source, source_id, source_type, created, updated, \
                      created_by, updated_by";

impl EvaluationDatasets for Session<'_> {
    fn create_evaluation_dataset(&mut self, dataset: &EvaluationDataset) -> Result<(), StoreError> {
        self.check_workspace()?;
        let number: Option<i64> = self.optional(
            "INSERT INTO evaluation_datasets
                 (id, name, schema, profile, digest, created, updated, created_by, updated_by, owner, workspace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING RETURNING number",
            (
                &dataset.id,
                &dataset.name,
                &dataset.schema,
                &dataset.profile,
                &dataset.digest,
                dataset.created,
                dataset.updated,
                &dataset.created_by,
                &dataset.updated_by,
                &dataset.owner,
                self.workspace(),
            ),
            |row| row.get(0),
        )?;
        let number =
            number.ok_or_else(|| StoreError::AlreadyExists { kind: "evaluation dataset", id: dataset.id.clone() })?;
        self.put_pairs(EVALUATION_DATASET_TAGS, number, &dataset.tags)?;
        self.put_dataset_experiments(number, &dataset.experiment_ids)
    }

    fn evaluation_dataset(&mut self, id: &str) -> Result<Option<EvaluationDataset>, StoreError> {
        found(self.evaluation_dataset_key(id).and_then(|number| self.load_evaluation_dataset(number)))
    }

    fn update_evaluation_dataset(&mut self, id: &str, update: &EvaluationDatasetUpdate) -> Result<(), StoreError> {
        let number = self.evaluation_dataset_key(id)?;
        self.execute(
            "UPDATE evaluation_datasets SET updated = ?2, digest = coalesce(?3, digest), schema = coalesce(?4, schema),
                 profile = coalesce(?5, profile), updated_by = coalesce(?6, updated_by)
             WHERE number = ?1",
            (number, update.updated, &update.digest, &update.schema, &update.profile, &update.updated_by),
        )?;
        Ok(())
    }

    fn delete_evaluation_dataset(&mut self, id: &str) -> Result<(), StoreError> {
        let number = self.evaluation_dataset_key(id)?;
        self.execute("DELETE FROM evaluation_datasets WHERE number = ?1", [number])?;
        Ok(())
    }

    fn search_evaluation_datasets(
        &mut self,
        query: &EvaluationDatasetQuery,
    ) -> Result<Page<EvaluationDataset>, StoreError> {
        let numbers = if query.experiments.is_empty() {
            None
        } else {
            let experiments = self.experiments_here(&query.experiments)?;
            Some(self.datasets_of_experiments(&experiments)?)
        };
        let scope = Scope { numbers, ..Scope::default() };
        let asked = (query.filter.as_slice(), query.order.as_slice());
        let page = Search::new(self, EVALUATION_DATASETS, scope, asked, query.limit, query.after.as_ref())?.run()?;
        let items =
            page.items.into_iter().map(|number| self.load_evaluation_dataset(number)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: page.next })
    }

    fn set_evaluation_dataset_tags(&mut self, id: &str, tags: &[Pair]) -> Result<(), StoreError> {
        let number = self.evaluation_dataset_key(id)?;
        self.put_pairs(EVALUATION_DATASET_TAGS, number, tags)
    }

    fn delete_evaluation_dataset_tag(&mut self, id: &str, key: &str) -> Result<bool, StoreError> {
        let number = self.evaluation_dataset_key(id)?;
        match self.delete_pair(EVALUATION_DATASET_TAGS, number, key) {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn add_evaluation_dataset_experiments(&mut self, id: &str, experiments: &[String]) -> Result<(), StoreError> {
        let number = self.evaluation_dataset_key(id)?;
        self.put_dataset_experiments(number, experiments)
    }

    fn remove_evaluation_dataset_experiments(&mut self, id: &str, experiments: &[String]) -> Result<(), StoreError> {
        let number = self.evaluation_dataset_key(id)?;
        for experiment in experiments.iter().filter_map(|id| experiment_number(id)) {
            self.execute(
                "DELETE FROM evaluation_dataset_experiments WHERE dataset = ?1 AND experiment = ?2",
                (number, experiment),
            )?;
        }
        Ok(())
    }

    fn dataset_record_by_input(
        &mut self,
        dataset_id: &str,
        input_hash: &str,
    ) -> Result<Option<DatasetRecord>, StoreError> {
        let number = self.evaluation_dataset_key(dataset_id)?;
        self.optional(
            &format!("SELECT {RECORD} FROM evaluation_dataset_records WHERE dataset = ?1 AND input_hash = ?2"),
            (number, input_hash),
            read_record,
        )
    }

    fn known_dataset_inputs(&mut self, dataset_id: &str, input_hashes: &[String]) -> Result<Vec<String>, StoreError> {
        let number = self.evaluation_dataset_key(dataset_id)?;
        let hashes = serde_json::to_string(input_hashes).map_err(backend)?;
        let list = self.dialect().texts("?2");
        self.all(
            &format!(
                "SELECT input_hash FROM evaluation_dataset_records WHERE dataset = ?1 AND input_hash IN {list}
                 ORDER BY input_hash"
            ),
            (number, hashes),
            |row| row.get(0),
        )
    }

    fn put_dataset_records(&mut self, dataset_id: &str, records: &[DatasetRecord]) -> Result<(), StoreError> {
        let number = self.evaluation_dataset_key(dataset_id)?;
        let rows = records.iter().map(|record| {
            (
                number,
                &record.id,
                &record.inputs,
                &record.input_hash,
                &record.outputs,
                &record.expectations,
                &record.tags,
                &record.source,
                &record.source_id,
                &record.source_type,
                record.created,
                record.updated,
                &record.created_by,
                &record.updated_by,
            )
        });
        self.upsert_many(
            "INSERT INTO evaluation_dataset_records
                 (dataset, id, inputs, input_hash, outputs, expectations, tags, source, source_id, source_type, created,
                  updated, created_by, updated_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (dataset, input_hash) DO UPDATE SET outputs = excluded.outputs,
                 expectations = excluded.expectations, tags = excluded.tags, updated = excluded.updated,
                 updated_by = excluded.updated_by",
            rows,
            |row| row.3.as_str(),
            |_, _| true,
        )?;
        Ok(())
    }

    fn count_dataset_records(&mut self, dataset_id: &str) -> Result<u64, StoreError> {
        let number = self.evaluation_dataset_key(dataset_id)?;
        let count =
            self.optional("SELECT count(*) FROM evaluation_dataset_records WHERE dataset = ?1", [number], |row| {
                row.unsigned(0)
            })?;
        Ok(count.unwrap_or(0))
    }

    fn dataset_records(
        &mut self,
        dataset_id: &str,
        after: Option<&(i64, String)>,
        limit: u32,
    ) -> Result<Vec<DatasetRecord>, StoreError> {
        let number = self.evaluation_dataset_key(dataset_id)?;
        let (created, id) = after.map_or((i64::MIN, ""), |(created, id)| (*created, id.as_str()));
        self.all(
            &format!(
                "SELECT {RECORD} FROM evaluation_dataset_records
                 WHERE dataset = ?1 AND created >= ?2 AND (created > ?2 OR id > ?3) ORDER BY created, id LIMIT ?4"
            ),
            (number, created, id, i64::from(limit)),
            read_record,
        )
    }

    fn delete_dataset_records(&mut self, dataset_id: &str, ids: &[String]) -> Result<u64, StoreError> {
        let number = self.evaluation_dataset_key(dataset_id)?;
        let list = self.dialect().texts("?2");
        let ids = serde_json::to_string(ids).map_err(backend)?;
        let sql = format!("DELETE FROM evaluation_dataset_records WHERE dataset = ?1 AND id IN {list}");
        Ok(self.execute(&sql, (number, ids))? as u64)
    }
}

impl Session<'_> {
    fn evaluation_dataset_key(&self, id: &str) -> Result<i64, StoreError> {
        let sql = "SELECT number FROM evaluation_datasets WHERE id = ?1 AND workspace = ?2";
        self.optional(sql, (id, self.workspace()), |row| row.get(0))?.ok_or_else(|| not_found("evaluation dataset", id))
    }

    fn put_dataset_experiments(&self, number: i64, experiments: &[String]) -> Result<(), StoreError> {
        for id in experiments {
            let experiment = self.experiment_key(id)?;
            self.execute(
                "INSERT INTO evaluation_dataset_experiments (dataset, experiment) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (number, experiment),
            )?;
        }
        Ok(())
    }

    fn datasets_of_experiments(&self, experiments: &[i64]) -> Result<Vec<i64>, StoreError> {
        let mut found: Vec<i64> = Vec::new();
        for experiment in experiments {
            let of_one: Vec<i64> = self.all(
                "SELECT dataset FROM evaluation_dataset_experiments WHERE experiment = ?1",
                [experiment],
                |row| row.get(0),
            )?;
            found.extend(of_one);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn load_evaluation_dataset(&self, number: i64) -> Result<EvaluationDataset, StoreError> {
        let dataset = self.optional(
            "SELECT id, name, schema, profile, digest, created, updated, created_by, updated_by, owner
             FROM evaluation_datasets WHERE number = ?1",
            [number],
            |row| {
                Ok(EvaluationDataset {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    schema: row.get(2)?,
                    profile: row.get(3)?,
                    digest: row.get(4)?,
                    created: row.get(5)?,
                    updated: row.get(6)?,
                    created_by: row.get(7)?,
                    updated_by: row.get(8)?,
                    owner: row.get(9)?,
                    tags: Vec::new(),
                    experiment_ids: Vec::new(),
                })
            },
        )?;
        let mut dataset = dataset.ok_or_else(|| not_found("evaluation dataset", number.to_string()))?;
        dataset.tags = self.pairs(EVALUATION_DATASET_TAGS, number)?;
        dataset.experiment_ids = self.all(
            "SELECT experiment FROM evaluation_dataset_experiments WHERE dataset = ?1 ORDER BY experiment",
            [number],
            |row| row.get::<i64>(0).map(|number| number.to_string()),
        )?;
        Ok(dataset)
    }
}

fn read_record(row: &Row<'_>) -> Result<DatasetRecord, StoreError> {
    Ok(DatasetRecord {
        id: row.get(0)?,
        inputs: row.get(1)?,
        input_hash: row.get(2)?,
        outputs: row.get(3)?,
        expectations: row.get(4)?,
        tags: row.get(5)?,
        source: row.get(6)?,
        source_id: row.get(7)?,
        source_type: row.get(8)?,
        created: row.get(9)?,
        updated: row.get(10)?,
        created_by: row.get(11)?,
        updated_by: row.get(12)?,
    })
}
