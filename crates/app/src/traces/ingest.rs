use std::collections::BTreeMap;

use sealyard_formats::otlp::ExportedSpan;
use sealyard_identity::{Authorized, Edit, ExperimentId};
use sealyard_store::model::{Pair, SpanBatch, TraceState};

use super::limits;
use super::preview::preview;
use super::spans::{INPUTS, OUTPUTS, Translated, translate};
use crate::tasks::blocking;
use crate::tracking::{active_experiment, experiment_id};
use crate::{App, AppError, Caller};

/// Spans that are written in one transaction: others wait for it.
const CHUNK: usize = 500;
/// Traces of one request.
const MAX_TRACES: usize = 1000;

impl App {
    /// Takes spans into the experiment of the proof; those of a trace that is there already go where it is, which takes the
    /// same right there. They are data and make no entry in the ledger.
    ///
    /// A large request is written in several transactions. When one fails, the client sends the whole request again: spans
    /// that were written are replaced by themselves.
    ///
    /// # Errors
    /// [`AppError::Denied`] for a trace of an experiment that the caller may not edit; [`AppError::Invalid`];
    /// [`AppError::Conflict`] for an experiment in the bin, and for a trace with too many spans.
    pub async fn log_spans(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        exported: Vec<ExportedSpan>,
    ) -> Result<(), AppError> {
        let translated = blocking("spans could not be read", move || {
            let mut traces: BTreeMap<String, Vec<Translated>> = BTreeMap::new();
            for span in exported {
                let span = translate(span)?;
                traces.entry(span.trace_id.clone()).or_default().push(span);
            }
            Ok(traces)
        })
        .await?;
        if translated.len() > MAX_TRACES {
            return Err(AppError::Invalid(format!("a request has spans of at most {MAX_TRACES} traces")));
        }
        let homes = self.homes(caller, may, translated.keys().cloned().collect()).await?;
        let created_by = may.principal().name.to_string();
        let batches = blocking("spans could not be read", move || {
            let mut batches = Vec::new();
            for (trace_id, mut spans) in translated {
                let home = homes.get(&trace_id).cloned().unwrap_or_default();
                while !spans.is_empty() {
                    let rest = spans.split_off(spans.len().min(CHUNK));
                    batches.push(batch(&trace_id, &home, &created_by, spans));
                    spans = rest;
                }
            }
            Ok(batches)
        })
        .await?;
        let mut together: Vec<SpanBatch> = Vec::new();
        let mut count = 0;
        for batch in batches {
            if count + batch.spans.len() > CHUNK {
                self.put_span_batches(caller, std::mem::take(&mut together)).await?;
                count = 0;
            }
            count += batch.spans.len();
            together.push(batch);
        }
        self.put_span_batches(caller, together).await
    }

    async fn put_span_batches(&self, caller: &Caller, batches: Vec<SpanBatch>) -> Result<(), AppError> {
        if batches.is_empty() {
            return Ok(());
        }
        let written = self
            .store()
            .write(move |tx| {
                for batch in &batches {
                    active_experiment(tx, &batch.experiment_id)?;
                    tx.put_spans(batch)?;
                }
                Ok(())
            })
            .await;
        match written {
            // It came meanwhile, or is in another workspace.
            Err(AppError::AlreadyExists { kind: "trace", id }) => Err(self.trace_elsewhere(caller, &id).await?),
            other => other,
        }
    }

    /// Where each trace is or will be. Nobody adds spans to a trace of an experiment that they may not edit.
    async fn homes(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        ids: Vec<String>,
    ) -> Result<BTreeMap<String, String>, AppError> {
        let named = may.resource().to_string();
        let default = named.clone();
        let mut homes: BTreeMap<String, String> = self
            .store()
            .read(move |tx| {
                let mut homes = BTreeMap::new();
                for id in ids {
                    let home = tx.experiment_of_trace(&id)?.unwrap_or_else(|| default.clone());
                    homes.insert(id, home);
                }
                Ok::<_, AppError>(homes)
            })
            .await?;
        let mut proofs: Vec<Authorized<Edit, ExperimentId>> = Vec::new();
        let proved = |proofs: &[Authorized<Edit, ExperimentId>], home: &String| {
            *home == named || proofs.iter().any(|proof| proof.resource().as_str() == home)
        };
        for (id, home) in &homes {
            if !proved(&proofs, home) {
                proofs.push(self.authorize_below(caller, Edit, experiment_id(home)?, "trace", id).await?);
            }
        }
        homes.retain(|_, home| proved(&proofs, home));
        Ok(homes)
    }
}

/// Spans of one trace, and what they say of it.
fn batch(trace_id: &str, experiment: &str, created_by: &str, spans: Vec<Translated>) -> SpanBatch {
    let started = spans.iter().map(|span| span.span.started / 1_000_000).min().unwrap_or(0);
    let ended = spans.iter().filter_map(|span| span.span.ended.map(|ended| ended / 1_000_000)).max();
    let root = spans.iter().find(|span| span.span.parent.is_none());
    let state = root.map(|root| if root.span.status == "ERROR" { TraceState::Error } else { TraceState::Ok });
    let shown = |key: &str, role: &str| root.and_then(|root| root.get(key)).map(|json| preview(json, role));
    let (request_preview, response_preview) = (shown(INPUTS, "user"), shown(OUTPUTS, "assistant"));
    let mut metadata = Vec::new();
    for (key, name) in [("session.id", "mlflow.trace.session"), ("user.id", "mlflow.trace.user")] {
        if let Some(value) = spans.iter().find_map(|span| span.text(key)) {
            metadata.push(Pair::new(name, limits::cut(&value, 250)));
        }
    }
    let spans = spans.into_iter().map(|span| span.span).collect();
    SpanBatch {
        trace_id: trace_id.to_owned(),
        experiment_id: experiment.to_owned(),
        created_by: created_by.to_owned(),
        spans,
        started,
        ended,
        state,
        request_preview,
        response_preview,
        metadata,
    }
}

/// Spans, up to what is written of them.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_spans(exported: Vec<ExportedSpan>) {
    let spans: Vec<Translated> = exported.into_iter().filter_map(|span| translate(span).ok()).collect();
    for span in &spans {
        let content = serde_json::from_str::<serde_json::Value>(&span.span.content);
        assert!(content.is_ok(), "what is kept of a span can't be read again: {}", span.span.content);
        assert!(!span.span.name.contains('\0'), "PostgreSQL takes no NUL");
    }
    let _ = batch("tr-fuzzed", "1", "somebody", spans);
}
