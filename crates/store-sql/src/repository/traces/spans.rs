use std::collections::BTreeMap;

use sealyard_store::StoreError;
use sealyard_store::model::{Measure, Pair, Span, SpanBatch, Trace, TraceState};

use super::super::pairs::{TRACE_METADATA, TRACE_TAGS};
use crate::session::Session;

/// Spans of one trace.
const MAX_SPANS: i64 = 100_000;
/// The tag that says that spans are here and not in an artifact.
const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";
const TOKEN_USAGE: &str = "mlflow.trace.tokenUsage";
const COST: &str = "mlflow.trace.cost";
const SESSION: &str = "mlflow.trace.session";

impl Session<'_> {
    pub(super) fn add_spans(&self, batch: &SpanBatch) -> Result<(), StoreError> {
        let number = self.trace_of_spans(batch)?;
        let mut added = 0i64;
        let mut measured = false;
        for span in &batch.spans {
            added += i64::from(self.put_span(number, span)?);
            measured |= !span.metrics.is_empty();
        }
        self.execute("UPDATE traces SET spans = spans + ?2 WHERE number = ?1", (number, added))?;
        let state: Option<(i64, bool)> =
            self.optional("SELECT spans, finalised FROM traces WHERE number = ?1", [number], |row| {
                Ok((row.get(0)?, row.get::<i64>(1)? != 0))
            })?;
        let (spans, finalised) = state.unwrap_or((0, false));
        if spans > MAX_SPANS {
            return Err(StoreError::Conflict(format!("trace {:?} has more than {MAX_SPANS} spans", batch.trace_id)));
        }
        self.follow_spans(number, finalised, batch)?;
        if measured {
            self.sum_spans(number, finalised)?;
        }
        Ok(())
    }

    /// Spans of a trace that is as it was already: it learns nothing from them.
    pub(in super::super) fn put_imported_spans(&self, trace_id: &str, spans: &[Span]) -> Result<(), StoreError> {
        let number = self.trace_key(trace_id)?;
        let mut added = 0i64;
        for span in spans {
            added += i64::from(self.put_span(number, span)?);
        }
        self.execute("UPDATE traces SET spans = spans + ?2 WHERE number = ?1", (number, added))?;
        Ok(())
    }

    fn trace_of_spans(&self, batch: &SpanBatch) -> Result<i64, StoreError> {
        if let Some((number, experiment)) = self.trace_place(&batch.trace_id)? {
            self.check_place(&batch.trace_id, experiment, &batch.experiment_id)?;
            return Ok(number);
        }
        let trace = Trace {
            id: batch.trace_id.clone(),
            experiment_id: batch.experiment_id.clone(),
            client_request_id: None,
            started: batch.started,
            duration: batch.ended.map(|ended| ended.saturating_sub(batch.started)),
            state: batch.state.unwrap_or(TraceState::InProgress),
            request_preview: None,
            response_preview: None,
            metadata: Vec::new(),
            tags: Vec::new(),
            assessments: Vec::new(),
            spans: 0,
        };
        let number = self.insert_trace(&trace, &batch.created_by, false)?;
        self.put_artifact_location(number, &batch.experiment_id, &batch.trace_id)?;
        Ok(number)
    }

    /// Gives whether it is a new one.
    fn put_span(&self, trace: i64, span: &Span) -> Result<bool, StoreError> {
        let name: String = span.name.chars().take(500).collect();
        let kind: Option<String> = span.kind.as_ref().map(|kind| kind.chars().take(500).collect());
        let known: Option<i64> =
            self.optional("SELECT number FROM spans WHERE trace = ?1 AND id = ?2", (trace, &span.id), |row| {
                row.get(0)
            })?;
        let number = match known {
            Some(number) => {
                self.execute(
                    "UPDATE spans SET parent = ?2, name = ?3, kind = ?4, status = ?5, started = ?6, ended = ?7, model = ?8,
                         provider = ?9, content = ?10
                     WHERE number = ?1",
                    (
                        number,
                        &span.parent,
                        name,
                        kind,
                        span.status,
                        span.started,
                        span.ended,
                        &span.model,
                        &span.provider,
                        &span.content,
                    ),
                )?;
                self.execute("DELETE FROM span_attributes WHERE span = ?1", [number])?;
                self.execute("DELETE FROM span_metrics WHERE span = ?1", [number])?;
                Some(number)
            }
            None => self.optional(
                "INSERT INTO spans (trace, id, parent, name, kind, status, started, ended, model, provider, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING RETURNING number",
                (
                    trace,
                    &span.id,
                    &span.parent,
                    name,
                    kind,
                    span.status,
                    span.started,
                    span.ended,
                    &span.model,
                    &span.provider,
                    &span.content,
                ),
                |row| row.get(0),
            )?,
        };
        let number =
            number.ok_or_else(|| StoreError::Conflict("a span is being written by another request".to_owned()))?;
        for attribute in &span.attributes {
            self.execute(
                "INSERT INTO span_attributes (span, key, value, cut) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                (number, &attribute.key, &attribute.value, i64::from(attribute.cut)),
            )?;
        }
        for Measure { key, value } in &span.metrics {
            self.execute(
                "INSERT INTO span_metrics (span, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                (number, key, value),
            )?;
        }
        Ok(known.is_none())
    }

    /// What the trace learns from its spans. Once its client spoke of the trace as a whole, only what is missing.
    fn follow_spans(&self, number: i64, finalised: bool, batch: &SpanBatch) -> Result<(), StoreError> {
        if !finalised {
            self.execute(
                "UPDATE traces SET
                     duration = CASE WHEN CAST(?3 AS BIGINT) IS NULL THEN duration
                         WHEN duration IS NOT NULL AND started + duration > CAST(?3 AS BIGINT) THEN started + duration
                             - CASE WHEN started > ?2 THEN ?2 ELSE started END
                         ELSE CAST(?3 AS BIGINT) - CASE WHEN started > ?2 THEN ?2 ELSE started END END,
                     started = CASE WHEN started > ?2 THEN ?2 ELSE started END
                 WHERE number = ?1",
                (number, batch.started, batch.ended),
            )?;
        }
        if let Some(state) = batch.state {
            self.execute(
                "UPDATE traces SET state = ?2 WHERE number = ?1 AND state IN ('IN_PROGRESS', 'STATE_UNSPECIFIED')",
                (number, state.as_str()),
            )?;
        }
        self.execute(
            "UPDATE traces SET request_preview = coalesce(request_preview, ?2),
                 response_preview = coalesce(response_preview, ?3)
             WHERE number = ?1",
            (number, &batch.request_preview, &batch.response_preview),
        )?;
        for Pair { key, value } in &batch.metadata {
            if finalised && key == SESSION {
                continue;
            }
            self.execute(
                "INSERT INTO trace_metadata (trace, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                (number, key, value),
            )?;
        }
        self.put_pairs(TRACE_TAGS, number, &[Pair::new(SPANS_LOCATION, "TRACKING_STORE")])
    }

    /// Sums up what the spans used and cost: over all of them, so that a span that is sent again counts once.
    fn sum_spans(&self, number: i64, finalised: bool) -> Result<(), StoreError> {
        let sums: Vec<Measure> = self.all(
            "SELECT m.key, sum(m.value) FROM span_metrics m JOIN spans s ON s.number = m.span
             WHERE s.trace = ?1 GROUP BY m.key ORDER BY m.key",
            [number],
            |row| Ok(Measure { key: row.get(0)?, value: row.get(1)? }),
        )?;
        let (cost, usage): (Vec<_>, Vec<_>) = sums.into_iter().partition(|sum| sum.key.ends_with("_cost"));
        for (key, sums, whole) in [(TOKEN_USAGE, &usage, true), (COST, &cost, false)] {
            let kept = finalised
                && self.exists("SELECT 1 FROM trace_metadata WHERE trace = ?1 AND key = ?2", (number, key))?;
            if sums.is_empty() || kept {
                continue;
            }
            let fields: BTreeMap<&str, serde_json::Value> =
                sums.iter().map(|Measure { key, value }| (key.as_str(), number_value(*value, whole))).collect();
            let text = serde_json::to_string(&fields).map_err(crate::error::backend)?;
            self.put_pairs(TRACE_METADATA, number, &[Pair::new(key, text)])?;
            if whole {
                self.put_trace_metrics(number, sums)?;
            }
        }
        Ok(())
    }
}

/// Tokens are counted in whole numbers, money is not.
fn number_value(value: f64, whole: bool) -> serde_json::Value {
    if whole && value.fract() == 0.0 && value.abs() < 9e15 {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within ±2^53")]
        return (value as i64).into();
    }
    value.into()
}
