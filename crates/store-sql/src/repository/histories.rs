use std::collections::BTreeSet;

use sealyard_store::model::Metric;
use sealyard_store::{MetricHistories, StoreError};

use super::metrics::{COLUMNS, read};
use crate::error::backend;
use crate::session::Session;

/// More steps than this are not looked at together; they would be megabytes of memory for each request.
const MOST_STEPS: i64 = 2_000_000;

impl MetricHistories for Session<'_> {
    fn sampled_steps(
        &mut self,
        runs: &[String],
        key: &str,
        range: Option<(i64, i64)>,
        most: u32,
    ) -> Result<Vec<i64>, StoreError> {
        let (from, to) = range.unwrap_or((i64::MIN, i64::MAX));
        let mut steps = BTreeSet::new();
        let mut kept = BTreeSet::new();
        for run in runs {
            let number = self.run_key(run)?;
            let ends = self.optional(
                "SELECT min(step), max(step) FROM metric_history WHERE run = ?1 AND key = ?2",
                (number, key),
                |row| Ok((row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?)),
            )?;
            let (first, last) = ends.unwrap_or_default();
            kept.extend(first.into_iter().chain(last).filter(|step| (from..=to).contains(step)));
            let found = self.all(
                "SELECT DISTINCT step FROM metric_history WHERE run = ?1 AND key = ?2 AND step BETWEEN ?3 AND ?4
                 LIMIT ?5",
                (number, key, from, to, MOST_STEPS + 1),
                |row| row.get::<i64>(0),
            )?;
            steps.extend(found);
            if steps.len() as i64 > MOST_STEPS {
                let message = format!("there are more than {MOST_STEPS} steps; name a narrower range of steps");
                return Err(StoreError::Invalid(message));
            }
        }
        let steps: Vec<i64> = steps.into_iter().collect();
        let most = most as usize;
        if steps.len() > most {
            // In whole numbers, so that the distances do not depend on how a fraction is rounded.
            kept.extend((0..most).filter_map(|place| steps.get(place * steps.len() / most)));
            kept.extend(steps.last());
        } else {
            kept.extend(steps);
        }
        Ok(kept.into_iter().collect())
    }

    fn metric_at_steps(&mut self, run: &str, key: &str, steps: &[i64], limit: u32) -> Result<Vec<Metric>, StoreError> {
        let number = self.run_key(run)?;
        let steps = serde_json::to_string(steps).map_err(backend)?;
        let list = self.dialect().integers("?3");
        self.all(
            &format!(
                "SELECT {COLUMNS} FROM metric_history WHERE run = ?1 AND key = ?2
                     AND step IN {list}
                 ORDER BY step, timestamp, value, nan LIMIT ?4"
            ),
            (number, key, steps, i64::from(limit)),
            read,
        )
    }
}
