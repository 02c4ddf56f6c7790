use std::collections::BTreeMap;

use sealyard_store::StoreError;
use sealyard_store::model::{Measure, Pair, Span, SpanBatch, Trace, TraceState};

use super::super::pairs::{TRACE_METADATA, TRACE_TAGS};
use crate::error::backend;
use crate::session::Session;

/// Spans of one trace.
const MAX_SPANS: i64 = 100_000;
/// Spans of an import that are written together.
const AT_ONCE: usize = 500;
/// The tag that says that spans are here and not in an artifact.
const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";
const TOKEN_USAGE: &str = "mlflow.trace.tokenUsage";
const COST: &str = "mlflow.trace.cost";
const SESSION: &str = "mlflow.trace.session";

impl Session<'_> {
    pub(super) fn add_spans(&self, batch: &SpanBatch) -> Result<(), StoreError> {
        let number = self.trace_of_spans(batch)?;
        let (added, measured) = self.put_all_spans(number, &batch.spans)?;
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
        for some in spans.chunks(AT_ONCE) {
            added += self.put_all_spans(number, some)?.0;
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

    /// Writes the spans, in a few statements for all of them: what another writer waits for is not to grow with round trips to
    /// the database. Gives how many are new, and whether any was measured.
    fn put_all_spans(&self, trace: i64, spans: &[Span]) -> Result<(i64, bool), StoreError> {
        // Of several with one id the last stands for all.
        let spans: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
        let ids = serde_json::to_string(&spans.keys().collect::<Vec<_>>()).map_err(backend)?;
        let list = self.dialect().texts("?2");
        let numbers = format!("SELECT id, number FROM spans WHERE trace = ?1 AND id IN {list}");
        let numbers = || self.all(&numbers, (trace, &ids), |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)));
        let known: Vec<i64> = numbers()?.into_iter().map(|(_, number)| number).collect();
        let cut = |text: &str| text.chars().take(500).collect::<String>();
        let rows = spans.values().map(|span| {
            (
                trace,
                &span.id,
                &span.parent,
                cut(&span.name),
                span.kind.as_deref().map(cut),
                span.status,
                span.started,
                span.ended,
                &span.model,
                &span.provider,
                &span.content,
            )
        });
        self.upsert_many(
            "INSERT INTO spans (trace, id, parent, name, kind, status, started, ended, model, provider, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (trace, id) DO UPDATE SET parent = excluded.parent, name = excluded.name, kind = excluded.kind,
                 status = excluded.status, started = excluded.started, ended = excluded.ended, model = excluded.model,
                 provider = excluded.provider, content = excluded.content",
            rows,
            |row| row.1.as_str(),
            |_, _| true,
        )?;
        if !known.is_empty() {
            let gone = serde_json::to_string(&known).map_err(backend)?;
            let list = self.dialect().integers("?1");
            self.execute(&format!("DELETE FROM span_attributes WHERE span IN {list}"), [&gone])?;
            self.execute(&format!("DELETE FROM span_metrics WHERE span IN {list}"), [&gone])?;
        }
        let numbers: BTreeMap<String, i64> = numbers()?.into_iter().collect();
        let numbered = || spans.values().filter_map(|span| Some((*numbers.get(&span.id)?, *span)));
        let attributes = numbered().flat_map(|(number, span)| {
            span.attributes
                .iter()
                .map(move |attribute| (number, &attribute.key, &attribute.value, i64::from(attribute.cut)))
        });
        self.execute_many(
            "INSERT INTO span_attributes (span, key, value, cut) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            attributes,
        )?;
        let metrics = numbered()
            .flat_map(|(number, span)| span.metrics.iter().map(move |Measure { key, value }| (number, key, value)));
        self.execute_many(
            "INSERT INTO span_metrics (span, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            metrics,
        )?;
        let added = i64::try_from(spans.len().saturating_sub(known.len())).unwrap_or(i64::MAX);
        Ok((added, spans.values().any(|span| !span.metrics.is_empty())))
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
        let metadata = batch.metadata.iter().filter(|pair| !finalised || pair.key != SESSION);
        self.execute_many(
            "INSERT INTO trace_metadata (trace, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            metadata.map(|Pair { key, value }| (number, key, value)),
        )?;
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
            let text = serde_json::to_string(&fields).map_err(backend)?;
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
