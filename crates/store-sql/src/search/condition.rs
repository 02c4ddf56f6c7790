use sealyard_store::StoreError;
use sealyard_store::model::{Comparison, Condition, Field, Operand};

use super::Statement;
use super::target::Side;
use crate::sqlite::like::MAX_PATTERN;

impl Statement {
    /// Adds one condition of the caller.
    pub(super) fn condition(&mut self, condition: &Condition) -> Result<(), StoreError> {
        let Condition { field, comparison, operand } = condition;
        match field {
            Field::Attribute(name) => {
                let expression = (self.target.attribute)(name).ok_or_else(|| unsupported("attribute", name))?;
                let text = match comparison {
                    Comparison::IsNull => format!("{expression} IS NULL"),
                    Comparison::IsNotNull => format!("{expression} IS NOT NULL"),
                    _ => self.compare(expression, *comparison, operand)?,
                };
                self.and(&text);
                Ok(())
            }
            Field::Metric(key) => {
                let side = self.target.metrics.ok_or_else(|| unsupported("metric", key))?;
                self.metric(side, key, *comparison, operand)
            }
            Field::Parameter(key) => {
                let side = self.target.params.ok_or_else(|| unsupported("parameter", key))?;
                self.pair(side, key, *comparison, operand)
            }
            Field::Tag(key) => {
                let side = self.target.tags.ok_or_else(|| unsupported("tag", key))?;
                self.pair(side, key, *comparison, operand)
            }
            Field::Dataset(name) => {
                let side = self.target.datasets.ok_or_else(|| unsupported("dataset field", name))?;
                self.dataset(side, name, *comparison, operand)
            }
        }
    }

    /// NaN is unequal to every number, and neither less nor greater.
    fn metric(&mut self, side: Side, key: &str, comparison: Comparison, operand: &Operand) -> Result<(), StoreError> {
        let Side { table, owner } = side;
        let key = self.bind(key.to_owned());
        let of = format!("SELECT 1 FROM {table} s WHERE s.{owner} = t.number AND s.key = {key}");
        let text = match (comparison, operand) {
            (Comparison::IsNull, _) => format!("NOT EXISTS ({of})"),
            (Comparison::IsNotNull, _) => format!("EXISTS ({of})"),
            (_, Operand::Number(number)) if !number.is_nan() => {
                let sign = sign(comparison).ok_or_else(|| mismatch("a metric"))?;
                let number = self.bind(*number);
                if comparison == Comparison::NotEqual {
                    format!("EXISTS ({of} AND (s.nan = 1 OR s.value <> {number}))")
                } else {
                    format!("EXISTS ({of} AND s.nan = 0 AND s.value {sign} {number})")
                }
            }
            _ => return Err(mismatch("a metric")),
        };
        self.and(&text);
        Ok(())
    }

    fn pair(&mut self, side: Side, key: &str, comparison: Comparison, operand: &Operand) -> Result<(), StoreError> {
        let Side { table, owner } = side;
        let key = self.bind(key.to_owned());
        let of = format!("SELECT 1 FROM {table} s WHERE s.{owner} = t.number AND s.key = {key}");
        let text = match comparison {
            Comparison::IsNull => format!("NOT EXISTS ({of})"),
            Comparison::IsNotNull => format!("EXISTS ({of})"),
            _ => {
                if matches!(operand, Operand::Number(_)) {
                    return Err(mismatch("a tag or parameter"));
                }
                let compared = self.compare("s.value", comparison, operand)?;
                format!("EXISTS ({of} AND {compared})")
            }
        };
        self.and(&text);
        Ok(())
    }

    fn dataset(&mut self, side: Side, name: &str, comparison: Comparison, operand: &Operand) -> Result<(), StoreError> {
        let Side { table, owner } = side;
        let column = match name {
            "name" => "s.name",
            "digest" => "s.digest",
            "context" => "s.context",
            _ => return Err(unsupported("dataset field", name)),
        };
        let of = format!("SELECT 1 FROM {table} s WHERE s.{owner} = t.number");
        let text = match comparison {
            Comparison::IsNull => format!("NOT EXISTS ({of} AND {column} IS NOT NULL)"),
            Comparison::IsNotNull => format!("EXISTS ({of} AND {column} IS NOT NULL)"),
            _ => {
                let compared = self.compare(column, comparison, operand)?;
                format!("EXISTS ({of} AND {compared})")
            }
        };
        self.and(&text);
        Ok(())
    }

    /// The comparison of an expression of this crate with the caller's operand.
    fn compare(&mut self, expression: &str, comparison: Comparison, operand: &Operand) -> Result<String, StoreError> {
        match (comparison, operand) {
            (Comparison::Like | Comparison::ILike, Operand::Text(pattern)) => {
                if pattern.len() > MAX_PATTERN {
                    return Err(StoreError::Invalid(format!("a pattern may be {MAX_PATTERN} bytes long at most")));
                }
                let pattern = self.bind(pattern.clone());
                let text = format!("CAST({expression} AS TEXT)");
                Ok(self.dialect.like(&text, &pattern, comparison == Comparison::ILike))
            }
            (Comparison::In, Operand::List(texts)) => Ok(format!("{expression} IN {}", self.bind_list(texts)?)),
            (Comparison::NotIn, Operand::List(texts)) => Ok(format!("{expression} NOT IN {}", self.bind_list(texts)?)),
            (_, Operand::Text(text)) => {
                let sign = sign(comparison).ok_or_else(|| mismatch("a text"))?;
                Ok(format!("{expression} {sign} {}", self.bind(text.clone())))
            }
            (_, Operand::Number(number)) if !number.is_nan() => {
                let sign = sign(comparison).ok_or_else(|| mismatch("a number"))?;
                Ok(format!("{expression} {sign} {}", self.bind(*number)))
            }
            _ => Err(mismatch("this")),
        }
    }
}

fn sign(comparison: Comparison) -> Option<&'static str> {
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

pub(super) fn unsupported(what: &str, name: &str) -> StoreError {
    let name: String = name.chars().take(120).collect();
    StoreError::Invalid(format!("this search knows no {what} {name:?}"))
}

fn mismatch(what: &str) -> StoreError {
    StoreError::Invalid(format!("{what} can't be compared like that"))
}
