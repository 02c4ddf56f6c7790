use super::Pair;

/// What kind of judgement an assessment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum AssessmentKind {
    Feedback,
    Expectation,
    Issue,
}

impl AssessmentKind {
    /// As the catalog has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feedback => "feedback",
            Self::Expectation => "expectation",
            Self::Issue => "issue",
        }
    }

    /// From what [`Self::as_str`] gives.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Feedback, Self::Expectation, Self::Issue].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A judgement of a trace, or of one of its spans, by a person or a program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct Assessment {
    /// Unique in its trace.
    pub id: String,
    pub trace_id: String,
    pub name: String,
    pub kind: AssessmentKind,
    /// JSON.
    pub value: String,
    /// JSON object of the error that kept a feedback from having a value.
    pub error: Option<String>,
    /// Milliseconds since the epoch, as the client gave it.
    pub created: i64,
    /// Milliseconds since the epoch.
    pub updated: i64,
    pub source_type: String,
    pub source_id: Option<String>,
    pub run_id: Option<String>,
    pub span_id: Option<String>,
    pub rationale: Option<String>,
    /// The assessment that this one replaces.
    pub overrides: Option<String>,
    /// Whether no other replaces it.
    pub valid: bool,
    pub metadata: Vec<Pair>,
    /// The authenticated principal that wrote it.
    pub created_by: String,
}

impl Assessment {
    /// About how many bytes it takes in an answer.
    #[must_use]
    pub fn size(&self) -> u64 {
        let texts = [&self.error, &self.source_id, &self.run_id, &self.span_id, &self.rationale];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        let metadata = self.metadata.iter().map(|pair| pair.key.len() + pair.value.len() + 16).sum::<usize>();
        (self.name.len() + self.value.len() + texts + metadata + 512) as u64
    }
}
