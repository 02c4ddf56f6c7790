//! Traces of applications: what they were asked, what they did step by step, what they answered, and what people and
//! programs think of it.
//!
//! A trace belongs to an experiment, and takes the experiment's rights. Each function checks in its own transaction that the
//! trace is in the experiment of the proof.

mod assessments;
mod correlation;
mod delete;
mod filter;
mod ingest;
mod lexer;
mod limits;
mod links;
mod metrics;
mod preview;
mod read;
mod scorers;
mod search;
mod spans;
pub(crate) mod stored;
mod write;

pub use assessments::{AssessmentUpdate, GivenAssessment};
pub use correlation::Correlation;
pub use delete::DeleteTraces;
pub use metrics::{AskMetrics, GivenAggregation};
pub use read::{TraceFile, WholeTrace};
pub(crate) use scorers::{MAX_OF_EXPERIMENT, holds_code};
pub use search::SearchTraces;
pub use write::{EndTrace, GivenTrace, StartTraceV2};

use sealyard_identity::{Action, ActsOn, Authorized, Edit, ExperimentId};
use sealyard_store::Transaction;

use crate::tracking::experiment_id;
use crate::{App, AppError, Caller};

impl App {
    /// Finds a trace's experiment and asks the authorizer about it.
    ///
    /// # Errors
    /// [`AppError::Denied`], also for a trace that is not there; an administrator gets [`AppError::Missing`].
    pub async fn authorize_trace<A>(
        &self,
        caller: &Caller,
        action: A,
        trace_id: &str,
    ) -> Result<Authorized<A, ExperimentId>, AppError>
    where
        A: ActsOn<ExperimentId>,
    {
        let found = if limits::is_trace_id(trace_id) {
            let id = trace_id.to_owned();
            self.store().read(move |tx| Ok::<_, AppError>(tx.experiment_of_trace(&id)?)).await?
        } else {
            None
        };
        match found {
            Some(experiment) => {
                let authorized = self.authorize_below(caller, action, experiment_id(&experiment)?, "trace", trace_id);
                authorized.await.map_err(|error| named(error, trace_id))
            }
            None => {
                let error = self.deny_unseen(caller, <A as Action>::KIND.to_string(), "trace", trace_id).await?;
                Err(named(error, trace_id))
            }
        }
    }
}

impl App {
    /// What someone is told whose trace has the id of one that is elsewhere. Who may not see that one learns not where it is, and
    /// no more than of any other trace that they may not see.
    async fn trace_elsewhere(&self, caller: &Caller, trace_id: &str) -> Result<AppError, AppError> {
        if self.visible_traces(caller, vec![trace_id.to_owned()]).await?.is_empty() {
            return self.deny_unseen(caller, Edit::KIND.to_string(), "trace", trace_id).await;
        }
        let id: String = trace_id.chars().take(80).collect();
        Ok(AppError::Conflict(format!("trace {id:?} belongs to another experiment")))
    }
}

/// With the words that MLflow's clients look for.
fn named(error: AppError, trace_id: &str) -> AppError {
    match error {
        AppError::NotFound { kind: "trace", .. } => not_found(trace_id),
        other => other,
    }
}

fn not_found(trace_id: &str) -> AppError {
    let id: String = trace_id.chars().take(80).collect();
    AppError::Missing(format!("Trace with ID '{id}' not found."))
}

/// A proof for one experiment is none for a trace in another.
fn of_experiment(tx: &mut dyn Transaction, experiment: &ExperimentId, trace_id: &str) -> Result<(), AppError> {
    match tx.experiment_of_trace(trace_id)? {
        Some(found) if found == experiment.as_str() => Ok(()),
        _ => Err(AppError::Denied {
            rule: "authorization",
            action: "access".to_owned(),
            resource: format!("trace {:?}", trace_id.chars().take(80).collect::<String>()),
        }),
    }
}

/// Whether a text is a filter of traces.
pub(crate) fn check_filter(text: &str) -> Result<(), crate::AppError> {
    filter::conditions(text).map(|_| ())
}

#[cfg(feature = "fuzzing")]
pub(crate) use filter::fuzz as fuzz_filter;
#[cfg(feature = "fuzzing")]
pub(crate) use ingest::fuzz_spans;
#[cfg(feature = "fuzzing")]
pub(crate) use search::fuzz_token;

/// Keys of an order.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_order(keys: &[String]) {
    let _ = filter::order(keys);
}
