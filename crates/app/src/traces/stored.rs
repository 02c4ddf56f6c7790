//! Traces that another server kept, made into what this one keeps. Nothing of them was checked; what a client could not have
//! sent here does not come in this way either.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_formats::otlp::{AnyValue, Attribute, to_python_json};
use sealyard_store::import::{SourceAssessment, SourceSpan, SourceTrace};
use sealyard_store::model::{Assessment, NewTrace, Pair, Span, Trace, TraceState};
use serde_json::{Map, Value};

use super::assessments::{MAX_BYTES_OF_TRACE, MAX_OF_TRACE, is_in_bounds};
use super::limits;
use super::spans::{TRACE_ID, describe};
use crate::AppError;
use crate::import::json;

/// Bytes of a span.
pub(crate) const MAX_SPAN: u64 = 16 << 20;
/// Bytes of an assessment's value, error or metadata.
const MAX_VALUE: usize = 1024 * 1024;
/// Measures of a trace.
const MAX_MEASURES: usize = 100;
/// Runs, or prompt versions, that one trace is linked to.
const MAX_LINKS: usize = 10_000;

/// A trace to be kept, and what of it can't be.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) new: NewTrace,
    pub(crate) runs: Vec<String>,
    /// Names and versions.
    pub(crate) prompts: Vec<(String, String)>,
    /// What of it can't be kept.
    pub(crate) refused: Vec<Part>,
}

/// A part of a trace that can't be kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The table that it would be in.
    pub(crate) table: &'static str,
    /// Where it is below its trace, such as `assessments/a-1`.
    pub(crate) path: String,
    /// The rule that says so.
    pub(crate) rule: &'static str,
    /// Why.
    pub(crate) why: &'static str,
}

/// All but the spans.
///
/// # Errors
/// [`AppError::Invalid`] for what can't be a trace here.
pub(crate) fn trace(source: SourceTrace) -> Result<Stored, AppError> {
    limits::trace_id(&source.id)?;
    source.duration.map_or(Ok(0), |duration| limits::time("execution_duration", duration))?;
    if let Some(client) = &source.client_request_id {
        limits::text("client_request_id", client, 500)?;
    }
    let metadata = limits::stored("metadata", source.metadata)?;
    let mut refused = Vec::new();
    let mut metrics: Vec<_> = Vec::new();
    for measure in source.metrics {
        let why = if !measure.value.is_finite() {
            "its value is no number"
        } else if !limits::is_key(&measure.key) {
            "its name is none that a measure can have"
        } else if metrics.len() >= MAX_MEASURES {
            "its trace has more measures than a trace may have"
        } else {
            metrics.push(measure);
            continue;
        };
        let path = format!("metrics/{}", measure.key);
        refused.push(Part { table: "trace_metrics", path, rule: "trace.metric", why });
    }
    if metrics.is_empty() {
        metrics = super::write::usage(&metadata);
    }
    let (mut assessments, mut bytes) = (Vec::new(), 0_u64);
    for given in source.assessments {
        let id = given.id.clone();
        match assessment(given).and_then(|assessment| with_room(assessment, assessments.len(), bytes)) {
            Ok(assessment) => {
                bytes += assessment.size();
                assessments.push(assessment);
            }
            Err(why) => {
                let path = format!("assessments/{id}");
                refused.push(Part { table: "trace_assessments", path, rule: "trace.assessment", why });
            }
        }
    }
    let mut link = |table, path, why| refused.push(Part { table, path, rule: "trace.link", why });
    let surplus = "its trace has more links than a trace may have";
    let mut runs = Vec::new();
    for run in source.runs {
        if !limits::is_trace_id(&run) {
            link("trace_runs", format!("runs/{run}"), "it is no id of a run");
        } else if runs.len() >= MAX_LINKS {
            link("trace_runs", format!("runs/{run}"), surplus);
        } else {
            runs.push(run);
        }
    }
    let mut prompts = Vec::new();
    for text in source.prompts {
        match prompt(&text) {
            None => link("trace_prompts", format!("prompts/{text}"), "it is no version of a prompt"),
            Some(_) if prompts.len() >= MAX_LINKS => link("trace_prompts", format!("prompts/{text}"), surplus),
            Some(found) => prompts.push(found),
        }
    }
    let new = NewTrace {
        trace: Trace {
            experiment_id: source.experiment.to_string(),
            client_request_id: source.client_request_id.map(|id| limits::cut(&id, 500)),
            started: limits::time("request_time", source.started)?,
            duration: source.duration,
            state: source.state,
            request_preview: limits::preview(source.request_preview),
            response_preview: limits::preview(source.response_preview),
            metadata,
            tags: limits::stored("tags", source.tags)?,
            assessments,
            spans: 0,
            id: source.id,
        },
        created_by: "system".to_owned(),
        finalised: source.state != TraceState::InProgress,
        metrics,
    };
    Ok(Stored { new, runs, prompts, refused })
}

fn prompt(text: &str) -> Option<(String, String)> {
    let (name, version) = text.rsplit_once('/')?;
    super::links::is_prompt_version(name, version).then(|| (name.to_owned(), version.to_owned()))
}

fn assessment(source: SourceAssessment) -> Result<Assessment, &'static str> {
    let mut found = source.assessment.ok_or("it is of a kind that is not known")?;
    if source.too_large {
        return Err("its value, error, rationale or metadata are larger than an assessment's may be");
    }
    if !limits::is_trace_id(&found.id) {
        return Err("its id has characters that no id has");
    }
    is_in_bounds(&found).map_err(|_| "its name, source, span or rationale is none that an assessment can have")?;
    let time = |millis: i64| limits::time("time", millis).map_err(|_| "its time is none since 1970");
    (found.created, found.updated) = (time(found.created)?, time(found.updated)?);
    found.value = json::text(found.value, MAX_VALUE).ok_or("its value is no JSON, or too large")?;
    found.error = match found.error {
        Some(error) => Some(json::text(error, MAX_VALUE).ok_or("its error is no JSON, or too large")?),
        None => None,
    };
    if let Some(metadata) = &source.metadata {
        let Some(Value::Object(fields)) = json::read(metadata, MAX_VALUE) else {
            return Err("its metadata are no JSON");
        };
        let pairs = fields.into_iter().map(|(key, value)| Pair { key, value: plain(value) }).collect();
        found.metadata = limits::stored("metadata", pairs).map_err(|_| "its metadata are more than it can have")?;
    }
    for text in [&mut found.name, &mut found.source_type] {
        *text = limits::cut(text, usize::MAX);
    }
    for text in
        [&mut found.source_id, &mut found.run_id, &mut found.span_id, &mut found.rationale, &mut found.overrides]
    {
        *text = text.take().map(|text| limits::cut(&text, usize::MAX));
    }
    Ok(found)
}

/// The assessment, if it fits to as many that its trace has already.
fn with_room(assessment: Assessment, count: usize, bytes: u64) -> Result<Assessment, &'static str> {
    if count as u64 >= MAX_OF_TRACE || bytes.saturating_add(assessment.size()) > MAX_BYTES_OF_TRACE {
        return Err("its trace has more assessments, or more bytes of them, than a trace may have");
    }
    Ok(assessment)
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A span under the ids of its row: what its content says of itself and of its trace is written over.
///
/// # Errors
/// Why it is none.
pub(crate) fn span(trace_id: &str, source: SourceSpan) -> Result<Span, &'static str> {
    let id = bytes_of(&source.id, 8).ok_or("its id is none of a span")?;
    let parent = match &source.parent {
        Some(parent) => Some(bytes_of(parent, 8).ok_or("the id of its parent is none of a span")?),
        None => None,
    };
    if source.started < 0 || source.ended.is_some_and(|ended| ended < 0) {
        return Err("its time is none since 1970");
    }
    let most = usize::try_from(MAX_SPAN).unwrap_or(usize::MAX);
    let content = json::read(&source.content, most).ok_or("its content is no JSON, or too much of it")?;
    let Value::Object(mut content) = content else { return Err("its content is no object") };
    let attributes = match content.remove("attributes") {
        Some(Value::Object(attributes)) => attributes,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err("its attributes are no object"),
    };
    let mut dumped = vec![(TRACE_ID.to_owned(), to_python_json(&AnyValue::Text(trace_id.to_owned())))];
    for (key, value) in attributes {
        if key != TRACE_ID {
            dumped.push((key, plain(value)));
        }
    }
    let (status, code) = match source.status.as_str() {
        "OK" => ("OK", "STATUS_CODE_OK"),
        "ERROR" => ("ERROR", "STATUS_CODE_ERROR"),
        _ => ("UNSET", "STATUS_CODE_UNSET"),
    };
    let message = content.get("status").and_then(|status| status.get("message")).and_then(Value::as_str).unwrap_or("");
    let status_fields = Map::from_iter([("code".into(), code.into()), ("message".into(), message.into())]);
    let otel_id = trace_id.strip_prefix("tr-").and_then(|hex| bytes_of(hex, 16)).or_else(|| bytes_of(trace_id, 16));
    if let Some(otel_id) = otel_id {
        content.insert("trace_id".into(), STANDARD.encode(otel_id).into());
    } else if !content.get("trace_id").is_some_and(Value::is_string) {
        return Err("its trace has no id that spans have");
    }
    let name = match content.get("name").and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => source.name,
    };
    content.insert("span_id".into(), STANDARD.encode(&id).into());
    content.insert("parent_span_id".into(), parent.as_ref().map_or(Value::Null, |id| STANDARD.encode(id).into()));
    content.insert("name".into(), name.as_str().into());
    content.insert("start_time_unix_nano".into(), source.started.into());
    content.insert("end_time_unix_nano".into(), source.ended.map_or(Value::Null, Value::from));
    content.insert("status".into(), Value::Object(status_fields));
    if !content.get("events").is_some_and(Value::is_array) {
        content.insert("events".into(), Value::Array(Vec::new()));
    }
    let texts = dumped.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect();
    content.insert("attributes".into(), Value::Object(texts));
    let described = describe(&dumped);
    Ok(Span {
        id: hex::encode(&id),
        parent: parent.map(hex::encode),
        name: super::spans::without_nul(name),
        kind: described.kind.or(source.kind).map(super::spans::without_nul),
        status,
        started: source.started,
        ended: source.ended,
        content: to_python_json(&any(Value::Object(content))),
        attributes: described.attributes,
        model: described.model,
        provider: described.provider,
        metrics: described.metrics,
    })
}

/// So many bytes in hex digits.
fn bytes_of(text: &str, bytes: usize) -> Option<Vec<u8>> {
    hex::decode(text).ok().filter(|decoded| decoded.len() == bytes)
}

fn any(value: Value) -> AnyValue {
    match value {
        Value::Null => AnyValue::None,
        Value::Bool(flag) => AnyValue::Flag(flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => AnyValue::Integer(number),
            None => AnyValue::Double(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => AnyValue::Text(text),
        Value::Array(items) => AnyValue::List(items.into_iter().map(any).collect()),
        Value::Object(fields) => {
            AnyValue::Map(fields.into_iter().map(|(key, value)| Attribute { key, value: any(value) }).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use sealyard_store::model::AssessmentKind;

    use super::*;

    fn source_span(content: &str) -> SourceSpan {
        SourceSpan {
            id: "00000000000000ab".into(),
            parent: None,
            name: "step".into(),
            kind: Some("LLM".into()),
            status: "OK".into(),
            started: 5,
            ended: Some(9),
            content: content.into(),
        }
    }

    const TRACE: &str = "tr-0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn a_span_can_not_name_another_trace_or_span() {
        let content = r#"{"trace_id": "AAAA", "span_id": "AAAA", "parent_span_id": "AAAA", "name": "n", "status": {"code": "OK"},
            "start_time_unix_nano": 1, "attributes": {"mlflow.traceRequestId": "\"tr-other\"", "fruit": "\"apple\"",
            "mlflow.chat.tokenUsage": "{\"input_tokens\": 3}"}, "links": [NaN]}"#;
        let made = span(TRACE, source_span(content)).unwrap();
        let read: Value = serde_json::from_str(&made.content).unwrap();
        assert_eq!(read["trace_id"], "CvdlGRbNQ92ESOshHIAxnA==");
        assert_eq!(read["span_id"], "AAAAAAAAAKs=");
        assert_eq!(read["parent_span_id"], Value::Null);
        assert_eq!(read["attributes"]["mlflow.traceRequestId"], format!("\"{TRACE}\""));
        assert_eq!(read["start_time_unix_nano"], 5);
        assert_eq!(read["status"]["code"], "STATUS_CODE_OK");
        assert_eq!(read["links"][0], "NaN", "what is not known stays");
        assert!(!made.content.contains("tr-other"));
        assert_eq!((made.name.as_str(), made.kind.as_deref()), ("n", Some("LLM")));
        assert!((made.metrics[0].value - 3.0).abs() < f64::EPSILON);
        assert!(made.attributes.iter().any(|one| one.key == "fruit" && one.value == "apple"));
    }

    #[test]
    fn odd_spans_are_refused() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100), "]".repeat(100));
        for content in ["", "{", "[]", "{\"attributes\": 5}", &deep] {
            assert!(span(TRACE, source_span(content)).is_err(), "{content}");
        }
        for (id, parent) in [("../..", None), ("00000000000000ab", Some("x")), ("ab", None)] {
            let odd = SourceSpan { id: id.into(), parent: parent.map(Into::into), ..source_span("{}") };
            assert!(span(TRACE, odd).is_err(), "{id}");
        }
        assert!(span(TRACE, SourceSpan { started: -1, ..source_span("{}") }).is_err());
        assert!(span("other", source_span("{}")).is_err());
    }

    fn source_trace() -> SourceTrace {
        SourceTrace {
            id: TRACE.into(),
            experiment: 0,
            started: 5,
            duration: Some(1),
            state: TraceState::Ok,
            client_request_id: None,
            request_preview: None,
            response_preview: None,
            tags: vec![Pair::new("mlflow.artifactLocation", "file:///etc"), Pair::new("a", "b\0")],
            metadata: vec![Pair::new("mlflow.trace.tokenUsage", "{\"input_tokens\": 4}")],
            metrics: vec![],
            assessments: vec![],
            runs: vec!["r1".into(), "../x".into()],
            prompts: vec!["greeting/3".into(), "a/b/3".into(), "x/y".into()],
        }
    }

    fn judged(value: &str, metadata: Option<&str>) -> SourceAssessment {
        let assessment = Assessment {
            id: "a-1".into(),
            trace_id: TRACE.into(),
            name: "correct".into(),
            kind: AssessmentKind::Feedback,
            value: value.into(),
            error: None,
            created: 3,
            updated: 4,
            source_type: "HUMAN".into(),
            source_id: Some("ada".into()),
            run_id: None,
            span_id: None,
            rationale: None,
            overrides: None,
            valid: true,
            metadata: vec![],
            created_by: "system".into(),
        };
        SourceAssessment {
            id: "a-1".into(),
            assessment: Some(assessment),
            metadata: metadata.map(Into::into),
            too_large: false,
        }
    }

    #[test]
    fn a_trace_brings_only_what_it_may() {
        let made = trace(source_trace()).unwrap();
        assert_eq!(made.new.trace.tags, [Pair::new("a", "b")], "where its files are is not believed");
        assert_eq!(made.new.metrics.len(), 1, "usage that older versions have in the metadata only");
        assert_eq!((made.runs, made.prompts), (vec!["r1".into()], vec![("greeting".into(), "3".into())]));
        for odd in [
            SourceTrace { id: "../x".into(), ..source_trace() },
            SourceTrace { started: -1, ..source_trace() },
            SourceTrace { duration: Some(i64::MAX), ..source_trace() },
            SourceTrace { tags: vec![Pair::new("k".repeat(251), "")], ..source_trace() },
        ] {
            assert!(trace(odd).is_err());
        }
    }

    #[test]
    fn assessments_that_are_none_are_told() {
        let unknown = SourceAssessment { id: "a-2".into(), assessment: None, metadata: None, too_large: false };
        let assessments =
            vec![judged("NaN", Some("{\"a\": 1, \"b\": \"x\"}")), judged("{", None), unknown, judged("1", Some("[]"))];
        let made = trace(SourceTrace { assessments, ..source_trace() }).unwrap();
        let [kept] = made.new.trace.assessments.as_slice() else { panic!() };
        assert_eq!(kept.value, "\"NaN\"");
        assert_eq!(kept.metadata, [Pair::new("a", "1"), Pair::new("b", "x")]);
        let refused = |table| made.refused.iter().filter(|part| part.table == table).count();
        assert_eq!((refused("trace_runs"), refused("trace_prompts")), (1, 2), "links are told too");
        assert_eq!(refused("trace_assessments"), 3);
    }

    #[test]
    fn more_assessments_than_a_trace_has_are_told() {
        let kept_of = |assessments| {
            let made = trace(SourceTrace { assessments, ..source_trace() }).unwrap();
            let refused = made.refused.iter().filter(|part| part.rule == "trace.assessment").count();
            (made.new.trace.assessments.len(), refused)
        };
        assert_eq!(kept_of((0..1003).map(|_| judged("1", None)).collect()), (1000, 3));
        let large = format!("\"{}\"", "x".repeat(1_000_000));
        assert_eq!(kept_of((0..18).map(|_| judged(&large, None)).collect()), (16, 2));
    }
}
