use std::collections::BTreeMap;

use sealyard_store::StoreError;
use sealyard_store::model::{Cursor, CursorValue, Metric, ModelMetric, Page};

use super::runs::RunKey;
use crate::session::Session;
use crate::sql::Row;

/// NaN is kept as 0 with a flag, since SQLite turns it into NULL.
fn stored(value: f64) -> (f64, bool) {
    if value.is_nan() { (0.0, true) } else { (value, false) }
}

pub(super) fn read(row: &Row<'_>) -> Result<Metric, StoreError> {
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

/// Where a page of a history begins.
fn place(cursor: &Cursor) -> Result<(i64, i64, f64, i64), StoreError> {
    match cursor.0.as_slice() {
        [
            CursorValue::Integer(step),
            CursorValue::Integer(time),
            CursorValue::Real(value),
            CursorValue::Integer(nan),
        ] => Ok((*step, *time, *value, *nan)),
        _ => Err(StoreError::Invalid("Invalid page token: it is of another search".into())),
    }
}

/// The last of `metrics` for each key: by step, then time, then value, NaN counting as it is stored.
fn latest(metrics: &[Metric]) -> impl Iterator<Item = &Metric> {
    let rank = |metric: &Metric| (metric.step, metric.timestamp, stored(metric.value).0);
    let mut last: BTreeMap<&str, &Metric> = BTreeMap::new();
    for metric in metrics {
        last.entry(&metric.key)
            .and_modify(|known| {
                if rank(metric) > rank(known) {
                    *known = metric;
                }
            })
            .or_insert(metric);
    }
    last.into_values()
}

pub(super) const COLUMNS: &str = "key, step, timestamp, value, nan, model_id, dataset_name, dataset_digest";

impl Session<'_> {
    /// Adds the metrics to the history; one that is there already, to the last bit, changes nothing.
    pub(super) fn put_metrics(&self, run: RunKey, metrics: &[Metric]) -> Result<(), StoreError> {
        let RunKey { number, experiment, started } = run;
        self.execute_many(
            "INSERT INTO metric_history
                 (run, key, step, timestamp, value, nan, model_id, dataset_name, dataset_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            metrics.iter().map(|metric| {
                let (value, nan) = stored(metric.value);
                (
                    number,
                    &metric.key,
                    metric.step,
                    metric.timestamp,
                    value,
                    nan,
                    &metric.model_id,
                    &metric.dataset_name,
                    &metric.dataset_digest,
                )
            }),
        )?;
        // Only the last one of each key can stay. Row values compare in their order: step, then time, then value, as MLflow
        // has it.
        self.upsert_many(
            "INSERT INTO latest_metrics
                 (run, key, step, timestamp, value, nan, model_id, dataset_name, dataset_digest, experiment, started)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp,
                 value = excluded.value, nan = excluded.nan, model_id = excluded.model_id,
                 dataset_name = excluded.dataset_name, dataset_digest = excluded.dataset_digest
             WHERE (excluded.step, excluded.timestamp, excluded.value) >
                 (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
            latest(metrics).map(|metric| {
                let (value, nan) = stored(metric.value);
                (
                    number,
                    &metric.key,
                    metric.step,
                    metric.timestamp,
                    value,
                    nan,
                    &metric.model_id,
                    &metric.dataset_name,
                    &metric.dataset_digest,
                    experiment,
                    started,
                )
            }),
            |row| row.1.as_str(),
            |_, _| true,
        )?;
        if metrics.iter().any(|metric| metric.model_id.is_some()) {
            self.put_model_metrics(number, metrics)
        } else {
            Ok(())
        }
    }

    /// A metric also becomes one of the logged model that it names, if that is of the run's own experiment: whoever may
    /// write to one experiment must not write to another's models.
    fn put_model_metrics(&self, run: i64, metrics: &[Metric]) -> Result<(), StoreError> {
        self.execute_many(
            "INSERT INTO logged_model_metrics (model, key, dataset_name, dataset_digest, step, timestamp, value, nan, run_id)
             SELECT logged_models.number, ?3, ?4, ?5, ?6, ?7, ?8, ?9, runs.id FROM logged_models
                 JOIN runs ON runs.experiment = logged_models.experiment
                 WHERE runs.number = ?1 AND logged_models.id = ?2 AND logged_models.deleted = 0
             ON CONFLICT (model, key, dataset_name, dataset_digest) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp,
                 value = excluded.value, nan = excluded.nan, run_id = excluded.run_id
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

    pub(super) fn latest_metrics_of(&self, runs: &[i64]) -> Result<Vec<(i64, Metric)>, StoreError> {
        self.all_of(
            runs,
            |among| format!("SELECT {COLUMNS}, run FROM latest_metrics WHERE run {among} ORDER BY run, key"),
            |row| Ok((row.get(8)?, read(row)?)),
        )
    }

    pub(super) fn read_history(
        &self,
        run: i64,
        key: &str,
        limit: u32,
        after: Option<&Cursor>,
    ) -> Result<Page<Metric>, StoreError> {
        let ask = i64::from(limit) + 1;
        let mut items = match after.map(place).transpose()? {
            None => self.all(
                &format!(
                    "SELECT {COLUMNS} FROM metric_history WHERE run = ?1 AND key = ?2
                     ORDER BY step, timestamp, value, nan LIMIT ?3"
                ),
                (run, key, ask),
                read,
            )?,
            Some((step, timestamp, value, nan)) => self.all(
                &format!(
                    "SELECT {COLUMNS} FROM metric_history WHERE run = ?1 AND key = ?2
                         AND (step, timestamp, value, nan) > (?3, ?4, ?5, ?6)
                     ORDER BY step, timestamp, value, nan LIMIT ?7"
                ),
                (run, key, step, timestamp, value, nan, ask),
                read,
            )?,
        };
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| {
            let (value, nan) = stored(last.value);
            Cursor(vec![
                CursorValue::Integer(last.step),
                CursorValue::Integer(last.timestamp),
                CursorValue::Real(value),
                CursorValue::Integer(i64::from(nan)),
            ])
        });
        Ok(Page { items, next })
    }

    pub(super) fn model_metrics_of(&self, models: &[i64]) -> Result<Vec<(i64, ModelMetric)>, StoreError> {
        self.all_of(
            models,
            |among| {
                format!(
                    "SELECT key, step, timestamp, value, nan, NULL, nullif(dataset_name, ''), nullif(dataset_digest, ''), model, run_id
                     FROM logged_model_metrics WHERE model {among} ORDER BY model, key, dataset_name, dataset_digest"
                )
            },
            |row| Ok((row.get(8)?, ModelMetric { metric: read(row)?, run_id: row.get(9)? })),
        )
    }
}
