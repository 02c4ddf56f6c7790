//! Histories of one metric in several runs, as charts draw them.

use sealyard_identity::{Authorized, ExperimentId, Read};
use sealyard_store::model::Metric;

use super::limits;
use super::runs::of_experiment;
use crate::{App, AppError};

/// Runs of one request.
pub const RUNS_PER_HISTORY: usize = 100;
/// Steps that a thinned out history may be asked for.
pub const SAMPLED_STEPS: u32 = 2500;
/// Steps that it has when nothing was asked for.
pub const USUAL_SAMPLED_STEPS: u32 = 320;

/// A run and the proof that it may be read.
pub type ReadableRun = (Authorized<Read, ExperimentId>, String);

impl App {
    /// The first `limit` values of a metric in each of `runs`, by time, then step.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn metric_histories(
        &self,
        runs: Vec<ReadableRun>,
        key: String,
        max_results: Option<i64>,
    ) -> Result<Vec<(String, Metric)>, AppError> {
        let asked = max_results.map(|asked| asked.min(i64::from(limits::HISTORY_PER_PAGE)));
        let limit = limits::page(asked, limits::HISTORY_PER_PAGE, limits::HISTORY_PER_PAGE)?;
        // As MLflow has it: this many from all runs together, in the order of the runs' ids.
        let mut left = limit;
        let mut runs = runs;
        runs.sort_by(|one, other| one.1.cmp(&other.1));
        self.store()
            .read(move |tx| {
                let mut found = Vec::new();
                for (may, run) in runs {
                    of_experiment(tx, may.resource(), &run)?;
                    if left == 0 {
                        continue;
                    }
                    let mut metrics = tx.metric_history(&run, &key, left, None)?.items;
                    left = left.saturating_sub(u32::try_from(metrics.len()).unwrap_or(u32::MAX));
                    metrics.sort_by(|one, other| {
                        let by_time = (one.timestamp, one.step).cmp(&(other.timestamp, other.step));
                        by_time.then(one.value.total_cmp(&other.value))
                    });
                    found.extend(metrics.into_iter().map(|metric| (run.clone(), metric)));
                }
                Ok(found)
            })
            .await
    }

    /// The values of a metric in `runs` at steps that all of them share, thinned out to about `steps`.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn sampled_histories(
        &self,
        runs: Vec<ReadableRun>,
        key: String,
        range: Option<(i64, i64)>,
        steps: u32,
    ) -> Result<Vec<(String, Metric)>, AppError> {
        self.store()
            .read(move |tx| {
                for (may, run) in &runs {
                    of_experiment(tx, may.resource(), run)?;
                }
                let ids: Vec<String> = runs.into_iter().map(|(_, run)| run).collect();
                let steps = tx.sampled_steps(&ids, &key, range, steps)?;
                let mut found = Vec::new();
                // More than one value at a step is possible, and then there are more values than steps.
                let mut left = 4 * limits::HISTORY_PER_PAGE;
                for run in ids {
                    let metrics = tx.metric_at_steps(&run, &key, &steps, left.min(limits::HISTORY_PER_PAGE))?;
                    left = left.saturating_sub(u32::try_from(metrics.len()).unwrap_or(u32::MAX));
                    found.extend(metrics.into_iter().map(|metric| (run.clone(), metric)));
                }
                Ok(found)
            })
            .await
    }
}
