use sealyard_store::model::{Metric, RunBatch};

use super::{Import, PAGE};
use crate::AppError;

/// Metrics of one transaction.
const BATCH: usize = 5000;
/// Metrics that are read at once.
const READ: u32 = 5000;

/// What waits to be written: runs and metrics of theirs.
#[derive(Debug, Default)]
struct Waiting {
    batches: Vec<(String, Vec<Metric>)>,
    count: usize,
}

impl Import {
    /// Histories, and with them the latest values. A metric that is there already changes nothing, so that a run whose half
    /// was written may be written again.
    pub(super) fn metrics(&mut self) -> Result<(), AppError> {
        let (mut count, mut told) = (0, 0);
        loop {
            let runs = self.source.runs(&self.place.after, PAGE)?;
            let Some(last) = runs.last().map(|run| run.id.clone()) else { return self.next_phase() };
            let mut waiting = Waiting::default();
            for run in runs {
                if self.stopped() {
                    return Ok(());
                }
                // Those of models first: the same point of the run's history is then known to be the model's.
                let of_models = self.source.model_metrics(&run.id)?;
                count += self.wait(&mut waiting, &run.id, of_models)?;
                for key in self.source.metric_keys(&run.id)? {
                    let mut after = None;
                    loop {
                        let (metrics, place) = self.source.metrics(&run.id, &key, after, READ)?;
                        let Some(place) = place else { break };
                        count += self.wait(&mut waiting, &run.id, metrics)?;
                        after = Some(place);
                        if self.stopped() {
                            return Ok(());
                        }
                    }
                }
                if count >= told + 50_000 {
                    told = count;
                    self.say(&format!("metrics: {count}"));
                }
            }
            let place = self.place.at(last);
            self.write_metrics(waiting, place)?;
        }
    }

    /// Puts metrics into what waits, and writes what waits if it is much.
    fn wait(&mut self, waiting: &mut Waiting, run: &str, metrics: Vec<Metric>) -> Result<usize, AppError> {
        let count = metrics.len();
        if count > 0 {
            waiting.count += count;
            waiting.batches.push((run.to_owned(), metrics));
        }
        if waiting.count >= BATCH {
            let place = self.place.clone();
            self.write_metrics(std::mem::take(waiting), place)?;
        }
        Ok(count)
    }

    fn write_metrics(&mut self, waiting: Waiting, place: super::progress::Place) -> Result<(), AppError> {
        self.write(place, move |tx| {
            for (run, metrics) in waiting.batches {
                tx.log_batch(&run, &RunBatch { metrics, ..RunBatch::default() })?;
            }
            Ok(())
        })
    }
}
