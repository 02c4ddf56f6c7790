use std::collections::BTreeMap;

use sealyard_core::TreePath;
use sealyard_store::import::SourceTrace;
use sealyard_store::model::{ArtifactOwner, Pair, Span, TraceState};

use super::Import;
use super::progress::Place;
use crate::AppError;
use crate::traces::stored::{self, MAX_SPAN, Stored};

/// Traces of a page. Each can have a thousand tags, so that it is smaller than other pages.
pub(super) const TRACES: u32 = 50;
/// Spans that are read together have about so many bytes, one of them at least.
pub(super) const READ_BYTES: u64 = 4 << 20;
/// Spans that are read together.
pub(super) const READ_SPANS: u32 = 200;
/// Spans of one trace, as the catalog bounds it.
const MAX_SPANS: u64 = 100_000;
/// The tag that says where a trace's files are.
const LOCATION: &str = "mlflow.artifactLocation";

/// What waits to be written: traces, and spans of these and of others.
#[derive(Debug, Default)]
struct Waiting {
    traces: Vec<Stored>,
    spans: Vec<(String, Vec<Span>)>,
    bytes: u64,
}

impl Import {
    /// Traces with their assessments and links, then the spans of each. Both may be written again.
    pub(super) fn traces(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        let mut homes = BTreeMap::new();
        loop {
            let traces = self.source.traces(&self.place.after, TRACES)?;
            let Some(last) = traces.last().map(|trace| trace.id.clone()) else { return self.next_phase() };
            let mut place = self.place.clone();
            let mut waiting = Waiting::default();
            for trace in traces {
                if self.stopped() {
                    return Ok(());
                }
                count += 1;
                let id = trace.id.clone();
                if let Some(stored) = self.trace_to_store(trace, &mut homes, &mut place)? {
                    waiting.traces.push(stored);
                    self.spans_of_trace(&id, &mut waiting, &mut place)?;
                }
            }
            let place = place.at(last);
            self.write_traces(waiting, place)?;
            self.say(&format!("traces: {count}"));
        }
    }

    /// A trace as it is to be here, if it can be.
    pub(super) fn trace_to_store(
        &mut self,
        trace: SourceTrace,
        homes: &mut BTreeMap<i64, bool>,
        place: &mut Place,
    ) -> Result<Option<Stored>, AppError> {
        let what = format!("traces:/{}", trace.id);
        if !self.is_home(trace.experiment, homes)? {
            place.refuse(&what, "trace.experiment", "its experiment is not there");
            return Ok(None);
        }
        match stored::trace(trace) {
            Ok(stored) => {
                for part in &stored.refused {
                    place.refuse(&format!("{what}/{}", part.path), part.rule, part.why);
                }
                Ok(Some(stored))
            }
            Err(AppError::Invalid(reason)) => {
                place.refuse(&what, "trace.bounds", reason);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the experiment was taken in.
    pub(super) fn is_home(&self, experiment: i64, homes: &mut BTreeMap<i64, bool>) -> Result<bool, AppError> {
        if let Some(known) = homes.get(&experiment) {
            return Ok(*known);
        }
        let there = self.read(move |tx| Ok(tx.experiment(&experiment.to_string())?))?.is_some();
        if homes.len() < 10_000 {
            homes.insert(experiment, there);
        }
        Ok(there)
    }

    fn spans_of_trace(&mut self, id: &str, waiting: &mut Waiting, place: &mut Place) -> Result<(), AppError> {
        let mut walk = SpanWalk::default();
        while let Some(read) = self.next_spans(id, &mut walk)? {
            let mut spans = Vec::new();
            for (span, made) in read {
                match made {
                    Ok(span) => {
                        waiting.bytes += span.content.len() as u64 + 1000;
                        spans.push(span);
                    }
                    Err(why) => place.refuse(&format!("traces:/{id}/spans/{span}"), "trace.span", why),
                }
            }
            waiting.spans.push((id.to_owned(), spans));
            if waiting.bytes > READ_BYTES {
                let place = Place { refused: std::mem::take(&mut place.refused), ..self.place.clone() };
                self.write_traces(std::mem::take(waiting), place)?;
            }
        }
        Ok(())
    }

    fn write_traces(&mut self, waiting: Waiting, place: Place) -> Result<(), AppError> {
        self.write(place, move |tx| {
            for stored in waiting.traces {
                let id = stored.new.trace.id.clone();
                tx.put_trace(&stored.new)?;
                for run in &stored.runs {
                    tx.link_traces_to_run(std::slice::from_ref(&id), run)?;
                }
                tx.link_prompts_to_trace(&id, &stored.prompts)?;
            }
            for (id, spans) in waiting.spans {
                tx.import_spans(&id, &spans)?;
            }
            Ok(())
        })
    }

    /// The next spans of a trace as they are to be here, each with its id; those that can't be with the reason.
    #[allow(clippy::type_complexity, reason = "a list of results")]
    pub(super) fn next_spans(
        &mut self,
        trace: &str,
        walk: &mut SpanWalk,
    ) -> Result<Option<Vec<(String, Result<Span, &'static str>)>>, AppError> {
        if walk.waiting.is_empty() {
            walk.waiting = self.source.span_sizes(trace, &walk.after, READ_SPANS)?;
            let Some((last, _)) = walk.waiting.last() else { return Ok(None) };
            walk.after.clone_from(last);
            // The first is read first.
            walk.waiting.reverse();
        }
        let (mut ids, mut bytes, mut found) = (Vec::new(), 0, Vec::new());
        while let Some((id, size)) = walk.waiting.pop() {
            walk.count += 1;
            if size > MAX_SPAN {
                found.push((id, Err("it is larger than a span may be")));
                continue;
            }
            if walk.count > MAX_SPANS {
                found.push((id, Err("its trace has more spans than a trace may have")));
                continue;
            }
            bytes += size;
            ids.push(id);
            if bytes > READ_BYTES {
                break;
            }
        }
        for span in self.source.spans(trace, &ids)? {
            found.push((span.id.clone(), stored::span(trace, span)));
        }
        Ok(Some(found))
    }

    /// Files of traces: those that hold the spans where the database does not, and attachments.
    pub(super) fn trace_artifacts(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        loop {
            let traces = self.source.traces(&self.place.after, TRACES)?;
            let Some(last) = traces.last().map(|trace| trace.id.clone()) else { return self.next_phase() };
            let mut place = self.place.at(last);
            for trace in traces {
                if self.stopped() {
                    return Ok(());
                }
                let wanted = trace.id.clone();
                let home = trace.experiment.to_string();
                if self.read(move |tx| Ok(tx.experiment_of_trace(&wanted)?))?.is_none_or(|found| found != home) {
                    continue;
                }
                let (uri, usual) = places_of_trace(&trace);
                let owner = ArtifactOwner::Trace(trace.id.clone());
                count += self.take_in_owner(&owner, &uri, &usual, &mut place)?;
                self.note_refusals(&mut place)?;
                self.miss_spans(&trace, &owner, &mut place)?;
            }
            self.write(place, |_| Ok(()))?;
            self.say(&format!("files of traces: {count}"));
        }
    }

    /// Tells of a trace that ended and whose spans are nowhere.
    fn miss_spans(&mut self, trace: &SourceTrace, owner: &ArtifactOwner, place: &mut Place) -> Result<(), AppError> {
        if !matches!(trace.state, TraceState::Ok | TraceState::Error) {
            return Ok(());
        }
        if !self.source.span_sizes(&trace.id, "", 1)?.is_empty() {
            return Ok(());
        }
        let file = TreePath::new("traces.json").map_err(|error| AppError::internal("a name is no path", error))?;
        if !self.artifacts_of(owner, "")?.iter().any(|artifact| artifact.path == file) {
            let reason = "they are neither in the source's database nor in a file below the folder of artifacts; the rest of the \
                          trace is here";
            place.refuse(&format!("traces:/{}/spans", trace.id), "trace.spans", reason);
        }
        Ok(())
    }
}

/// Where a trace's spans were read to.
#[derive(Debug, Default)]
pub(super) struct SpanWalk {
    after: String,
    waiting: Vec<(String, u64)>,
    count: u64,
}

/// Where a trace's files are: what its tag says, and where MLflow puts them by itself.
pub(super) fn places_of_trace(trace: &SourceTrace) -> (String, String) {
    let tag = trace.tags.iter().find(|Pair { key, .. }| key == LOCATION);
    let usual = format!("{}/traces/{}/artifacts", trace.experiment, trace.id);
    (tag.map(|tag| tag.value.clone()).unwrap_or_default(), usual)
}
