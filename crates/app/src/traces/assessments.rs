use sealyard_identity::{Authorized, Edit, ExperimentId, Read};
use sealyard_store::model::{Assessment, AssessmentKind, Pair};
use sealyard_store::{StoreError, Transaction};
use serde_json::Value;

use super::{limits, of_experiment};
use crate::{App, AppError};

/// Bytes of a value or of an error.
const MAX_VALUE: usize = 1024 * 1024;
/// Characters of a rationale.
const MAX_RATIONALE: usize = 100_000;
/// Characters of a name or of a source's id.
const MAX_NAME: usize = 250;
/// Assessments of a trace.
pub(super) const MAX_OF_TRACE: u64 = 1000;
/// Bytes of a trace's assessments. Every list of traces gives them out with each trace.
pub(super) const MAX_BYTES_OF_TRACE: u64 = 16 << 20;
/// Metadata that names the run an assessment came from.
const SOURCE_RUN: &str = "mlflow.assessment.sourceRunId";

/// An assessment as a client sends it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GivenAssessment {
    /// Only in what a whole trace comes with; otherwise the server makes one.
    pub id: Option<String>,
    pub name: String,
    pub kind: AssessmentKind,
    pub value: Value,
    pub error: Option<Value>,
    pub created: Option<i64>,
    pub updated: Option<i64>,
    pub source_type: String,
    pub source_id: Option<String>,
    pub span_id: Option<String>,
    pub rationale: Option<String>,
    pub overrides: Option<String>,
    pub metadata: Vec<Pair>,
}

/// Changes to an assessment; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct AssessmentUpdate {
    pub name: Option<String>,
    /// Its kind, its value and its error.
    pub value: Option<(AssessmentKind, Value, Option<Value>)>,
    pub rationale: Option<String>,
    /// Added to what is there.
    pub metadata: Vec<Pair>,
}

impl App {
    /// Adds an assessment to a trace; what it overrides is valid no more.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`]; [`AppError::Missing`] for an overridden one that is not there.
    pub async fn create_assessment(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        trace_id: &str,
        given: GivenAssessment,
    ) -> Result<Assessment, AppError> {
        let given = GivenAssessment { id: None, ..given };
        let assessment = self.checked_assessment(may.principal().name.as_str(), trace_id, given)?;
        let experiment = may.resource().clone();
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &assessment.trace_id)?;
                within_bounds(tx, &assessment.trace_id, |tx| {
                    tx.create_assessment(&assessment).map_err(|error| named(error, &assessment.trace_id))
                })?;
                Ok(assessment)
            })
            .await
    }

    /// The assessment.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Missing`].
    pub async fn assessment(
        &self,
        may: &Authorized<Read, ExperimentId>,
        trace_id: &str,
        id: &str,
    ) -> Result<Assessment, AppError> {
        let (experiment, trace_id, id) = (may.resource().clone(), trace_id.to_owned(), id.to_owned());
        self.store()
            .read(move |tx| {
                of_experiment(tx, &experiment, &trace_id)?;
                tx.assessment(&trace_id, &id)?.ok_or_else(|| not_found(&id, &trace_id))
            })
            .await
    }

    /// Changes an assessment. Its kind, source and span stay.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Missing`], [`AppError::Invalid`].
    pub async fn update_assessment(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        trace_id: &str,
        id: &str,
        update: AssessmentUpdate,
    ) -> Result<Assessment, AppError> {
        let AssessmentUpdate { name, value, rationale, metadata } = update;
        if let Some(name) = &name {
            check_name(name)?;
        }
        if let Some(rationale) = &rationale {
            limits::text("rationale", rationale, MAX_RATIONALE)?;
        }
        let metadata = limits::metadata(metadata)?;
        let value = value
            .map(|(kind, value, error)| Ok::<_, AppError>((kind, json(value)?, error.map(json).transpose()?)))
            .transpose()?;
        let (experiment, trace_id, id, now) =
            (may.resource().clone(), trace_id.to_owned(), id.to_owned(), self.now().as_millis());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &trace_id)?;
                let mut changed = tx.assessment(&trace_id, &id)?.ok_or_else(|| not_found(&id, &trace_id))?;
                if let Some((kind, value, error)) = value {
                    if kind != changed.kind {
                        let message = match kind {
                            AssessmentKind::Expectation => "Cannot update expectation value on a Feedback assessment.",
                            _ => "Cannot update feedback value on an Expectation assessment.",
                        };
                        return Err(AppError::Invalid(message.to_owned()));
                    }
                    (changed.value, changed.error) = (value, error);
                }
                changed.name = name.unwrap_or(changed.name);
                changed.rationale = rationale.or(changed.rationale);
                for pair in metadata {
                    changed.metadata.retain(|old| old.key != pair.key);
                    changed.metadata.push(pair);
                }
                limits::metadata(changed.metadata.clone())?;
                changed.updated = now;
                within_bounds(tx, &trace_id, |tx| Ok(tx.update_assessment(&changed)?))?;
                Ok(changed)
            })
            .await
    }

    /// Removes an assessment; what it overrode is valid again. One that is not there is gone already.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn delete_assessment(
        &self,
        may: &Authorized<Edit, ExperimentId>,
        trace_id: &str,
        id: &str,
    ) -> Result<(), AppError> {
        let (experiment, trace_id, id) = (may.resource().clone(), trace_id.to_owned(), id.to_owned());
        self.store()
            .write(move |tx| {
                of_experiment(tx, &experiment, &trace_id)?;
                tx.delete_assessment(&trace_id, &id)?;
                Ok(())
            })
            .await
    }

    /// Checks what a client sent, and adds what the server knows.
    pub(super) fn checked_assessment(
        &self,
        created_by: &str,
        trace_id: &str,
        given: GivenAssessment,
    ) -> Result<Assessment, AppError> {
        let metadata = limits::metadata(given.metadata)?;
        let now = self.now().as_millis();
        let time = |given: Option<i64>| given.filter(|millis| limits::time("time", *millis).is_ok() && *millis > 0);
        let id = given.id.filter(|id| limits::is_trace_id(id)).unwrap_or_else(|| format!("a-{}", self.rng().hex_id()));
        let run_id = metadata.iter().find(|pair| pair.key == SOURCE_RUN).map(|pair| limits::cut(&pair.value, 50));
        let checked = Assessment {
            id,
            trace_id: trace_id.to_owned(),
            name: given.name,
            kind: given.kind,
            value: json(given.value)?,
            error: given.error.map(json).transpose()?,
            created: time(given.created).unwrap_or(now),
            updated: time(given.updated).unwrap_or(now),
            source_type: given.source_type,
            source_id: given.source_id,
            run_id,
            span_id: given.span_id,
            rationale: given.rationale,
            overrides: given.overrides.filter(|id| !id.is_empty()),
            valid: true,
            metadata,
            created_by: created_by.to_owned(),
        };
        is_in_bounds(&checked)?;
        Ok(checked)
    }
}

/// Writes to a trace's assessments, in the caller's transaction, and refuses what makes them too many or too large. What an older
/// server let in may still become less.
pub(super) fn within_bounds<T>(
    tx: &mut dyn Transaction,
    trace_id: &str,
    write: impl FnOnce(&mut dyn Transaction) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let (count_before, bytes_before) = tx.size_of_assessments(trace_id)?;
    let written = write(tx)?;
    let (count, bytes) = tx.size_of_assessments(trace_id)?;
    if count > MAX_OF_TRACE.max(count_before) {
        return Err(AppError::Conflict(format!("a trace has at most {MAX_OF_TRACE} assessments")));
    }
    if bytes > MAX_BYTES_OF_TRACE.max(bytes_before) {
        return Err(AppError::Conflict(format!(
            "the assessments of a trace have at most {MAX_BYTES_OF_TRACE} bytes, all together"
        )));
    }
    Ok(written)
}

/// Refuses names, sources, spans and rationales that no assessment has.
pub(super) fn is_in_bounds(given: &Assessment) -> Result<(), AppError> {
    check_name(&given.name)?;
    limits::text("source_id", given.source_id.as_deref().unwrap_or_default(), MAX_NAME)?;
    limits::text("span_id", given.span_id.as_deref().unwrap_or_default(), 50)?;
    limits::text("overrides", given.overrides.as_deref().unwrap_or_default(), 50)?;
    limits::text("rationale", given.rationale.as_deref().unwrap_or_default(), MAX_RATIONALE)?;
    if !["SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE", "CODE"].contains(&given.source_type.as_str()) {
        return Err(AppError::Invalid(format!(
            "Invalid assessment source type: {}. Valid source types: HUMAN, LLM_JUDGE, CODE",
            limits::cut(&given.source_type, 80)
        )));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), AppError> {
    if name.is_empty() {
        return Err(AppError::Invalid("Missing value for required parameter 'assessment_name'.".to_owned()));
    }
    limits::text("assessment_name", name, MAX_NAME)
}

fn not_found(id: &str, trace_id: &str) -> AppError {
    let id = limits::cut(id, 80);
    AppError::Missing(format!("Assessment with ID '{id}' not found for trace '{trace_id}'"))
}

fn named(error: StoreError, trace_id: &str) -> AppError {
    match error {
        StoreError::NotFound { kind: "assessment", id } => not_found(&id, trace_id),
        other => other.into(),
    }
}

/// A value as it is kept. Protobuf's values know one kind of number, so that a whole one is written as such.
fn json(value: Value) -> Result<String, AppError> {
    let text = whole_numbers(value).to_string();
    if text.len() > MAX_VALUE {
        return Err(AppError::Invalid(format!("a value of an assessment has at most {MAX_VALUE} bytes")));
    }
    Ok(text)
}

fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            #[allow(clippy::cast_possible_truncation, reason = "whole and within ±2^53")]
            Some(float) if !number.is_i64() && float.fract() == 0.0 && float.abs() < 9e15 => (float as i64).into(),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn whole_numbers_are_written_as_such() {
        assert_eq!(json(value!({"a": [5.0, 0.5, "x", true, null]})).unwrap(), r#"{"a":[5,0.5,"x",true,null]}"#);
        assert!(json(Value::String("x".repeat(MAX_VALUE))).is_err());
    }
}
