use sealyard_store::model::DatasetSummary;
use sealyard_store::{DatasetSummaries, StoreError};

use super::experiments::found as found_here;
use crate::session::Session;

impl DatasetSummaries for Session<'_> {
    fn dataset_summaries(&mut self, experiments: &[String], limit: u32) -> Result<Vec<DatasetSummary>, StoreError> {
        let mut found = Vec::new();
        for id in experiments {
            let Some(number) = found_here(self.experiment_key(id))? else { continue };
            let left = i64::from(limit).saturating_sub(found.len() as i64);
            found.extend(self.all(
                "SELECT DISTINCT d.name, d.digest, d.context FROM run_datasets d JOIN runs r ON r.number = d.run
                 WHERE r.experiment = ?1 AND r.deleted = 0 ORDER BY d.name, d.digest, d.context LIMIT ?2",
                (number, left),
                |row| {
                    Ok(DatasetSummary {
                        experiment_id: id.clone(),
                        name: row.get(0)?,
                        digest: row.get(1)?,
                        context: row.get(2)?,
                    })
                },
            )?);
        }
        Ok(found)
    }
}
