use std::sync::Arc;

use sealyard_identity::{Authorized, ExperimentId, Manage};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{ArtifactOwner, TraceDeletion};

use super::limits;
use crate::housekeeping::ids;
use crate::tasks::{remove_objects, to_its_end};
use crate::{App, AppError, Caller};

/// Traces that go in one transaction: others wait for it.
const CHUNK: u32 = 250;
/// Traces that are named in one request.
const MAX_NAMED: usize = 1000;

/// Which traces are to go: those named, or the oldest up to a moment.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct DeleteTraces {
    pub max_timestamp: Option<i64>,
    pub max_traces: Option<i64>,
    pub trace_ids: Vec<String>,
}

impl App {
    /// Deletes traces with their spans, assessments and artifacts; gives how many. Ids of traces that are not in the
    /// experiment are passed over.
    ///
    /// # Errors
    /// [`AppError::Invalid`] unless exactly one of ids and moment is given.
    pub async fn delete_traces(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, ExperimentId>,
        delete: DeleteTraces,
    ) -> Result<u64, AppError> {
        let invalid = |message: String| Err(AppError::Invalid(message));
        let DeleteTraces { max_timestamp, max_traces, trace_ids } = delete;
        match (max_timestamp, trace_ids.is_empty()) {
            (None, true) => {
                return invalid("Either `max_timestamp_millis` or `trace_ids` must be specified.".to_owned());
            }
            (Some(_), false) => {
                return invalid("Only one of `max_timestamp_millis` and `trace_ids` can be specified.".to_owned());
            }
            _ => {}
        }
        if !trace_ids.is_empty() && max_traces.is_some() {
            return invalid("`max_traces` can't be specified if `trace_ids` is specified.".to_owned());
        }
        if let Some(most) = max_traces.filter(|most| *most <= 0) {
            return invalid(format!("`max_traces` must be a positive integer, received {most}."));
        }
        let trace_ids = limits::trace_ids(trace_ids, MAX_NAMED)?;
        let experiment = may.resource().to_string();
        let mut left = max_traces.map_or(u64::MAX, |most| u64::try_from(most).unwrap_or(0));
        let mut deleted = 0u64;
        while left > 0 {
            let limit = u32::try_from(left).unwrap_or(u32::MAX).min(CHUNK);
            let deletion =
                TraceDeletion { experiment_id: experiment.clone(), max_timestamp, trace_ids: trace_ids.clone(), limit };
            let gone = self.delete_some(caller, deletion).await?;
            deleted += gone;
            left -= gone;
            if gone < u64::from(limit) {
                break;
            }
        }
        Ok(deleted)
    }

    async fn delete_some(&self, caller: &Caller, deletion: TraceDeletion) -> Result<u64, AppError> {
        let (store, vault, now) = (Arc::clone(&self.store), Arc::clone(&self.vault), self.now());
        let act = Act::TracesDeleted { experiment: deletion.experiment_id.clone(), traces: 0 };
        let mut event = self.event(caller, Outcome::Done, act);
        let deleted = to_its_end("a deletion broke", async move {
            let (deleted, unused) = store
                .write(move |tx| {
                    let doomed = tx.traces_to_delete(&deletion)?;
                    if doomed.is_empty() {
                        return Ok((0, Vec::new()));
                    }
                    let mut unused = Vec::new();
                    for id in &doomed {
                        let owner = ArtifactOwner::Trace(id.clone());
                        let artifacts = tx.artifacts_below(&owner, "")?;
                        if artifacts.is_empty() {
                            continue;
                        }
                        tx.delete_artifacts_below(&owner, "")?;
                        for artifact in artifacts {
                            unused.extend(tx.release_object(&artifact.object, now)?);
                        }
                    }
                    let deleted = tx.delete_traces(&doomed)?;
                    event.act = Act::TracesDeleted { experiment: deletion.experiment_id.clone(), traces: deleted };
                    tx.record(&event)?;
                    Ok::<_, AppError>((deleted, unused))
                })
                .await?;
            remove_objects(&*store, &vault, ids(unused)).await;
            Ok(deleted)
        })
        .await?;
        self.sequencer.notify();
        Ok(deleted)
    }
}
