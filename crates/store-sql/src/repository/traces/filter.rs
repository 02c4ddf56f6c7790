use sealyard_store::StoreError;
use sealyard_store::model::{Comparison, Operand, TraceCondition, TraceField};

use super::builder::Builder;
use crate::postgres::rlike;
use crate::search::compare_whole;
use crate::session::Session;
use crate::sql::Dialect;
use crate::sqlite::like::MAX_PATTERN;

/// Rows up to which a condition finds traces by its own index. Above, traces are walked in their order and asked, since
/// a page of what is common is soon full.
const FEW: i64 = 2000;
/// The metadata that names the session a trace belongs to.
const SESSION: &str = "mlflow.trace.session";
/// The metadata that names the run a trace was made in.
const SOURCE_RUN: &str = "mlflow.sourceRun";

/// The column or expression of an attribute.
pub(super) fn attribute(name: &str) -> Option<&'static str> {
    Some(match name {
        "request_id" => "t.id",
        "timestamp_ms" => "t.started",
        "execution_time_ms" => "t.duration",
        "end_time_ms" => "(t.started + coalesce(t.duration, 0))",
        "status" => "t.state",
        "client_request_id" => "t.client_request_id",
        "experiment_id" => "t.experiment",
        _ => return None,
    })
}

impl Session<'_> {
    /// Adds the caller's conditions.
    pub(super) fn trace_conditions(&self, builder: &mut Builder, filter: &[TraceCondition]) -> Result<(), StoreError> {
        let mut of_span = Vec::new();
        for condition in filter {
            let TraceCondition { field, comparison, operand } = condition;
            match field {
                TraceField::Attribute(name) => {
                    let expression = attribute(name).ok_or_else(|| unsupported(name))?;
                    let text = match operand {
                        Operand::Number(number) if !number.is_nan() && name.ends_with("_ms") => {
                            compare_whole(expression, *comparison, *number, |number| builder.bind(number))?
                        }
                        _ => compare(builder, expression, *comparison, operand)?,
                    };
                    builder.and(&text);
                }
                TraceField::Tag(key) => self.pair(builder, "trace_tags", key, *comparison, operand)?,
                TraceField::Metadata(key) => self.pair(builder, "trace_metadata", key, *comparison, operand)?,
                TraceField::Run => self.run(builder, *comparison, operand)?,
                TraceField::Prompt => {
                    let (Comparison::Equal, Operand::Text(prompt)) = (comparison, operand) else {
                        return Err(mismatch("a prompt"));
                    };
                    let prompt = builder.bind(prompt.clone());
                    builder
                        .and(&format!("t.number IN (SELECT p.trace FROM trace_prompts p WHERE p.prompt = {prompt})"));
                }
                TraceField::Assessment(kind, name) => assessment(builder, kind, name, *comparison, operand)?,
                TraceField::Issue => {
                    let (Comparison::Equal, Operand::Text(issue)) = (comparison, operand) else {
                        return Err(mismatch("an issue"));
                    };
                    let issue = builder.bind(issue.clone());
                    builder.and(&format!(
                        "EXISTS (SELECT 1 FROM trace_assessments a
                             WHERE a.trace = t.number AND a.kind = 'issue' AND a.name = {issue})"
                    ));
                }
                TraceField::Span(_) | TraceField::SpanAttribute(_) | TraceField::SpanContent => of_span.push(condition),
            }
        }
        if of_span.is_empty() { Ok(()) } else { self.span_conditions(builder, &of_span) }
    }

    /// A tag or metadata. As in MLflow, a trace without the key is unequal to nothing.
    fn pair(
        &self,
        builder: &mut Builder,
        table: &str,
        key: &str,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<(), StoreError> {
        let name = builder.bind(key.to_owned());
        let of = format!("SELECT 1 FROM {table} s WHERE s.trace = t.number AND s.key = {name}");
        let text = match comparison {
            Comparison::IsNull => format!("NOT EXISTS ({of})"),
            Comparison::IsNotNull => format!("EXISTS ({of})"),
            _ => {
                let compared = compare_indexed(builder, "s.value", comparison, operand)?;
                let found = format!("SELECT s.trace FROM {table} s WHERE s.key = {name} AND {compared}");
                if comparison == Comparison::Equal && self.finds_few(builder, &found)? {
                    format!("t.number IN ({found})")
                } else {
                    format!("EXISTS ({of} AND {compared})")
                }
            }
        };
        builder.and(&text);
        Ok(())
    }

    /// The run a trace was made in, or a run it was linked to.
    fn run(&self, builder: &mut Builder, comparison: Comparison, operand: &Operand) -> Result<(), StoreError> {
        let (Comparison::Equal, Operand::Text(run)) = (comparison, operand) else {
            return self.pair(builder, "trace_metadata", SOURCE_RUN, comparison, operand);
        };
        let key = builder.bind(SOURCE_RUN.to_owned());
        let compared = compare_indexed(builder, "s.value", comparison, operand)?;
        let run = builder.bind(run.clone());
        let made = format!("SELECT s.trace FROM trace_metadata s WHERE s.key = {key} AND {compared}");
        let linked = format!("SELECT l.trace_id FROM trace_runs l WHERE l.run_id = {run}");
        builder.and(&format!("(t.number IN ({made}) OR t.id IN ({linked}))"));
        Ok(())
    }

    /// All of them hold for the same span.
    fn span_conditions(&self, builder: &mut Builder, conditions: &[&TraceCondition]) -> Result<(), StoreError> {
        let mut parts = Vec::with_capacity(conditions.len());
        // One that can find spans by an index of its own.
        let mut indexed = false;
        for TraceCondition { field, comparison, operand } in conditions {
            let equal = *comparison == Comparison::Equal;
            parts.push(match field {
                TraceField::Span(name) => {
                    let column = match *name {
                        "name" => "s.name",
                        "type" => "s.kind",
                        "status" => "s.status",
                        other => return Err(unsupported(other)),
                    };
                    indexed |= equal && column != "s.status";
                    compare(builder, column, *comparison, operand)?
                }
                TraceField::SpanAttribute(key) => {
                    indexed |= equal;
                    span_attribute(builder, key, *comparison, operand)?
                }
                _ => compare(builder, "s.content", *comparison, operand)?,
            });
        }
        let all = parts.join(" AND ");
        let found = format!("SELECT s.trace FROM spans s WHERE {all}");
        let text = if indexed && self.finds_few(builder, &found)? {
            format!("t.number IN ({found})")
        } else {
            format!("EXISTS (SELECT 1 FROM spans s WHERE s.trace = t.number AND {all})")
        };
        builder.and(&text);
        Ok(())
    }

    /// Whether a subquery with the values bound so far gives only a few rows.
    fn finds_few(&self, builder: &Builder, subquery: &str) -> Result<bool, StoreError> {
        let limit = FEW + 1;
        let count = builder.with_values_of(&format!("SELECT count(*) FROM ({subquery} LIMIT {limit}) found"));
        let counted: Vec<i64> = count.all(self, |row| row.get(0))?;
        Ok(counted.first().is_some_and(|count| *count <= FEW))
    }
}

/// An attribute of the span `s`. What is kept of it for searches is its beginning; a longer one is looked for in the content.
fn span_attribute(
    builder: &mut Builder,
    key: &str,
    comparison: Comparison,
    operand: &Operand,
) -> Result<String, StoreError> {
    let name = builder.bind(key.to_owned());
    let compared = compare_indexed(builder, "a.value", comparison, operand)?;
    let of = |what: &str| format!("s.number IN (SELECT a.span FROM span_attributes a WHERE a.key = {name} AND {what})");
    let correlated = |what: &str| {
        format!("EXISTS (SELECT 1 FROM span_attributes a WHERE a.span = s.number AND a.key = {name} AND {what})")
    };
    match (comparison, operand) {
        (Comparison::Equal, _) => Ok(of(&compared)),
        (Comparison::Like | Comparison::ILike, Operand::Text(pattern)) => {
            let quoted = serde_json::to_string(key).unwrap_or_default();
            let pattern = format!("%{quoted}: %{pattern}%");
            let longer = compare(builder, "s.content", comparison, &Operand::Text(pattern))?;
            Ok(correlated(&format!("({compared} OR (a.cut = 1 AND {longer}))")))
        }
        _ => Ok(correlated(&compared)),
    }
}

/// An assessment of the trace, or one of its whole session by another trace of the same experiment.
fn assessment(
    builder: &mut Builder,
    kind: &str,
    name: &str,
    comparison: Comparison,
    operand: &Operand,
) -> Result<(), StoreError> {
    let kind = builder.bind(kind.to_owned());
    let name = builder.bind(name.to_owned());
    let mut of = format!("a.kind = {kind} AND a.name = {name} AND a.valid = 1");
    let negated = comparison == Comparison::IsNull;
    match (comparison, operand) {
        (Comparison::IsNull | Comparison::IsNotNull, _) => {}
        // Values are JSON: a text stands in quotes, a number or a flag does not.
        (Comparison::Equal | Comparison::NotEqual, Operand::Text(text)) => {
            let plain = builder.bind(text.clone());
            let quoted = builder.bind(serde_json::to_string(text).unwrap_or_default());
            let sign = if comparison == Comparison::Equal { "IN" } else { "NOT IN" };
            of.push_str(&format!(" AND a.value {sign} ({plain}, {quoted})"));
        }
        _ => {
            let compared = compare(builder, "a.value", comparison, operand)?;
            of.push_str(&format!(" AND {compared}"));
        }
    }
    let session = builder.bind(SESSION.to_owned());
    let text = format!(
        "(EXISTS (SELECT 1 FROM trace_assessments a WHERE a.trace = t.number AND {of})
          OR EXISTS (SELECT 1 FROM trace_metadata own
             JOIN trace_metadata other ON other.key = own.key
                 AND substr(other.value, 1, 100) = substr(own.value, 1, 100) AND other.value = own.value
             JOIN traces sibling ON sibling.number = other.trace AND sibling.experiment = t.experiment
             JOIN trace_assessments a ON a.trace = other.trace AND a.of_session = 1
             WHERE own.trace = t.number AND own.key = {session} AND {of}))"
    );
    builder.and(&if negated { format!("NOT {text}") } else { text });
    Ok(())
}

/// Like [`compare`], for a column that an index has the beginning of.
fn compare_indexed(
    builder: &mut Builder,
    expression: &str,
    comparison: Comparison,
    operand: &Operand,
) -> Result<String, StoreError> {
    let text = compare(builder, expression, comparison, operand)?;
    match (comparison, operand) {
        (Comparison::Equal, Operand::Text(value)) => {
            let beginning: String = value.chars().take(100).collect();
            let beginning = builder.bind(beginning);
            Ok(format!("(substr({expression}, 1, 100) = {beginning} AND {text})"))
        }
        _ => Ok(text),
    }
}

/// The comparison of an expression of this crate with the caller's operand.
fn compare(
    builder: &mut Builder,
    expression: &str,
    comparison: Comparison,
    operand: &Operand,
) -> Result<String, StoreError> {
    match (comparison, operand) {
        (Comparison::Like | Comparison::ILike | Comparison::RLike, Operand::Text(pattern)) => {
            if pattern.len() > MAX_PATTERN {
                return Err(StoreError::Invalid(format!("a pattern may be {MAX_PATTERN} bytes long at most")));
            }
            if comparison == Comparison::RLike {
                crate::sqlite::rlike::check(pattern)?;
            }
            let pattern = match (comparison, builder.dialect()) {
                (Comparison::RLike, Dialect::Postgres) => rlike::translate(pattern)?,
                _ => pattern.clone(),
            };
            let pattern = builder.bind(pattern);
            let text = format!("CAST({expression} AS TEXT)");
            Ok(match comparison {
                Comparison::RLike => builder.dialect().rlike(&text, &pattern),
                _ => builder.dialect().like(&text, &pattern, comparison == Comparison::ILike),
            })
        }
        (Comparison::In, Operand::List(texts)) => Ok(format!("{expression} IN {}", builder.bind_texts(texts)?)),
        (Comparison::NotIn, Operand::List(texts)) => Ok(format!("{expression} NOT IN {}", builder.bind_texts(texts)?)),
        (Comparison::IsNull, Operand::None) => Ok(format!("{expression} IS NULL")),
        (Comparison::IsNotNull, Operand::None) => Ok(format!("{expression} IS NOT NULL")),
        (_, Operand::Text(text)) => {
            let sign = sign(comparison).ok_or_else(|| mismatch("a text"))?;
            Ok(format!("{expression} {sign} {}", builder.bind(text.clone())))
        }
        (_, Operand::Number(number)) if !number.is_nan() => {
            let sign = sign(comparison).ok_or_else(|| mismatch("a number"))?;
            Ok(format!("{expression} {sign} {}", builder.bind(*number)))
        }
        _ => Err(mismatch("this")),
    }
}

pub(super) fn sign(comparison: Comparison) -> Option<&'static str> {
    Some(match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        _ => return None,
    })
}

pub(super) fn unsupported(name: &str) -> StoreError {
    let name: String = name.chars().take(120).collect();
    StoreError::Invalid(format!("a search for traces knows no field {name:?}"))
}

fn mismatch(what: &str) -> StoreError {
    StoreError::Invalid(format!("{what} can't be compared like that"))
}
