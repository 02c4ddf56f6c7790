use std::collections::BTreeMap;

use sealyard_core::Digest;
use sealyard_store::import::SourceTrace;
use sealyard_store::model::{ArtifactOwner, Assessment, Pair, Trace};

use super::super::Import;
use super::super::traces::{SpanWalk, TRACES, places_of_trace};
use super::{Sides, Sum, pairs};
use crate::AppError;
use crate::traces::stored::Stored;

/// The tag that the catalog writes itself: where a trace's files are is another place here.
const LOCATION: &str = "mlflow.artifactLocation";

impl Import {
    pub(super) fn verify_traces(&mut self, sides: &mut BTreeMap<String, Sides>) -> Result<(), AppError> {
        let mut after = String::new();
        let mut homes = BTreeMap::new();
        let mut count = 0;
        loop {
            let traces = self.source.traces(&after, TRACES)?;
            let Some(last) = traces.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for trace in traces {
                if self.stopped() {
                    return Ok(());
                }
                count += 1;
                let experiment = trace.experiment.to_string();
                let mut side = sides.remove(&experiment).unwrap_or_default();
                self.verify_trace(&mut side, &mut homes, trace)?;
                sides.insert(experiment, side);
            }
            self.say(&format!("verification: {count} traces"));
        }
    }

    fn verify_trace(
        &mut self,
        sides: &mut Sides,
        homes: &mut BTreeMap<i64, bool>,
        trace: SourceTrace,
    ) -> Result<(), AppError> {
        let (id, experiment) = (trace.id.clone(), trace.experiment);
        let (uri, usual) = places_of_trace(&trace);
        // What it says of refusals was noted when it was imported.
        let mut unused = self.place.clone();
        let Some(stored) = self.trace_to_store(trace, homes, &mut unused)? else {
            sides.refuse("traces");
            return Ok(());
        };
        let wanted = id.clone();
        let found = self.read(move |tx| {
            let Some(found) = tx.trace(&wanted)? else { return Ok(None) };
            let links = tx.links_of_trace(&wanted)?;
            Ok(Some((found, links)))
        })?;
        let Stored { new, mut runs, prompts, refused } = stored;
        let (mut prompts, wanted): (Vec<String>, _) =
            (prompts.into_iter().map(|(name, version)| format!("{name}/{version}")).collect(), new.trace);
        for list in [&mut runs, &mut prompts] {
            list.sort_unstable();
            list.dedup();
        }
        refused.iter().for_each(|part| sides.refuse(part.table));
        add_trace(sides, Sides::source, &wanted, (&runs, &prompts));
        let mut spans = 0;
        if let Some((found, (runs, prompts))) = &found {
            add_trace(sides, Sides::target, found, (runs, prompts));
            spans = found.spans;
        }
        self.verify_spans(sides, &id, spans)?;
        let owner = ArtifactOwner::Trace(id);
        let home = experiment.to_string();
        if found.is_some_and(|(found, _)| found.experiment_id == home) {
            self.verify_artifacts(sides, &owner, &uri, &usual)?;
        }
        Ok(())
    }

    /// Each span as it is to be, beside what is here.
    fn verify_spans(&mut self, sides: &mut Sides, trace: &str, spans: u64) -> Result<(), AppError> {
        let mut walk = SpanWalk::default();
        let mut seen = 0;
        while let Some(read) = self.next_spans(trace, &mut walk)? {
            for (_, made) in read {
                let Ok(span) = made else {
                    sides.refuse("spans");
                    continue;
                };
                let digest = |content: &str| Digest::of(content.as_bytes()).to_string();
                sides.source("spans").add(&[trace, &span.id, &digest(&span.content)]);
                let (of, wanted) = (trace.to_owned(), span.id.clone());
                if let Some(content) = self.read(move |tx| Ok(tx.span_content(&of, &wanted)?))? {
                    seen += 1;
                    sides.target("spans").add(&[trace, &span.id, &digest(&content)]);
                }
            }
        }
        for extra in seen..spans {
            sides.target("spans").add(&[trace, "one too many", &extra.to_string()]);
        }
        Ok(())
    }
}

fn add_trace(
    sides: &mut Sides,
    side: for<'a> fn(&'a mut Sides, &'static str) -> &'a mut Sum,
    trace: &Trace,
    (runs, prompts): (&[String], &[String]),
) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = trace.id.as_str();
    side(sides, "traces").add(&[
        id,
        &trace.experiment_id,
        &trace.started.to_string(),
        &trace.duration.map(|duration| duration.to_string()).unwrap_or_default(),
        trace.state.as_str(),
        &text(&trace.client_request_id),
        &text(&trace.request_preview),
        &text(&trace.response_preview),
    ]);
    let tags: Vec<Pair> = trace.tags.iter().filter(|tag| tag.key != LOCATION).cloned().collect();
    pairs(side(sides, "trace_tags"), id, &tags);
    pairs(side(sides, "trace_metadata"), id, &trace.metadata);
    for assessment in &trace.assessments {
        add_assessment(side(sides, "trace_assessments"), id, assessment);
    }
    for run in runs {
        side(sides, "trace_runs").add(&[id, run]);
    }
    for prompt in prompts {
        side(sides, "trace_prompts").add(&[id, prompt]);
    }
}

fn add_assessment(sum: &mut Sum, trace: &str, assessment: &Assessment) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut metadata = assessment.metadata.clone();
    metadata.sort();
    let metadata: Vec<String> = metadata.iter().map(|pair| format!("{:?}", (&pair.key, &pair.value))).collect();
    sum.add(&[
        trace,
        &assessment.id,
        &assessment.name,
        assessment.kind.as_str(),
        &assessment.value,
        &text(&assessment.error),
        &assessment.created.to_string(),
        &assessment.updated.to_string(),
        &assessment.source_type,
        &text(&assessment.source_id),
        &text(&assessment.run_id),
        &text(&assessment.span_id),
        &text(&assessment.rationale),
        &text(&assessment.overrides),
        if assessment.valid { "valid" } else { "overridden" },
        &metadata.join("\n"),
    ]);
}
