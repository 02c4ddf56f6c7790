use sealyard_store::StoreError;
use sealyard_store::model::{Metric, Page};

use super::convert::integer;
use crate::session::Session;
use crate::sql::Row;

/// NaN is kept as 0 with a flag, since SQLite turns it into NULL.
fn stored(value: f64) -> (f64, bool) {
    if value.is_nan() { (0.0, true) } else { (value, false) }
}

fn read(row: &Row<'_>) -> Result<Metric, StoreError> {
    let nan: bool = row.get(4)?;
    Ok(Metric {
        key: row.get(0)?,
        step: row.get(1)?,
        timestamp: row.get(2)?,
        value: if nan { f64::NAN } else { row.get(3)? },
        model_id: row.get(5)?,
        dataset_name: row.get(6)?,
        dataset_digest: row.get(7)?,
    })
}

const COLUMNS: &str = "key, step, timestamp, value, nan, model_id, dataset_name, dataset_digest";

impl Session<'_> {
    /// Adds the metrics to the history; one that is there already, to the last bit, changes nothing.
    pub(super) fn put_metrics(&self, run: i64, metrics: &[Metric]) -> Result<(), StoreError> {
        let rows = || {
            metrics.iter().map(|metric| {
                let (value, nan) = stored(metric.value);
                (
                    run,
                    &metric.key,
                    metric.step,
                    metric.timestamp,
                    value,
                    nan,
                    &metric.model_id,
                    &metric.dataset_name,
                    &metric.dataset_digest,
                )
            })
        };
        self.execute_many(
            "INSERT INTO metric_history
                 (run, key, step, timestamp, value, nan, model_id, dataset_name, dataset_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            rows(),
        )?;
        // Row values compare in their order: step, then time, then value, as MLflow has it.
        self.upsert_many(
            "INSERT INTO latest_metrics
                 (run, key, step, timestamp, value, nan, model_id, dataset_name, dataset_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp,
                 value = excluded.value, nan = excluded.nan, model_id = excluded.model_id,
                 dataset_name = excluded.dataset_name, dataset_digest = excluded.dataset_digest
             WHERE (excluded.step, excluded.timestamp, excluded.value) >
                 (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
            rows(),
            |row| row.1.as_str(),
            |new, old| (new.2, new.3, new.4) > (old.2, old.3, old.4),
        )?;
        if metrics.iter().any(|metric| metric.model_id.is_some()) {
            self.put_model_metrics(run, metrics)
        } else {
            Ok(())
        }
    }

    /// A metric also becomes one of the logged model that it names, if that is of the run's own experiment: whoever may
    /// write to one experiment must not write to another's models.
    fn put_model_metrics(&self, run: i64, metrics: &[Metric]) -> Result<(), StoreError> {
        self.execute_many(
            "INSERT INTO logged_model_metrics (model, key, dataset_name, dataset_digest, step, timestamp, value, nan)
             SELECT logged_models.number, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM logged_models
                 JOIN runs ON runs.experiment = logged_models.experiment
                 WHERE runs.number = ?1 AND logged_models.id = ?2 AND logged_models.deleted = 0
             ON CONFLICT (model, key, dataset_name, dataset_digest) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp,
                 value = excluded.value, nan = excluded.nan
             WHERE (excluded.step, excluded.timestamp, excluded.value) >
                 (logged_model_metrics.step, logged_model_metrics.timestamp, logged_model_metrics.value)",
            metrics.iter().filter_map(|metric| {
                let (value, nan) = stored(metric.value);
                Some((
                    run,
                    metric.model_id.as_deref()?,
                    &metric.key,
                    metric.dataset_name.as_deref().unwrap_or_default(),
                    metric.dataset_digest.as_deref().unwrap_or_default(),
                    metric.step,
                    metric.timestamp,
                    value,
                    nan,
                ))
            }),
        )?;
        Ok(())
    }

    pub(super) fn latest_metrics(&self, run: i64) -> Result<Vec<Metric>, StoreError> {
        self.all(&format!("SELECT {COLUMNS} FROM latest_metrics WHERE run = ?1 ORDER BY key"), [run], read)
    }

    pub(super) fn read_history(
        &self,
        run: i64,
        key: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Page<Metric>, StoreError> {
        let mut items = self.all(
            &format!(
                "SELECT {COLUMNS} FROM metric_history WHERE run = ?1 AND key = ?2
                 ORDER BY step, timestamp, value, nan LIMIT ?3 OFFSET ?4"
            ),
            (run, key, i64::from(limit) + 1, integer(offset)?),
            read,
        )?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Ok(Page { items, next: more.then(|| offset.saturating_add(u64::from(limit))) })
    }

    pub(super) fn model_metrics(&self, model: i64, id: &str) -> Result<Vec<Metric>, StoreError> {
        self.all(
            "SELECT key, step, timestamp, value, nan, ?2, nullif(dataset_name, ''), nullif(dataset_digest, '')
             FROM logged_model_metrics WHERE model = ?1 ORDER BY key, dataset_name, dataset_digest",
            (model, id),
            read,
        )
    }
}
