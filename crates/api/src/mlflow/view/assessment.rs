use std::collections::BTreeMap;

use sealyard_app::GivenAssessment;
use sealyard_core::Timestamp;
use sealyard_store::model::{Assessment, AssessmentKind, Pair};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::trace::map;
use crate::http::ApiError;

/// How MLflow writes an expectation that is no plain value.
const JSON_FORMAT: &str = "JSON_FORMAT";

/// An assessment of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct AssessmentInput {
    assessment_id: Option<String>,
    pub(in crate::mlflow) assessment_name: Option<String>,
    span_id: Option<String>,
    source: Option<Source>,
    create_time: Option<String>,
    last_update_time: Option<String>,
    feedback: Option<FeedbackInput>,
    expectation: Option<ExpectationInput>,
    issue: Option<IssueInput>,
    pub(in crate::mlflow) rationale: Option<String>,
    error: Option<Value>,
    pub(in crate::mlflow) metadata: BTreeMap<String, String>,
    overrides: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    source_type: Option<String>,
    source_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FeedbackInput {
    value: Value,
    error: Option<ErrorInput>,
}

/// What kept a feedback from having a value.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct ErrorInput {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_trace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExpectationInput {
    value: Option<Value>,
    serialized_value: Option<Serialized>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Serialized {
    serialization_format: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IssueInput {
    issue_name: String,
}

fn time(text: Option<&String>) -> Option<i64> {
    text.and_then(|text| Timestamp::from_rfc3339(text)).map(Timestamp::as_millis)
}

impl AssessmentInput {
    /// Its kind, value and error; exactly one of the kinds must be there.
    pub(in crate::mlflow) fn value(&mut self) -> Result<(AssessmentKind, Value, Option<Value>), ApiError> {
        let one = || ApiError::invalid("Exactly one of `expectation`, `feedback`, or `issue` should be specified.");
        match (self.feedback.take(), self.expectation.take(), self.issue.take()) {
            (Some(feedback), None, None) => {
                let error = feedback.error.and_then(|error| serde_json::to_value(error).ok());
                Ok((AssessmentKind::Feedback, feedback.value, error.or_else(|| self.error.take())))
            }
            (None, Some(expectation), None) => {
                let value = match expectation.serialized_value {
                    Some(serialized) if serialized.serialization_format == JSON_FORMAT => {
                        serde_json::from_str(&serialized.value)
                            .map_err(|_| ApiError::invalid("the serialized value of the expectation is not JSON"))?
                    }
                    Some(_) => {
                        return Err(ApiError::invalid("Unknown serialization format. Only JSON_FORMAT is supported."));
                    }
                    None => expectation.value.unwrap_or_default(),
                };
                if value.is_null() {
                    return Err(ApiError::invalid("The `value` field must be specified."));
                }
                Ok((AssessmentKind::Expectation, value, None))
            }
            (None, None, Some(issue)) => Ok((AssessmentKind::Issue, json!({ "issue_name": issue.issue_name }), None)),
            _ => Err(one()),
        }
    }

    /// Whether it has a feedback or an expectation at all.
    pub(in crate::mlflow) const fn has_value(&self) -> bool {
        self.feedback.is_some() || self.expectation.is_some() || self.issue.is_some()
    }
}

impl TryFrom<AssessmentInput> for GivenAssessment {
    type Error = ApiError;

    fn try_from(mut given: AssessmentInput) -> Result<Self, ApiError> {
        let (kind, value, error) = given.value()?;
        let source = given.source.unwrap_or_default();
        let default_source = match kind {
            AssessmentKind::Expectation => "HUMAN",
            AssessmentKind::Issue => "LLM_JUDGE",
            AssessmentKind::Feedback => "CODE",
        };
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            id: filled(given.assessment_id),
            name: given.assessment_name.unwrap_or_default(),
            kind,
            value,
            error,
            created: time(given.create_time.as_ref()),
            updated: time(given.last_update_time.as_ref()),
            source_type: source.source_type.unwrap_or_else(|| default_source.to_owned()),
            source_id: source.source_id,
            span_id: filled(given.span_id),
            rationale: filled(given.rationale),
            overrides: filled(given.overrides),
            metadata: given.metadata.into_iter().map(|(key, value)| Pair { key, value }).collect(),
        })
    }
}

/// An assessment of an answer.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct AssessmentView {
    assessment_id: String,
    assessment_name: String,
    trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    source: SourceView,
    create_time: String,
    last_update_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expectation: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rationale: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overrides: Option<String>,
    valid: bool,
}

#[derive(Debug, Serialize)]
struct SourceView {
    source_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_id: Option<String>,
}

impl From<Assessment> for AssessmentView {
    fn from(assessment: Assessment) -> Self {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let value = parsed(&assessment.value);
        let (mut feedback, mut expectation, mut issue) = (None, None, None);
        match assessment.kind {
            AssessmentKind::Feedback => {
                feedback = Some(match &assessment.error {
                    Some(error) => json!({ "value": value, "error": parsed(error) }),
                    None => json!({ "value": value }),
                });
            }
            AssessmentKind::Expectation => {
                expectation = Some(if value.is_array() || value.is_object() {
                    json!({ "serialized_value": { "serialization_format": JSON_FORMAT, "value": value.to_string() } })
                } else {
                    json!({ "value": value })
                });
            }
            AssessmentKind::Issue => issue = Some(value),
        }
        Self {
            assessment_id: assessment.id,
            assessment_name: assessment.name,
            trace_id: assessment.trace_id,
            span_id: assessment.span_id,
            source: SourceView { source_type: assessment.source_type, source_id: assessment.source_id },
            create_time: Timestamp::from_millis(assessment.created).to_rfc3339(),
            last_update_time: Timestamp::from_millis(assessment.updated).to_rfc3339(),
            feedback,
            expectation,
            issue,
            rationale: assessment.rationale,
            metadata: map(assessment.metadata),
            overrides: assessment.overrides,
            valid: assessment.valid,
        }
    }
}
