use sealyard_store::StoreError;
use sealyard_store::model::{Comparison, Condition, DatasetRef, Field, Operand};

use super::target::{Side, is_number};
use super::{HEAD, Statement};

impl Statement {
    /// One condition of the caller, asked of one row of the main table.
    pub(super) fn condition(&mut self, condition: &Condition) -> Result<String, StoreError> {
        let Condition { field, comparison, operand } = condition;
        match field {
            Field::Attribute(name) => {
                let expression = self.attribute(name)?;
                match comparison {
                    Comparison::IsNull => Ok(format!("{expression} IS NULL")),
                    Comparison::IsNotNull => Ok(format!("{expression} IS NOT NULL")),
                    _ => self.compare(expression, *comparison, operand),
                }
            }
            Field::Metric(key) => {
                let side = self.target.metrics.ok_or_else(|| unsupported("metric", key))?;
                self.metric(side, Some(key), &[], *comparison, operand)
            }
            Field::MetricOn(key, datasets) => {
                let side = self.target.metrics.filter(|side| !side.knows_run);
                let side =
                    side.ok_or_else(|| unsupported("metric of a data set", key.as_deref().unwrap_or_default()))?;
                self.metric(side, key.as_deref(), datasets, *comparison, operand)
            }
            Field::Parameter(_) | Field::Tag(_) => {
                let (side, key) = self.pair_side(field)?;
                self.pair(side, key, *comparison, operand)
            }
            Field::Dataset(name) => {
                let side = self.target.datasets.ok_or_else(|| unsupported("dataset field", name))?;
                self.dataset(side, name, *comparison, operand)
            }
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Result<&'static str, StoreError> {
        (self.target.attribute)(name).ok_or_else(|| unsupported("attribute", name))
    }

    /// The table of a tag's or parameter's field, and its key.
    pub(super) fn pair_side<'f>(&self, field: &'f Field) -> Result<(Side, &'f str), StoreError> {
        let (side, key) = match field {
            Field::Parameter(key) => (self.target.params, key),
            Field::Tag(key) => (self.target.tags, key),
            _ => return Err(mismatch("this")),
        };
        Ok((side.ok_or_else(|| unsupported("tag or parameter", key))?, key))
    }

    fn metric(
        &mut self,
        side: Side,
        key: Option<&str>,
        datasets: &[DatasetRef],
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<String, StoreError> {
        let mut of = format!("SELECT 1 FROM {} s WHERE s.{} = t.number", side.table, side.owner);
        if let Some(key) = key {
            let key = self.bind(key.to_owned());
            of.push_str(&format!(" AND s.key = {key}"));
        }
        of.push_str(&self.on_datasets("s", datasets));
        Ok(match comparison {
            Comparison::IsNull => format!("NOT EXISTS ({of})"),
            Comparison::IsNotNull => format!("EXISTS ({of})"),
            _ => format!("EXISTS ({of} AND {})", self.metric_value("s", comparison, operand)?),
        })
    }

    /// `alias` is a row of one of `datasets`; with none, of any.
    pub(super) fn on_datasets(&mut self, alias: &str, datasets: &[DatasetRef]) -> String {
        if datasets.is_empty() {
            return String::new();
        }
        let mut any = Vec::with_capacity(datasets.len());
        for DatasetRef { name, digest } in datasets {
            let name = self.bind(name.clone());
            any.push(match digest {
                Some(digest) => {
                    let digest = self.bind(digest.clone());
                    format!("({alias}.dataset_name = {name} AND {alias}.dataset_digest = {digest})")
                }
                None => format!("{alias}.dataset_name = {name}"),
            });
        }
        format!(" AND ({})", any.join(" OR "))
    }

    /// A metric's value in the row `alias`: NaN is unequal to every number, and neither less nor greater.
    pub(super) fn metric_value(
        &mut self,
        alias: &str,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<String, StoreError> {
        let Operand::Number(number) = operand else { return Err(mismatch("a metric")) };
        if number.is_nan() {
            return Err(mismatch("a metric"));
        }
        let sign = sign(comparison).ok_or_else(|| mismatch("a metric"))?;
        let number = self.bind(*number);
        Ok(if comparison == Comparison::NotEqual {
            format!("({alias}.nan = 1 OR {alias}.value <> {number})")
        } else {
            format!("{alias}.nan = 0 AND {alias}.value {sign} {number}")
        })
    }

    fn pair(&mut self, side: Side, key: &str, comparison: Comparison, operand: &Operand) -> Result<String, StoreError> {
        let key = self.bind(key.to_owned());
        let of = format!("SELECT 1 FROM {} s WHERE s.{} = t.number AND s.key = {key}", side.table, side.owner);
        Ok(match comparison {
            Comparison::IsNull => format!("NOT EXISTS ({of})"),
            Comparison::IsNotNull => format!("EXISTS ({of})"),
            Comparison::Without => {
                format!("NOT EXISTS ({of} AND {})", self.pair_value("s", Comparison::Equal, operand)?)
            }
            _ => format!("EXISTS ({of} AND {})", self.pair_value("s", comparison, operand)?),
        })
    }

    /// A tag's or parameter's text in the row `alias`.
    pub(super) fn pair_value(
        &mut self,
        alias: &str,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<String, StoreError> {
        if matches!(operand, Operand::Number(_) | Operand::None) {
            return Err(mismatch("a tag or parameter"));
        }
        self.compare(&format!("{alias}.value"), comparison, operand)
    }

    /// What the index of the table's values can say of the same: it holds for every row for which the comparison does, and,
    /// if that is said too, for no other.
    pub(super) fn indexed_pair_value(
        &mut self,
        alias: &str,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<Option<(String, bool)>, StoreError> {
        let head = head_of(alias);
        Ok(match (comparison, operand) {
            (Comparison::Equal, Operand::Text(text)) => {
                let beginning = self.bind(text.chars().take(HEAD).collect::<String>());
                // A shorter text is equal when its head is; a longer one has to be looked at.
                Some((format!("{head} = {beginning}"), text.chars().count() < HEAD))
            }
            (Comparison::In, Operand::List(texts)) if texts.iter().all(|text| text.chars().count() < HEAD) => {
                Some((self.text_in(&head, texts)?, true))
            }
            (Comparison::Like, Operand::Text(pattern)) => {
                prefix(pattern).map(|(from, to)| (self.range(&head, &from, &to), false))
            }
            _ => None,
        })
    }

    /// `expression` begins with a text: `from` is that, `to` the first text that does not.
    pub(super) fn range(&mut self, expression: &str, from: &str, to: &str) -> String {
        let from = self.bind(from.to_owned());
        let to = self.bind(to.to_owned());
        format!("{expression} >= {from} AND {expression} < {to}")
    }

    fn dataset(
        &mut self,
        side: Side,
        name: &str,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<String, StoreError> {
        let column = dataset_column("s", name)?;
        let of = format!("SELECT 1 FROM {} s WHERE s.{} = t.number", side.table, side.owner);
        Ok(match comparison {
            Comparison::IsNull => format!("NOT EXISTS ({of} AND {column} IS NOT NULL)"),
            Comparison::IsNotNull => format!("EXISTS ({of} AND {column} IS NOT NULL)"),
            _ => format!("EXISTS ({of} AND {})", self.compare(&column, comparison, operand)?),
        })
    }

    /// The comparison of an expression of this crate with the caller's operand.
    pub(super) fn compare(
        &mut self,
        expression: &str,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<String, StoreError> {
        match (comparison, operand) {
            (Comparison::Like, Operand::Text(pattern)) => match whole_prefix(pattern) {
                Some((from, to)) => Ok(self.range(expression, &from, &to)),
                None => self.like(expression, pattern, false),
            },
            (Comparison::ILike, Operand::Text(pattern)) => self.like(expression, pattern, true),
            (Comparison::In, Operand::List(texts)) => self.text_in(expression, texts),
            (Comparison::NotIn, Operand::List(texts)) => Ok(format!("NOT ({})", self.text_in(expression, texts)?)),
            (_, Operand::Text(text)) if !is_number(expression) => {
                let sign = sign(comparison).ok_or_else(|| mismatch("a text"))?;
                Ok(format!("{expression} {sign} {}", self.bind(text.clone())))
            }
            (_, Operand::Number(number)) if !number.is_nan() && is_number(expression) => {
                self.whole(expression, comparison, *number)
            }
            _ => Err(mismatch("this")),
        }
    }

    /// A whole number's column is compared with whole numbers, or no index would answer.
    fn whole(&mut self, expression: &str, comparison: Comparison, number: f64) -> Result<String, StoreError> {
        compare_whole(expression, comparison, number, |number| self.bind(number))
    }
}

/// The comparison of a whole number's `expression` with any number; `bind` makes a parameter.
pub(crate) fn compare_whole(
    expression: &str,
    comparison: Comparison,
    number: f64,
    bind: impl FnOnce(i64) -> String,
) -> Result<String, StoreError> {
    let exact = number.fract() == 0.0 && number.abs() < 9.2e18;
    let (comparison, number) = match comparison {
        _ if exact => (comparison, number),
        Comparison::Equal => return Ok("1 = 0".to_owned()),
        Comparison::NotEqual => return Ok(format!("{expression} IS NOT NULL")),
        Comparison::Less | Comparison::LessOrEqual => (Comparison::LessOrEqual, number.floor()),
        _ => (Comparison::GreaterOrEqual, number.ceil()),
    };
    let sign = sign(comparison).ok_or_else(|| mismatch("a number"))?;
    // A cast from a number beyond the range gives the range's end.
    Ok(format!("{expression} {sign} {}", bind(number as i64)))
}

pub(super) fn head_of(alias: &str) -> String {
    format!("substr({alias}.value, 1, {HEAD})")
}

pub(super) fn dataset_column(alias: &str, name: &str) -> Result<String, StoreError> {
    match name {
        "name" | "digest" | "context" => Ok(format!("{alias}.{name}")),
        _ => Err(unsupported("dataset field", name)),
    }
}

/// What a pattern begins with, and the first text after all that begin so.
pub(super) fn prefix(pattern: &str) -> Option<(String, String)> {
    let fixed = pattern.find(['%', '_']).and_then(|end| pattern.get(..end)).unwrap_or(pattern);
    let from: String = fixed.chars().take(HEAD).collect();
    let mut to = from.clone();
    let last = to.pop()?;
    // Texts are compared by their bytes, and so by their characters' numbers.
    let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32)?;
    to.push(next);
    Some((from, to))
}

/// The same for a pattern that says no more than how a text begins.
fn whole_prefix(pattern: &str) -> Option<(String, String)> {
    let fixed = pattern.strip_suffix('%')?;
    prefix(pattern).filter(|(from, _)| from == fixed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_an_end() {
        let ends = |pattern: &str| prefix(pattern).map(|(from, to)| format!("{from}..{to}"));
        assert_eq!(ends("abc%").as_deref(), Some("abc..abd"));
        assert_eq!(ends("ab_d").as_deref(), Some("ab..ac"));
        assert_eq!(ends("é%").as_deref(), Some("é..ê"));
        assert_eq!(ends("a\u{d7ff}%").as_deref(), Some("a\u{d7ff}..a\u{e000}"));
        assert_eq!(ends("%abc"), None);
        assert_eq!(ends("_"), None);
        assert_eq!(ends("\u{10ffff}%"), None);
        assert_eq!(ends("exact").as_deref(), Some("exact..exacu"));
    }
}
