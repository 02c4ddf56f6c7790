//! OpenTelemetry's export of traces (`ExportTraceServiceRequest`), in protobuf and in its JSON form.
//!
//! Source: opentelemetry-proto 1.x, `collector/trace/v1` and `trace/v1`; OTLP/HTTP's JSON has ids in hexadecimal. What a
//! later release adds is passed over, as protobuf's readers do.

mod json;
mod message;
mod python;
mod wire;

pub use json::from_json;
pub use message::from_protobuf;
pub use python::to_python_json;

/// How much of a request is taken.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Spans of a request.
    pub spans: usize,
    /// Attributes of a span, of one of its events or of a resource.
    pub attributes: usize,
    /// Events of a span.
    pub events: usize,
    /// How deep values lie in each other.
    pub depth: usize,
    /// Values of a request, at any depth.
    pub values: usize,
    /// Bytes of a name or key.
    pub name: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { spans: 20_000, attributes: 1000, events: 5000, depth: 32, values: 1_000_000, name: 4096 }
    }
}

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// The bytes are not the message.
    #[error("Invalid OpenTelemetry format: {0}")]
    Malformed(&'static str),
    /// A bound is exceeded.
    #[error("the request has more {what} than the {bound} that are taken")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        bound: usize,
    },
    /// A span lacks an id, or has one of another length.
    #[error("Cannot convert OpenTelemetry span to MLflow span: its {0} is not valid")]
    Id(&'static str),
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum AnyValue {
    None,
    Text(String),
    Flag(bool),
    Integer(i64),
    Double(f64),
    List(Vec<AnyValue>),
    Map(Vec<Attribute>),
    Bytes(Vec<u8>),
}

/// A named value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Attribute {
    pub key: String,
    pub value: AnyValue,
}

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are OpenTelemetry's")]
pub enum StatusCode {
    Unset,
    Ok,
    Error,
}

impl StatusCode {
    fn of(code: i64) -> Self {
        match code {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are OpenTelemetry's")]
pub struct Event {
    pub name: String,
    /// Nanoseconds since the epoch.
    pub time: u64,
    pub attributes: Vec<Attribute>,
}

/// A span of a request. Its ids are present; that they are zero is said to be invalid, and MLflow's server takes it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are OpenTelemetry's")]
pub struct ExportedSpan {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub parent: Option<[u8; 8]>,
    pub name: String,
    /// Nanoseconds since the epoch.
    pub start: u64,
    /// Nanoseconds since the epoch; zero while it goes on.
    pub end: u64,
    pub status: StatusCode,
    pub status_message: String,
    pub attributes: Vec<Attribute>,
    pub events: Vec<Event>,
    /// `service.name` of the resource that made it.
    pub service: Option<String>,
}

/// The `service.name` among a resource's attributes.
fn service_name(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.key == "service.name").and_then(|attribute| match &attribute.value {
        AnyValue::Text(name) => Some(name.clone()),
        _ => None,
    })
}

fn id<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], OtlpError> {
    bytes.try_into().map_err(|_| OtlpError::Id(what))
}

/// An absent parent is no bytes, or zeroes by clients that write every field.
fn parent(bytes: &[u8]) -> Result<Option<[u8; 8]>, OtlpError> {
    if bytes.is_empty() || bytes == [0; 8] { Ok(None) } else { id(bytes, "parent span id").map(Some) }
}

/// Counts what a request has against its bounds.
#[derive(Debug)]
struct Counter {
    bounds: Bounds,
    spans: usize,
    values: usize,
}

impl Counter {
    const fn new(bounds: Bounds) -> Self {
        Self { bounds, spans: 0, values: 0 }
    }

    fn span(&mut self) -> Result<(), OtlpError> {
        self.spans += 1;
        at_most("spans", self.spans, self.bounds.spans)
    }

    fn value(&mut self, depth: usize) -> Result<(), OtlpError> {
        self.values += 1;
        at_most("values", self.values, self.bounds.values)?;
        at_most("levels of values", depth, self.bounds.depth)
    }

    fn attribute(&self, count: usize) -> Result<(), OtlpError> {
        at_most("attributes in one place", count, self.bounds.attributes)
    }

    fn event(&self, count: usize) -> Result<(), OtlpError> {
        at_most("events in one span", count, self.bounds.events)
    }

    fn name(&self, name: &str) -> Result<(), OtlpError> {
        at_most("bytes in one name", name.len(), self.bounds.name)
    }
}

fn at_most(what: &'static str, found: usize, bound: usize) -> Result<(), OtlpError> {
    if found > bound { Err(OtlpError::TooMany { what, bound }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
