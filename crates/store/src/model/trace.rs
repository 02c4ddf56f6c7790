use super::{Assessment, Comparison, Operand, Pair};

/// How a trace stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum TraceState {
    Unspecified,
    Ok,
    Error,
    InProgress,
}

impl TraceState {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Unspecified, Self::Ok, Self::Error, Self::InProgress];

    /// As MLflow writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "STATE_UNSPECIFIED",
            Self::Ok => "OK",
            Self::Error => "ERROR",
            Self::InProgress => "IN_PROGRESS",
        }
    }

    /// From what [`Self::as_str`] gives.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One execution of an application, without its spans.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct Trace {
    /// As the client made it: `tr-` and 32 hex digits for most of them.
    pub id: String,
    pub experiment_id: String,
    pub client_request_id: Option<String>,
    /// Milliseconds since the epoch, as the client gave it.
    pub started: i64,
    /// Milliseconds.
    pub duration: Option<i64>,
    pub state: TraceState,
    pub request_preview: Option<String>,
    pub response_preview: Option<String>,
    pub metadata: Vec<Pair>,
    pub tags: Vec<Pair>,
    pub assessments: Vec<Assessment>,
    /// Spans that the catalog holds; the others of the trace are in its artifacts, or nowhere yet.
    pub spans: u64,
}

impl Trace {
    /// About how many bytes it takes in an answer.
    #[must_use]
    pub fn size(&self) -> u64 {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let pairs = |pairs: &[Pair]| pairs.iter().map(|pair| pair.key.len() + pair.value.len() + 16).sum::<usize>();
        let previews = optional(&self.request_preview) + optional(&self.response_preview);
        let assessments = self.assessments.iter().map(Assessment::size).sum::<u64>();
        (previews + pairs(&self.metadata) + pairs(&self.tags) + 512) as u64 + assessments
    }
}

/// What a client says of a whole trace. It is believed over what its spans said before.
#[derive(Debug, Clone)]
pub struct NewTrace {
    /// The trace as it is to be; its `spans` are not looked at.
    pub trace: Trace,
    /// The authenticated principal that sent it.
    pub created_by: String,
    /// Whether spans that come later leave times, usage and cost alone.
    pub finalised: bool,
    /// Usage, by MLflow's keys of it.
    pub metrics: Vec<Measure>,
}

/// A number that was counted along the way, such as `input_tokens`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Measure {
    pub key: String,
    pub value: f64,
}

/// One step of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// 16 lower-case hex digits; unique in its trace.
    pub id: String,
    /// The span that this one is a part of; a trace's root has none.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// MLflow's span type, such as `LLM`.
    pub kind: Option<String>,
    /// `OK`, `ERROR` or `UNSET`.
    pub status: &'static str,
    /// Nanoseconds since the epoch.
    pub started: i64,
    /// Nanoseconds since the epoch.
    pub ended: Option<i64>,
    /// The whole span as MLflow's trace data have it: a JSON object.
    pub content: String,
    /// What searches by attribute look at.
    pub attributes: Vec<SpanAttribute>,
    /// The model that was called.
    pub model: Option<String>,
    /// Who provides it.
    pub provider: Option<String>,
    /// Its usage and cost.
    pub metrics: Vec<Measure>,
}

/// An attribute of a span, for searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanAttribute {
    /// Its name.
    pub key: String,
    /// Its text, or the JSON of what is no text.
    pub value: String,
    /// Whether there is more of it, which only the span's content has.
    pub cut: bool,
}

/// Spans of one trace, and what they say of it.
#[derive(Debug, Clone)]
pub struct SpanBatch {
    /// Their trace. It is made when it is not there.
    pub trace_id: String,
    /// Where it is made.
    pub experiment_id: String,
    /// The authenticated principal that sent them.
    pub created_by: String,
    /// Replace those of the same id.
    pub spans: Vec<Span>,
    /// Earliest start, in milliseconds.
    pub started: i64,
    /// Latest end, in milliseconds.
    pub ended: Option<i64>,
    /// How the root ended, if it is among them.
    pub state: Option<TraceState>,
    /// What the root was asked.
    pub request_preview: Option<String>,
    /// What the root answered.
    pub response_preview: Option<String>,
    /// Metadata that spans know of, such as session and user; what is there stays.
    pub metadata: Vec<Pair>,
}

/// What a condition or an order of a search for traces speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceField {
    /// A column, by MLflow's name of it; the parser lets only known ones through.
    Attribute(&'static str),
    /// A tag.
    Tag(String),
    /// Metadata.
    Metadata(String),
    /// A run that the trace was made in or was linked to.
    Run,
    /// A prompt version that the trace was linked to, as `name/version`.
    Prompt,
    /// `name`, `type` or `status` of a span. All conditions on spans must hold for the same span.
    Span(&'static str),
    /// An attribute of a span.
    SpanAttribute(String),
    /// Anywhere in a span.
    SpanContent,
    /// The value of a valid assessment: its kind and its name.
    Assessment(&'static str, String),
    /// An issue that the trace was linked to.
    Issue,
}

/// One condition of a search for traces; all of a search's conditions must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceCondition {
    /// What is compared.
    pub field: TraceField,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub operand: Operand,
}

/// One key of a sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOrder {
    /// An attribute, a tag or metadata.
    pub field: TraceField,
    /// Smallest first.
    pub ascending: bool,
}

/// A value that traces are ordered by.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SortValue {
    None,
    Integer(i64),
    Text(String),
}

/// A search for traces.
#[derive(Debug, Clone, Default)]
pub struct TraceQuery {
    /// In these experiments only.
    pub experiments: Vec<String>,
    /// All must hold.
    pub filter: Vec<TraceCondition>,
    /// These too; their conditions on spans may hold for another span than those of `filter`.
    pub and_also: Vec<TraceCondition>,
    /// First is most significant; then start time, newest first, then the id.
    pub order: Vec<TraceOrder>,
    /// At most so many.
    pub limit: u32,
    /// The values of the last trace of the page before, one for each key of the whole order.
    pub after: Option<Vec<SortValue>>,
}

/// Part of what a search for traces found.
#[derive(Debug, Clone)]
pub struct TracePage {
    /// What was found.
    pub items: Vec<Trace>,
    /// Where the next page begins, if there is one: goes into [`TraceQuery::after`].
    pub next: Option<Vec<SortValue>>,
}

/// Which traces of an experiment are to be deleted: all that fit every bound that is given, oldest first.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct TraceDeletion {
    pub experiment_id: String,
    /// Milliseconds; that moment included.
    pub max_timestamp: Option<i64>,
    pub trace_ids: Vec<String>,
    /// At most so many.
    pub limit: u32,
}
