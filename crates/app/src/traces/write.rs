use sealyard_identity::{Authorized, Edit, ExperimentId};
use sealyard_store::model::{Measure, NewTrace, Pair, Trace, TraceState};

use super::assessments::{GivenAssessment, MAX_OF_TRACE, within_bounds};
use super::{limits, of_experiment};
use crate::tracking::active_experiment;
use crate::{App, AppError, Caller};

/// Metadata in which clients put the usage of a trace as a whole.
const TOKEN_USAGE: &str = "mlflow.trace.tokenUsage";

/// A trace as a client sends it at its end (v3).
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GivenTrace {
    pub trace_id: String,
    pub client_request_id: Option<String>,
    pub request_time: i64,
    pub duration: Option<i64>,
    pub state: TraceState,
    pub request_preview: Option<String>,
    pub response_preview: Option<String>,
    pub metadata: Vec<Pair>,
    pub tags: Vec<Pair>,
    pub assessments: Vec<GivenAssessment>,
}

/// The beginning of a trace (v2).
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct StartTraceV2 {
    pub timestamp: i64,
    pub metadata: Vec<Pair>,
    pub tags: Vec<Pair>,
}

/// The end of a trace (v2).
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct EndTrace {
    pub timestamp: i64,
    pub state: TraceState,
    pub metadata: Vec<Pair>,
    pub tags: Vec<Pair>,
}

impl App {
    /// Takes a trace, or what completes one whose spans came before. It is data and makes no entry in the ledger.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Conflict`] for a trace that is in another experiment, or an experiment in the bin;
    /// [`AppError::Denied`] for a trace of an experiment that the caller may not see.
    pub async fn put_trace(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        given: GivenTrace,
    ) -> Result<Trace, AppError> {
        limits::trace_id(&given.trace_id)?;
        let id = given.trace_id.clone();
        if given.assessments.len() as u64 > MAX_OF_TRACE {
            return Err(AppError::Invalid(format!("a trace comes with at most {MAX_OF_TRACE} assessments")));
        }
        if let Some(client) = &given.client_request_id {
            limits::text("client_request_id", client, 500)?;
        }
        given.duration.map_or(Ok(0), |duration| limits::time("execution_duration", duration))?;
        let created_by = may.principal().name.to_string();
        let assessments = given
            .assessments
            .into_iter()
            .map(|assessment| self.checked_assessment(&created_by, &id, assessment))
            .collect::<Result<_, _>>()?;
        let metadata = limits::metadata(given.metadata)?;
        let metrics = usage(&metadata);
        let new = NewTrace {
            trace: Trace {
                id,
                experiment_id: may.resource().to_string(),
                client_request_id: given.client_request_id,
                started: limits::time("request_time", given.request_time)?,
                duration: given.duration,
                state: given.state,
                request_preview: limits::preview(given.request_preview),
                response_preview: limits::preview(given.response_preview),
                metadata,
                tags: limits::tags(given.tags)?,
                assessments,
                spans: 0,
            },
            created_by,
            finalised: true,
            metrics,
        };
        let written = self
            .store()
            .write(move |tx| {
                active_experiment(tx, &new.trace.experiment_id)?;
                if new.trace.assessments.is_empty() {
                    return Ok(tx.put_trace(&new)?);
                }
                within_bounds(tx, &new.trace.id, |tx| Ok(tx.put_trace(&new)?))
            })
            .await;
        match written {
            Err(AppError::AlreadyExists { kind: "trace", id }) => Err(self.trace_elsewhere(caller, &id).await?),
            other => other,
        }
    }

    /// Begins a trace as clients before 3 do, under an id of the server's making.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Conflict`] for an experiment in the bin.
    pub async fn start_trace_v2(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        start: StartTraceV2,
    ) -> Result<Trace, AppError> {
        let new = NewTrace {
            trace: Trace {
                id: self.rng().hex_id(),
                experiment_id: may.resource().to_string(),
                client_request_id: None,
                started: limits::time("timestamp_ms", start.timestamp)?,
                duration: None,
                state: TraceState::InProgress,
                request_preview: None,
                response_preview: None,
                metadata: limits::metadata(start.metadata)?,
                tags: limits::tags(start.tags)?,
                assessments: Vec::new(),
                spans: 0,
            },
            created_by: may.principal().name.to_string(),
            finalised: false,
            metrics: Vec::new(),
        };
        self.store()
            .write(move |tx| {
                active_experiment(tx, &new.trace.experiment_id)?;
                Ok(tx.put_trace(&new)?)
            })
            .await
    }

    /// Ends a trace as clients before 3 do.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn end_trace(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        trace_id: &str,
        end: EndTrace,
    ) -> Result<Trace, AppError> {
        let (experiment, id) = (may.resource().clone(), trace_id.to_owned());
        let ended = limits::time("timestamp_ms", end.timestamp)?;
        let (metadata, tags) = (limits::metadata(end.metadata)?, limits::tags(end.tags)?);
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                Ok(tx.end_trace(&id, ended, end.state, &metadata, &tags)?)
            })
            .await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn set_trace_tag(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        trace_id: &str,
        tag: Pair,
    ) -> Result<(), AppError> {
        let Pair { key, value } = limits::tag(tag)?;
        let (experiment, id) = (may.resource().clone(), trace_id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                Ok(tx.set_trace_tag(&id, &key, &value)?)
            })
            .await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Missing`].
    pub async fn delete_trace_tag(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        trace_id: &str,
        key: &str,
    ) -> Result<(), AppError> {
        if key == limits::ARTIFACT_LOCATION {
            return Err(AppError::Invalid(format!("the tag {key} can't be removed")));
        }
        let (experiment, id, key) = (may.resource().clone(), trace_id.to_owned(), key.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                tx.delete_trace_tag(&id, &key).map_err(|error| match error {
                    sealyard_store::StoreError::NotFound { .. } => AppError::Missing(format!(
                        "No trace tag with key '{}' for trace with ID '{id}'",
                        limits::cut(&key, 80)
                    )),
                    other => other.into(),
                })
            })
            .await
    }
}

/// The numbers of the usage that a client summed up.
pub(super) fn usage(metadata: &[Pair]) -> Vec<Measure> {
    let Some(pair) = metadata.iter().find(|pair| pair.key == TOKEN_USAGE) else { return Vec::new() };
    super::spans::token_usage(&pair.value)
}
