use sealyard_core::TreePath;
use sealyard_formats::json_bounds::JsonBounds;
use sealyard_identity::{Authorized, ExperimentId, Read};
use sealyard_store::Transaction;
use sealyard_store::model::{Pair, Trace};
use serde_json::Value;

use super::{limits, not_found, of_experiment};
use crate::tasks::blocking;
use crate::{App, AppError, Caller};

/// Traces that are given out together.
const MAX_BATCH: usize = 500;
/// Bytes of spans that are given out together.
const MAX_BYTES: u64 = 128 * 1024 * 1024;
/// Bytes of traces without their spans that are given out together.
const MAX_INFO_BYTES: u64 = 48 << 20;
/// Metadata in which a client says how many spans there are.
const SIZE_STATS: &str = "mlflow.trace.sizeStats";
/// The file of a trace's spans where they are not in the catalog.
const DATA_FILE: &str = "traces.json";

/// A trace with its spans, each as MLflow's trace data have it.
#[derive(Debug)]
pub struct WholeTrace {
    /// All but the spans.
    pub trace: Trace,
    /// Each the text of a JSON object; the root first.
    pub spans: Vec<String>,
}

/// Where the spans or an attachment of a trace are.
#[derive(Debug)]
pub enum TraceFile {
    /// The JSON of trace data.
    Data(String),
    /// An uploaded file of the trace.
    Artifact(TreePath),
}

impl App {
    /// The trace without its spans.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn trace(&self, may: &Authorized<Read, ExperimentId>, trace_id: &str) -> Result<Trace, AppError> {
        let (experiment, id) = (may.resource().clone(), trace_id.to_owned());
        self.store()
            .read(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                bounded_assessments(tx, &id)?;
                tx.trace(&id)?.ok_or_else(|| not_found(&id))
            })
            .await
    }

    /// The trace with the spans that the catalog has.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::Missing`] while spans are missing, unless they may; [`AppError::Invalid`] for more
    /// than is given out at once.
    pub async fn whole_trace(
        &self,
        may: &Authorized<Read, ExperimentId>,
        trace_id: &str,
        allow_partial: bool,
    ) -> Result<WholeTrace, AppError> {
        let (experiment, id) = (may.resource().clone(), trace_id.to_owned());
        let (trace, spans) = self
            .store()
            .read(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                read_whole(tx, &id)?.ok_or_else(|| not_found(&id))
            })
            .await?;
        if !allow_partial && !is_complete(&trace, spans.len()) {
            return Err(AppError::Missing(format!(
                "Trace with ID {trace_id} is not fully exported yet, please try again later."
            )));
        }
        checked(vec![WholeTrace { trace, spans }]).await?.pop().ok_or_else(|| not_found(trace_id))
    }

    /// Those of the traces that the caller may read, in the order of their ids; with spans only those that are complete.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Unauthenticated`].
    pub async fn traces(
        &self,
        caller: &Caller,
        trace_ids: Vec<String>,
        with_spans: bool,
    ) -> Result<Vec<WholeTrace>, AppError> {
        let ids = limits::trace_ids(trace_ids, MAX_BATCH)?;
        let visible = self.visible_traces(caller, ids).await?;
        let found = self
            .store()
            .read(move |tx| {
                if with_spans {
                    bounded(tx.size_of_spans(&visible)?)?;
                }
                let (mut found, mut bytes) = (Vec::new(), 0_u64);
                for id in visible {
                    bounded_assessments(tx, &id)?;
                    let Some(trace) = tx.trace(&id)? else { continue };
                    bytes = bytes.saturating_add(trace.size());
                    if bytes > MAX_INFO_BYTES {
                        return Err(AppError::Invalid(format!(
                            "the traces have more than the {MAX_INFO_BYTES} bytes that are given at once; ask for fewer"
                        )));
                    }
                    let spans = if with_spans { tx.spans(&id)? } else { Vec::new() };
                    if !with_spans || (!spans.is_empty() && is_complete(&trace, spans.len())) {
                        found.push(WholeTrace { trace, spans });
                    }
                }
                Ok::<_, AppError>(found)
            })
            .await?;
        checked(found).await
    }

    /// Leaves out ids of traces that are not there, and of those that the caller may not read: to them both are the same.
    pub(super) async fn visible_traces(&self, caller: &Caller, ids: Vec<String>) -> Result<Vec<String>, AppError> {
        if caller.principal().is_none() {
            return Err(AppError::Unauthenticated);
        }
        let homes: Vec<(String, Option<String>)> = self
            .store()
            .read(move |tx| {
                let home = |id: String| {
                    let experiment = tx.experiment_of_trace(&id)?;
                    Ok::<_, AppError>((id, experiment))
                };
                ids.into_iter().map(home).collect::<Result<_, _>>()
            })
            .await?;
        let may = |experiment: &str| {
            crate::tracking::experiment_id(experiment).is_ok_and(|experiment| self.may(caller, Read, experiment))
        };
        Ok(homes.into_iter().filter(|(_, home)| home.as_deref().is_some_and(may)).map(|(id, _)| id).collect())
    }

    /// The file that holds a trace's spans, or one of its attachments: from the catalog where the spans are there.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn trace_file(
        &self,
        may: &Authorized<Read, ExperimentId>,
        trace_id: &str,
        attachment: Option<&str>,
    ) -> Result<TraceFile, AppError> {
        if let Some(id) = attachment {
            if !is_uuid(id) {
                let shown = limits::cut(id, 80);
                let message = format!("Invalid attachment path: '{shown}'. Attachment path must be a valid UUID.");
                return Err(AppError::Invalid(message));
            }
            return path(&format!("attachments/{id}")).map(TraceFile::Artifact);
        }
        let (experiment, id) = (may.resource().clone(), trace_id.to_owned());
        let (trace, spans) = self
            .store()
            .read(move |tx| {
                of_experiment(tx, &experiment, &id)?;
                read_whole(tx, &id)?.ok_or_else(|| not_found(&id))
            })
            .await?;
        if trace.spans == 0 {
            return path(DATA_FILE).map(TraceFile::Artifact);
        }
        Ok(TraceFile::Data(format!("{{\"spans\": [{}]}}", spans.join(", "))))
    }
}

fn path(text: &str) -> Result<TreePath, AppError> {
    TreePath::new(text).map_err(|error| AppError::Invalid(error.to_string()))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

fn read_whole(tx: &mut dyn Transaction, id: &str) -> Result<Option<(Trace, Vec<String>)>, AppError> {
    bounded_assessments(tx, id)?;
    let Some(trace) = tx.trace(id)? else { return Ok(None) };
    bounded(tx.size_of_spans(&[id.to_owned()])?)?;
    Ok(Some((trace, tx.spans(id)?)))
}

/// Looks at what an older server, or an older import, let in before it is read.
fn bounded_assessments(tx: &mut dyn Transaction, id: &str) -> Result<(), AppError> {
    let (_, bytes) = tx.size_of_assessments(id)?;
    if bytes > MAX_INFO_BYTES {
        return Err(AppError::Invalid(format!(
            "the trace's assessments have {bytes} bytes, more than the {MAX_INFO_BYTES} that are given at once"
        )));
    }
    Ok(())
}

fn bounded(bytes: u64) -> Result<(), AppError> {
    if bytes > MAX_BYTES {
        return Err(AppError::Invalid(format!(
            "the spans have {bytes} bytes, more than the {MAX_BYTES} given at once"
        )));
    }
    Ok(())
}

/// What the spans that are given at once may hold, however few bytes they have.
const SPANS: JsonBounds = JsonBounds { objects: 300_000, values: 2_000_000 };

/// Whether there are as many spans as the client says that it sent.
fn is_complete(trace: &Trace, spans: usize) -> bool {
    let Some(Pair { value, .. }) = trace.metadata.iter().find(|pair| pair.key == SIZE_STATS) else { return true };
    let said = serde_json::from_str::<Value>(value).ok().and_then(|stats| stats.get("num_spans")?.as_u64());
    said.is_none_or(|said| spans as u64 >= said)
}

async fn checked(found: Vec<WholeTrace>) -> Result<Vec<WholeTrace>, AppError> {
    blocking("spans could not be read", move || {
        let texts = found.iter().flat_map(|whole| &whole.spans);
        if !SPANS.hold_all(texts.map(String::as_bytes)) {
            return Err(AppError::Invalid("the spans hold too many values to be given at once".to_owned()));
        }
        Ok(found)
    })
    .await
}
