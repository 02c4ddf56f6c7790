use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::{
    AnyValue, Attribute, Bounds, Counter, Event, ExportedSpan, OtlpError, StatusCode, id, parent, service_name,
};

/// Reads the JSON form of an `ExportTraceServiceRequest`.
///
/// # Errors
/// [`OtlpError`].
pub fn from_json(bytes: &[u8], bounds: Bounds) -> Result<Vec<ExportedSpan>, OtlpError> {
    // serde_json ends at a depth of 128, and what is not known is passed over without being kept.
    let request: Request =
        serde_json::from_slice(bytes).map_err(|_| OtlpError::Malformed("it is not the JSON of a trace export"))?;
    let mut counter = Counter::new(bounds);
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let service = service_name(&attributes(resource.resource.attributes, 1, &mut counter)?);
        for given in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            counter.span()?;
            spans.push(span(given, service.as_ref(), &mut counter)?);
        }
    }
    Ok(spans)
}

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default, rename = "resourceSpans", alias = "resource_spans")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Deserialize)]
struct ResourceSpans {
    #[serde(default)]
    resource: Resource,
    #[serde(default, rename = "scopeSpans", alias = "scope_spans")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Default, Deserialize)]
struct Resource {
    #[serde(default)]
    attributes: Vec<GivenAttribute>,
}

#[derive(Debug, Deserialize)]
struct ScopeSpans {
    #[serde(default)]
    spans: Vec<GivenSpan>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct GivenSpan {
    #[serde(alias = "trace_id")]
    trace_id: String,
    #[serde(alias = "span_id")]
    span_id: String,
    #[serde(alias = "parent_span_id")]
    parent_span_id: Option<String>,
    name: String,
    #[serde(alias = "start_time_unix_nano")]
    start_time_unix_nano: Number,
    #[serde(alias = "end_time_unix_nano")]
    end_time_unix_nano: Number,
    status: Status,
    attributes: Vec<GivenAttribute>,
    events: Vec<GivenEvent>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: Code,
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GivenEvent {
    #[serde(alias = "time_unix_nano")]
    time_unix_nano: Number,
    name: String,
    attributes: Vec<GivenAttribute>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GivenAttribute {
    key: String,
    value: GivenValue,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GivenValue {
    #[serde(alias = "string_value")]
    string_value: Option<String>,
    #[serde(alias = "bool_value")]
    bool_value: Option<bool>,
    #[serde(alias = "int_value")]
    int_value: Option<Signed>,
    #[serde(alias = "double_value")]
    double_value: Option<Double>,
    #[serde(alias = "array_value")]
    array_value: Option<GivenList>,
    #[serde(alias = "kvlist_value")]
    kvlist_value: Option<GivenMap>,
    #[serde(alias = "bytes_value")]
    bytes_value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GivenList {
    values: Vec<GivenValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GivenMap {
    values: Vec<GivenAttribute>,
}

/// 64-bit numbers come as numbers and as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Given {
    Unsigned(u64),
    Signed(i64),
    Double(f64),
    Text(String),
}

#[derive(Debug, Default, Clone, Copy)]
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Given::deserialize(deserializer)? {
            Given::Unsigned(number) => Ok(Self(number)),
            Given::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map(Self).map_err(|_| D::Error::custom("a number is too large"))
            }
            _ => Err(D::Error::custom("expected a number")),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Signed(i64);

impl<'de> Deserialize<'de> for Signed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Given::deserialize(deserializer)? {
            Given::Unsigned(number) => {
                i64::try_from(number).map(Self).map_err(|_| D::Error::custom("a number is too large"))
            }
            Given::Signed(number) => Ok(Self(number)),
            Given::Text(text) => text.parse().map(Self).map_err(|_| D::Error::custom("expected a number")),
            Given::Double(_) => Err(D::Error::custom("expected a whole number")),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Double(f64);

impl<'de> Deserialize<'de> for Double {
    #[allow(clippy::cast_precision_loss, reason = "the value is a double")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Given::deserialize(deserializer)? {
            Given::Unsigned(number) => Ok(Self(number as f64)),
            Given::Signed(number) => Ok(Self(number as f64)),
            Given::Double(number) => Ok(Self(number)),
            Given::Text(text) => match text.as_str() {
                "NaN" => Ok(Self(f64::NAN)),
                "Infinity" => Ok(Self(f64::INFINITY)),
                "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
                text => text.parse().map(Self).map_err(|_| D::Error::custom("expected a number")),
            },
        }
    }
}

/// A status code comes as a number and by name.
#[derive(Debug, Default, Clone, Copy)]
struct Code(i64);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Given::deserialize(deserializer)? {
            Given::Unsigned(number) => Self(i64::try_from(number).unwrap_or(0)),
            Given::Text(text) if text == "STATUS_CODE_OK" => Self(1),
            Given::Text(text) if text == "STATUS_CODE_ERROR" => Self(2),
            _ => Self(0),
        })
    }
}

fn span(given: GivenSpan, service: Option<&String>, counter: &mut Counter) -> Result<ExportedSpan, OtlpError> {
    counter.name(&given.name)?;
    let mut events = Vec::new();
    for event in given.events {
        counter.event(events.len() + 1)?;
        counter.name(&event.name)?;
        let attributes = attributes(event.attributes, 1, counter)?;
        events.push(Event { name: event.name, time: event.time_unix_nano.0, attributes });
    }
    Ok(ExportedSpan {
        trace_id: id(&hex(&given.trace_id, "trace id")?, "trace id")?,
        span_id: id(&hex(&given.span_id, "span id")?, "span id")?,
        parent: parent(&hex(&given.parent_span_id.unwrap_or_default(), "parent span id")?)?,
        name: given.name,
        start: given.start_time_unix_nano.0,
        end: given.end_time_unix_nano.0,
        status: StatusCode::of(given.status.code.0),
        status_message: given.status.message,
        attributes: attributes(given.attributes, 1, counter)?,
        events,
        service: service.cloned(),
    })
}

fn attributes(given: Vec<GivenAttribute>, depth: usize, counter: &mut Counter) -> Result<Vec<Attribute>, OtlpError> {
    let mut found = Vec::new();
    for GivenAttribute { key, value } in given {
        counter.attribute(found.len() + 1)?;
        counter.value(depth)?;
        counter.name(&key)?;
        found.push(Attribute { key, value: any_value(value, depth, counter)? });
    }
    Ok(found)
}

fn any_value(given: GivenValue, depth: usize, counter: &mut Counter) -> Result<AnyValue, OtlpError> {
    counter.value(depth)?;
    Ok(match given {
        GivenValue { string_value: Some(text), .. } => AnyValue::Text(text),
        GivenValue { bool_value: Some(flag), .. } => AnyValue::Flag(flag),
        GivenValue { int_value: Some(number), .. } => AnyValue::Integer(number.0),
        GivenValue { double_value: Some(number), .. } => AnyValue::Double(number.0),
        GivenValue { array_value: Some(list), .. } => {
            let items = list.values.into_iter().map(|item| any_value(item, depth + 1, counter));
            AnyValue::List(items.collect::<Result<_, _>>()?)
        }
        GivenValue { kvlist_value: Some(map), .. } => AnyValue::Map(attributes(map.values, depth + 1, counter)?),
        GivenValue { bytes_value: Some(text), .. } => {
            let bytes = STANDARD.decode(text).map_err(|_| OtlpError::Malformed("bytes are not in base64"))?;
            AnyValue::Bytes(bytes)
        }
        _ => AnyValue::None,
    })
}

/// Ids are 32 or 16 hexadecimal digits, in either case.
fn hex(text: &str, what: &'static str) -> Result<Vec<u8>, OtlpError> {
    let digits = text.as_bytes();
    if digits.len() > 32 || !digits.len().is_multiple_of(2) {
        return Err(OtlpError::Id(what));
    }
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u8::from_str_radix(text, 16).ok()
    };
    digits.chunks(2).map(|pair| byte(pair).ok_or(OtlpError::Id(what))).collect()
}
