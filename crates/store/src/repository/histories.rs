use crate::StoreError;
use crate::model::Metric;

type Result<T> = std::result::Result<T, StoreError>;

/// Histories of a metric in several runs, thinned out for drawing.
pub trait MetricHistories {
    /// Steps of a metric in these runs together, each once and in order: all of them up to `most` within `range`, else
    /// about so many at even distances and the last; the first and last step of each run that are within `range` in any
    /// case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a run that is not there.
    fn sampled_steps(&mut self, runs: &[String], key: &str, range: Option<(i64, i64)>, most: u32) -> Result<Vec<i64>>;

    /// What was measured in a run at these steps, by step, then time, then value; at most `limit` values.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a run that is not there.
    fn metric_at_steps(&mut self, run: &str, key: &str, steps: &[i64], limit: u32) -> Result<Vec<Metric>>;
}
