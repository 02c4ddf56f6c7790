//! Traces, their spans and the judgements of them.

mod assessments;
mod builder;
mod filter;
mod metrics;
mod search;
mod spans;

use sealyard_store::model::{
    Measure, NewTrace, Pair, SpanBatch, Trace, TraceDeletion, TraceMetricPoint, TraceMetricQuery, TracePage,
    TraceQuery, TraceState,
};
use sealyard_store::{StoreError, Traces};

use self::builder::Builder;
use super::convert::{Columns as _, already_exists, not_found};
use super::experiments::found;
use super::pairs::{TRACE_METADATA, TRACE_TAGS};
use crate::doors::{elsewhere, here};
use crate::session::Session;

/// The tag that tells clients where a trace's artifacts are. Only the catalog writes it: a client believes it when it downloads.
const ARTIFACT_LOCATION: &str = "mlflow.artifactLocation";

impl Traces for Session<'_> {
    fn put_trace(&mut self, new: &NewTrace) -> Result<Trace, StoreError> {
        let NewTrace { trace, created_by, finalised, metrics } = new;
        let number = match self.trace_place(&trace.id)? {
            Some((number, experiment)) => {
                self.check_place(&trace.id, experiment, &trace.experiment_id)?;
                self.execute(
                    "UPDATE traces SET client_request_id = ?2, started = ?3, duration = ?4, state = ?5,
                         request_preview = coalesce(?6, request_preview), response_preview = coalesce(?7, response_preview),
                         finalised = ?8
                     WHERE number = ?1",
                    (
                        number,
                        &trace.client_request_id,
                        trace.started,
                        trace.duration,
                        trace.state.as_str(),
                        &trace.request_preview,
                        &trace.response_preview,
                        i64::from(*finalised),
                    ),
                )?;
                number
            }
            None => self.insert_trace(trace, created_by, *finalised)?,
        };
        self.put_pairs(TRACE_TAGS, number, &trace.tags)?;
        self.put_artifact_location(number, &trace.experiment_id, &trace.id)?;
        self.put_pairs(TRACE_METADATA, number, &trace.metadata)?;
        self.put_trace_metrics(number, metrics)?;
        self.put_assessments(number, &trace.assessments)?;
        self.load_trace(number)
    }

    fn trace(&mut self, id: &str) -> Result<Option<Trace>, StoreError> {
        found(self.trace_key(id).and_then(|number| self.load_trace(number)))
    }

    fn experiment_of_trace(&mut self, id: &str) -> Result<Option<String>, StoreError> {
        Ok(self.trace_place(id)?.map(|(_, experiment)| experiment.to_string()))
    }

    fn put_spans(&mut self, batch: &SpanBatch) -> Result<(), StoreError> {
        self.add_spans(batch)
    }

    fn spans(&mut self, trace_id: &str) -> Result<Vec<String>, StoreError> {
        let number = self.trace_key(trace_id)?;
        self.all(
            "SELECT content FROM spans WHERE trace = ?1
             ORDER BY CASE WHEN parent IS NULL THEN 0 ELSE 1 END, started, id",
            [number],
            |row| row.get(0),
        )
    }

    fn size_of_spans(&mut self, trace_ids: &[String]) -> Result<u64, StoreError> {
        let mut bytes = 0u64;
        for id in trace_ids {
            let of_one = self.optional(
                here!(
                    "SELECT coalesce(sum(octet_length(s.content)), 0) FROM spans s JOIN traces t ON t.number = s.trace WHERE t.id = ?1"
                ),
                (id, self.workspace()),
                |row| row.unsigned(0),
            )?;
            bytes = bytes.saturating_add(of_one.unwrap_or(0));
        }
        Ok(bytes)
    }

    fn end_trace(
        &mut self,
        id: &str,
        ended: i64,
        state: TraceState,
        metadata: &[Pair],
        tags: &[Pair],
    ) -> Result<Trace, StoreError> {
        let number = self.trace_key(id)?;
        self.execute(
            "UPDATE traces SET duration = ?2 - started, state = ?3 WHERE number = ?1",
            (number, ended, state.as_str()),
        )?;
        self.put_pairs(TRACE_METADATA, number, metadata)?;
        self.put_pairs(TRACE_TAGS, number, tags)?;
        let trace = self.load_trace(number)?;
        self.put_artifact_location(number, &trace.experiment_id, id)?;
        self.load_trace(number)
    }

    fn set_trace_tag(&mut self, id: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let number = self.trace_key(id)?;
        self.put_pairs(TRACE_TAGS, number, &[Pair::new(key, value)])
    }

    fn delete_trace_tag(&mut self, id: &str, key: &str) -> Result<(), StoreError> {
        let number = self.trace_key(id)?;
        self.delete_pair(TRACE_TAGS, number, key)
    }

    fn link_traces_to_run(&mut self, trace_ids: &[String], run_id: &str) -> Result<(), StoreError> {
        for id in trace_ids {
            // One of another workspace is as one that is not there, and never comes.
            if self.exists(elsewhere!("traces"), (id, self.workspace()))? {
                continue;
            }
            self.execute(
                "INSERT INTO trace_runs (run_id, trace_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (run_id, id),
            )?;
        }
        Ok(())
    }

    fn link_prompts_to_trace(&mut self, trace_id: &str, prompts: &[(String, String)]) -> Result<(), StoreError> {
        let number = self.trace_key(trace_id)?;
        self.execute_many(
            "INSERT INTO trace_prompts (trace, prompt) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            prompts.iter().map(|(name, version)| (number, format!("{name}/{version}"))),
        )?;
        Ok(())
    }

    fn search_traces(&mut self, query: &TraceQuery) -> Result<TracePage, StoreError> {
        self.find_traces(query)
    }

    fn count_traces(&mut self, query: &TraceQuery) -> Result<u64, StoreError> {
        self.count_found_traces(query)
    }

    fn traces_to_delete(&mut self, deletion: &TraceDeletion) -> Result<Vec<String>, StoreError> {
        let Some(experiment) = found(self.experiment_key(&deletion.experiment_id))? else { return Ok(Vec::new()) };
        let mut builder = Builder::new(self.dialect(), "SELECT t.id FROM traces t WHERE ");
        let experiment = builder.bind(experiment);
        builder.and(&format!("t.experiment = {experiment}"));
        if let Some(latest) = deletion.max_timestamp {
            let latest = builder.bind(latest);
            builder.and(&format!("t.started <= {latest}"));
        }
        if !deletion.trace_ids.is_empty() {
            let list = builder.bind_texts(&deletion.trace_ids)?;
            builder.and(&format!("t.id IN {list}"));
        }
        let limit = builder.bind(i64::from(deletion.limit));
        builder.push(&format!(" ORDER BY t.started, t.id LIMIT {limit}"));
        builder.all(self, |row| row.get(0))
    }

    fn delete_traces(&mut self, ids: &[String]) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for id in ids {
            let Some((number, _)) = self.trace_place(id)? else { continue };
            deleted += self.execute("DELETE FROM traces WHERE number = ?1", [number])?;
            self.execute("DELETE FROM trace_runs WHERE trace_id = ?1", [id])?;
        }
        Ok(deleted as u64)
    }

    fn trace_metrics(&mut self, query: &TraceMetricQuery) -> Result<Vec<TraceMetricPoint>, StoreError> {
        self.measure_traces(query)
    }
}

impl Session<'_> {
    pub(in super::super) fn trace_key(&self, id: &str) -> Result<i64, StoreError> {
        self.trace_place(id)?.map(|(number, _)| number).ok_or_else(|| not_found("trace", id))
    }

    /// A trace's number and experiment.
    fn trace_place(&self, id: &str) -> Result<Option<(i64, i64)>, StoreError> {
        let sql = here!("SELECT number, experiment FROM traces WHERE id = ?1");
        self.optional(sql, (id, self.workspace()), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// A trace stays where it is, whatever its next part names.
    fn check_place(&self, id: &str, found: i64, named: &str) -> Result<(), StoreError> {
        if found.to_string() == named {
            return Ok(());
        }
        Err(already_exists("trace", id))
    }

    fn insert_trace(&self, trace: &Trace, created_by: &str, finalised: bool) -> Result<i64, StoreError> {
        let experiment = self.active_experiment(&trace.experiment_id)?;
        let number = self.optional(
            "INSERT INTO traces (id, experiment, client_request_id, started, duration, state, request_preview,
                 response_preview, finalised, created_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING RETURNING number",
            (
                &trace.id,
                experiment,
                &trace.client_request_id,
                trace.started,
                trace.duration,
                trace.state.as_str(),
                &trace.request_preview,
                &trace.response_preview,
                i64::from(finalised),
                created_by,
            ),
            |row| row.get(0),
        )?;
        // It is in another workspace.
        number.ok_or_else(|| already_exists("trace", &trace.id))
    }

    fn put_artifact_location(&self, number: i64, experiment: &str, id: &str) -> Result<(), StoreError> {
        let location = format!("mlflow-artifacts:/{experiment}/traces/{id}/artifacts");
        self.put_pairs(TRACE_TAGS, number, &[Pair::new(ARTIFACT_LOCATION, location)])
    }

    fn put_trace_metrics(&self, number: i64, metrics: &[Measure]) -> Result<(), StoreError> {
        self.upsert_many(
            "INSERT INTO trace_metrics (trace, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (trace, key) DO UPDATE SET value = excluded.value",
            metrics.iter().map(|Measure { key, value }| (number, key, value)),
            |row| row.1.as_str(),
            |_, _| true,
        )?;
        Ok(())
    }

    fn load_trace(&self, number: i64) -> Result<Trace, StoreError> {
        let trace = self.optional(
            "SELECT id, experiment, client_request_id, started, duration, state, request_preview, response_preview, spans
             FROM traces WHERE number = ?1",
            [number],
            |row| {
                Ok(Trace {
                    id: row.get(0)?,
                    experiment_id: row.get::<i64>(1)?.to_string(),
                    client_request_id: row.get(2)?,
                    started: row.get(3)?,
                    duration: row.get(4)?,
                    state: row.named(5, TraceState::from_text)?,
                    request_preview: row.get(6)?,
                    response_preview: row.get(7)?,
                    spans: row.unsigned(8)?,
                    metadata: Vec::new(),
                    tags: Vec::new(),
                    assessments: Vec::new(),
                })
            },
        )?;
        let mut trace = trace.ok_or_else(|| not_found("trace", number.to_string()))?;
        trace.tags = self.pairs(TRACE_TAGS, number)?;
        trace.metadata = self.pairs(TRACE_METADATA, number)?;
        trace.assessments = self.assessments_of(number, &trace.id)?;
        Ok(trace)
    }
}
