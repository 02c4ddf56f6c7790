//! From OpenTelemetry's spans to MLflow's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_formats::otlp::{AnyValue, Attribute, ExportedSpan, StatusCode, to_python_json};
use sealyard_store::model::{Measure, Span, SpanAttribute};
use serde_json::Value;

use crate::AppError;

pub(super) const INPUTS: &str = "mlflow.spanInputs";
pub(super) const OUTPUTS: &str = "mlflow.spanOutputs";
pub(super) const TRACE_ID: &str = "mlflow.traceRequestId";
const SPAN_TYPE: &str = "mlflow.spanType";
const USAGE: &str = "mlflow.chat.tokenUsage";
const COST: &str = "mlflow.llm.cost";
const MODEL: &str = "mlflow.llm.model";
const PROVIDER: &str = "mlflow.llm.provider";

/// Characters of an attribute's value that searches look at.
const SEARCHED: usize = 500;
/// Bytes of an attribute's name that searches look at.
const SEARCHED_KEY: usize = 250;

const TOKENS: [&str; 5] =
    ["input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
const COSTS: [&str; 3] = ["input_cost", "output_cost", "total_cost"];

/// Services whose name is shown at the root of their traces, as MLflow does.
const KNOWN_SERVICES: [&str; 5] = ["claude-code", "codex_cli_rs", "codex_vscode", "gemini-cli", "qwen-code"];

/// A span with its attributes as the JSON texts that MLflow keeps.
pub(super) struct Translated {
    pub(super) trace_id: String,
    pub(super) span: Span,
    /// Name and JSON text of each attribute.
    pub(super) attributes: Vec<(String, String)>,
}

impl Translated {
    /// The JSON text of an attribute.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        get(&self.attributes, key)
    }

    /// An attribute that is a text, or the JSON of what is none.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(plain)
    }
}

fn get<'a>(attributes: &'a [(String, String)], key: &str) -> Option<&'a str> {
    attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// A text without its quotes; other JSON as it is.
fn plain(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}

/// MLflow's id of an OpenTelemetry trace.
pub(super) fn trace_id(span: &ExportedSpan) -> String {
    format!("tr-{}", hex::encode(span.trace_id))
}

/// Makes MLflow's span of an exported one.
///
/// # Errors
/// [`AppError::Invalid`] for times that no clock shows.
pub(super) fn translate(exported: ExportedSpan) -> Result<Translated, AppError> {
    let trace_id = trace_id(&exported);
    let ExportedSpan {
        trace_id: otel_id,
        span_id,
        parent,
        name,
        start,
        end,
        status,
        status_message,
        attributes,
        events,
        service,
    } = exported;
    let nanos = |time: u64| {
        i64::try_from(time).map_err(|_| AppError::Invalid("a span's time is after the year 2262".to_owned()))
    };
    let (started, ended) = (nanos(start)?, nanos(end)?);
    // Whatever a client says it is: the trace's id comes from the ids of the span alone.
    let mut dumped: Vec<(String, String)> =
        vec![(TRACE_ID.to_owned(), to_python_json(&AnyValue::Text(trace_id.clone())))];
    for Attribute { key, value } in &attributes {
        if key != TRACE_ID && get(&dumped, key).is_none() {
            dumped.push((key.clone(), to_python_json(value)));
        }
    }
    if let Some(service) = service.filter(|name| parent.is_none() && KNOWN_SERVICES.contains(&name.as_str()))
        && get(&dumped, "service.name").is_none()
    {
        dumped.push(("service.name".to_owned(), to_python_json(&AnyValue::Text(service))));
    }
    let found = conventions(&dumped);
    dumped.extend(found);
    let (status, code) = match status {
        StatusCode::Ok => ("OK", "STATUS_CODE_OK"),
        StatusCode::Error => ("ERROR", "STATUS_CODE_ERROR"),
        StatusCode::Unset => ("UNSET", "STATUS_CODE_UNSET"),
    };
    let text = |text: &str| AnyValue::Text(text.to_owned());
    let id = |bytes: &[u8]| AnyValue::Text(STANDARD.encode(bytes));
    let pair = |key: &str, value| Attribute { key: key.to_owned(), value };
    let events = events
        .into_iter()
        .map(|event| {
            Ok(AnyValue::Map(vec![
                pair("name", AnyValue::Text(event.name)),
                pair("time_unix_nano", AnyValue::Integer(nanos(event.time)?)),
                pair("attributes", AnyValue::Map(event.attributes.into_iter().map(numbers_of_json).collect())),
            ]))
        })
        .collect::<Result<_, AppError>>()?;
    let content = AnyValue::Map(vec![
        pair("trace_id", id(&otel_id)),
        pair("span_id", id(&span_id)),
        pair("parent_span_id", parent.map_or(AnyValue::None, |parent| id(&parent))),
        pair("name", text(&name)),
        pair("start_time_unix_nano", AnyValue::Integer(started)),
        pair("end_time_unix_nano", if ended == 0 { AnyValue::None } else { AnyValue::Integer(ended) }),
        pair("events", AnyValue::List(events)),
        pair("status", AnyValue::Map(vec![pair("code", text(code)), pair("message", AnyValue::Text(status_message))])),
        pair("attributes", AnyValue::Map(dumped.iter().map(|(key, value)| pair(key, text(value))).collect())),
    ]);
    let Described { kind, model, provider, metrics, attributes } = describe(&dumped);
    let span = Span {
        id: hex::encode(span_id),
        parent: parent.map(hex::encode),
        name: without_nul(name),
        kind,
        status,
        started,
        ended: (ended != 0).then_some(ended),
        content: to_python_json(&content),
        attributes,
        model,
        provider,
        metrics,
    };
    Ok(Translated { trace_id, span, attributes: dumped })
}

/// What is known of a span by its attributes.
pub(super) struct Described {
    pub(super) kind: Option<String>,
    pub(super) model: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) metrics: Vec<Measure>,
    /// What searches look at.
    pub(super) attributes: Vec<SpanAttribute>,
}

/// Looks at names and JSON texts of attributes.
pub(super) fn describe(dumped: &[(String, String)]) -> Described {
    let text = |key: &str| get(dumped, key).map(plain).map(without_nul);
    let mut metrics = get(dumped, USAGE).map(token_usage).unwrap_or_default();
    metrics.extend(get(dumped, COST).map(|cost| numbers(cost, &COSTS)).unwrap_or_default());
    Described {
        kind: text(SPAN_TYPE),
        model: text(MODEL),
        provider: text(PROVIDER),
        metrics,
        attributes: dumped.iter().filter_map(|(key, value)| searched(key, value)).collect(),
    }
}

/// JSON has no NaN; as an attribute of a span it stands in a text already.
fn numbers_of_json(attribute: Attribute) -> Attribute {
    fn clean(value: AnyValue) -> AnyValue {
        match value {
            AnyValue::Double(number) if !number.is_finite() => {
                AnyValue::Text(to_python_json(&AnyValue::Double(number)))
            }
            AnyValue::List(items) => AnyValue::List(items.into_iter().map(clean).collect()),
            AnyValue::Map(pairs) => AnyValue::Map(pairs.into_iter().map(numbers_of_json).collect()),
            other => other,
        }
    }
    Attribute { key: attribute.key, value: clean(attribute.value) }
}

/// PostgreSQL's texts have no NUL; the content has it, escaped.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

fn searched(key: &str, json: &str) -> Option<SpanAttribute> {
    if key.len() > SEARCHED_KEY || key == TRACE_ID || key.contains('\0') {
        return None;
    }
    let whole = without_nul(plain(json));
    let value: String = whole.chars().take(SEARCHED).collect();
    let cut = value.len() < whole.len();
    Some(SpanAttribute { key: key.to_owned(), value, cut })
}

/// The numbers of a JSON object of usage; the text may itself be in a JSON text.
pub(super) fn token_usage(json: &str) -> Vec<Measure> {
    numbers(json, &TOKENS)
}

fn numbers(json: &str, keys: &[&str]) -> Vec<Measure> {
    let value: Value = match serde_json::from_str(json) {
        Ok(Value::String(inner)) => serde_json::from_str(&inner).unwrap_or(Value::Null),
        Ok(value) => value,
        Err(_) => return Vec::new(),
    };
    let number = |key: &&str| {
        let value = value.get(key)?.as_f64().filter(|number| number.is_finite())?;
        Some(Measure { key: (*key).to_owned(), value })
    };
    keys.iter().filter_map(number).collect()
}

/// What MLflow's own attributes are called by OpenTelemetry's conventions for generative AI, `OpenInference` and Traceloop.
/// Only what a span lacks is added.
fn conventions(attributes: &[(String, String)]) -> Vec<(String, String)> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| get(attributes, key)).map(str::to_owned);
    let mut found = Vec::new();
    let mut add = |key: &str, value: Option<String>| {
        if get(attributes, key).is_none()
            && let Some(value) = value
        {
            found.push((key.to_owned(), value));
        }
    };
    add(SPAN_TYPE, span_type(attributes).map(|kind| format!("\"{kind}\"")));
    let inputs = [
        "gen_ai.input.messages",
        "gen_ai.tool.call.arguments",
        "input.value",
        "traceloop.entity.input",
        "gen_ai.prompt",
    ];
    add(INPUTS, first(&inputs));
    let outputs = [
        "gen_ai.output.messages",
        "gen_ai.tool.call.result",
        "output.value",
        "traceloop.entity.output",
        "gen_ai.completion",
    ];
    add(OUTPUTS, first(&outputs));
    add(MODEL, first(&["gen_ai.response.model", "gen_ai.request.model", "llm.model_name"]));
    add(PROVIDER, first(&["gen_ai.provider.name", "gen_ai.system", "llm.provider"]));
    add(USAGE, usage(attributes));
    found
}

fn usage(attributes: &[(String, String)]) -> Option<String> {
    let number = |keys: &[&str]| -> Option<i64> {
        keys.iter().find_map(|key| get(attributes, key)).and_then(|text| plain(text).parse().ok())
    };
    let input = number(&["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"])?;
    let output =
        number(&["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"])?;
    let total = number(&["gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total"])
        .unwrap_or_else(|| input.saturating_add(output));
    Some(format!("{{\"input_tokens\": {input}, \"output_tokens\": {output}, \"total_tokens\": {total}}}"))
}

fn span_type(attributes: &[(String, String)]) -> Option<String> {
    let of = |key: &str| get(attributes, key).map(plain);
    if let Some(kind) = of("openinference.span.kind").or_else(|| of("traceloop.span.kind")) {
        let known = [
            "LLM",
            "CHAIN",
            "AGENT",
            "TOOL",
            "RETRIEVER",
            "EMBEDDING",
            "RERANKER",
            "GUARDRAIL",
            "EVALUATOR",
            "WORKFLOW",
            "TASK",
        ];
        return known.into_iter().find(|name| name.eq_ignore_ascii_case(&kind)).map(str::to_owned);
    }
    let kind = match of("gen_ai.operation.name")?.as_str() {
        "chat" => "CHAT_MODEL",
        "create_agent" | "invoke_agent" => "AGENT",
        "embeddings" => "EMBEDDING",
        "execute_tool" => "TOOL",
        "text_completion" | "generate_content" => "LLM",
        _ => return None,
    };
    Some(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exported(attributes: &[(&str, AnyValue)]) -> ExportedSpan {
        ExportedSpan {
            trace_id: [1; 16],
            span_id: [2; 8],
            parent: None,
            name: "step".into(),
            start: 5,
            end: 0,
            status: StatusCode::Ok,
            status_message: String::new(),
            attributes: attributes
                .iter()
                .map(|(key, value)| Attribute { key: (*key).to_owned(), value: value.clone() })
                .collect(),
            events: vec![],
            service: Some("claude-code".into()),
        }
    }

    #[test]
    fn a_span_can_not_name_its_trace() {
        let span = translate(exported(&[(TRACE_ID, AnyValue::Text("tr-other".into()))])).unwrap();
        let id = format!("tr-{}", "01".repeat(16));
        assert_eq!(span.trace_id, id);
        assert_eq!(span.text(TRACE_ID), Some(id));
        assert!(!span.span.content.contains("tr-other"));
    }

    #[test]
    fn the_content_is_what_mlflow_keeps() {
        let span =
            translate(exported(&[("fruit", AnyValue::Text("apple".into())), ("n", AnyValue::Integer(3))])).unwrap();
        let content: Value = serde_json::from_str(&span.span.content).unwrap();
        assert_eq!(content["trace_id"], "AQEBAQEBAQEBAQEBAQEBAQ==");
        assert_eq!(content["attributes"]["fruit"], "\"apple\"");
        assert_eq!(content["attributes"]["n"], "3");
        assert_eq!(content["attributes"]["service.name"], "\"claude-code\"");
        assert_eq!(content["end_time_unix_nano"], Value::Null);
        assert_eq!(content["status"]["code"], "STATUS_CODE_OK");
        let fruit = span.span.attributes.iter().find(|attribute| attribute.key == "fruit").unwrap();
        assert_eq!((fruit.value.as_str(), fruit.cut), ("apple", false));
    }

    #[test]
    fn conventions_are_understood() {
        let text = |text: &str| AnyValue::Text(text.into());
        let span = translate(exported(&[
            ("gen_ai.operation.name", text("chat")),
            ("gen_ai.request.model", text("m-1")),
            ("gen_ai.usage.input_tokens", AnyValue::Integer(3)),
            ("gen_ai.usage.output_tokens", AnyValue::Integer(4)),
            ("input.value", text("hello")),
        ]))
        .unwrap();
        assert_eq!(span.span.kind.as_deref(), Some("CHAT_MODEL"));
        assert_eq!(span.span.model.as_deref(), Some("m-1"));
        assert_eq!(span.text(INPUTS).as_deref(), Some("hello"));
        let total = span.span.metrics.iter().find(|metric| metric.key == "total_tokens").unwrap();
        assert!((total.value - 7.0).abs() < f64::EPSILON);
    }

    #[test]
    fn odd_numbers_leave_the_content_readable() {
        let mut odd = exported(&[("nan", AnyValue::Double(f64::NAN))]);
        odd.events.push(sealyard_formats::otlp::Event {
            name: "e".into(),
            time: 1,
            attributes: vec![Attribute {
                key: "i".into(),
                value: AnyValue::List(vec![AnyValue::Double(f64::INFINITY)]),
            }],
        });
        let span = translate(odd).unwrap();
        let content: Value = serde_json::from_str(&span.span.content).unwrap();
        assert_eq!(content["events"][0]["attributes"]["i"][0], "Infinity");
        assert!(translate(ExportedSpan { start: u64::MAX, ..exported(&[]) }).is_err());
    }
}
