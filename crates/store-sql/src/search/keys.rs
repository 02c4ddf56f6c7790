//! Where a page begins: after the values by which the last row of the page before is sorted.

use sealyard_store::StoreError;
use sealyard_store::model::CursorValue;

use super::Statement;

/// What rows are sorted by. All keys of an order together are unique.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) expression: String,
    pub(super) ascending: bool,
}

impl Key {
    pub(super) fn new(expression: impl Into<String>, ascending: bool) -> Self {
        Self { expression: expression.into(), ascending }
    }

    const fn direction(&self) -> &'static str {
        if self.ascending { "ASC" } else { "DESC" }
    }

    const fn sign(&self) -> &'static str {
        if self.ascending { ">" } else { "<" }
    }
}

/// The `ORDER BY` of `keys`.
pub(super) fn order_by(keys: &[Key]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| format!("{} {}", key.expression, key.direction())).collect();
    keys.join(", ")
}

/// A token that was signed for this query has a value for each key; anything else is of an older release.
pub(super) fn stale() -> StoreError {
    StoreError::Invalid("Invalid page token: the search must begin anew".to_owned())
}

impl Statement {
    fn bind_value(&mut self, value: &CursorValue) -> Option<String> {
        match value {
            CursorValue::Null => None,
            CursorValue::Integer(number) => Some(self.bind(*number)),
            CursorValue::Real(number) => Some(self.bind(*number)),
            CursorValue::Text(text) => Some(self.bind(text.clone())),
        }
    }

    /// `key` has just this value.
    pub(super) fn at(&mut self, key: &Key, value: &CursorValue) -> String {
        match self.bind_value(value) {
            Some(name) => format!("{} = {name}", key.expression),
            None => format!("{} IS NULL", key.expression),
        }
    }

    /// `key` comes after this value. Nothing comes after NULL: a key in front tells those apart that have none.
    pub(super) fn beyond(&mut self, key: &Key, value: &CursorValue) -> Option<String> {
        self.bind_value(value).map(|name| format!("{} {} {name}", key.expression, key.sign()))
    }

    /// The row comes after the one with these values. Keys that go different ways are no one range of an index, but a bound
    /// on the first of them is where it can begin.
    pub(super) fn after(&mut self, keys: &[Key], values: &[CursorValue]) -> Result<String, StoreError> {
        if keys.len() != values.len() {
            return Err(stale());
        }
        // Two columns that go the same way are one range of an index.
        if let ([first, second], [one, two]) = (keys, values)
            && first.ascending == second.ascending
            && let (Some(one), Some(two)) = (self.bind_value(one), self.bind_value(two))
        {
            return Ok(format!("({}, {}) {} ({one}, {two})", first.expression, second.expression, first.sign()));
        }
        let mut condition: Option<String> = None;
        for (key, value) in keys.iter().zip(values).rev() {
            let beyond = self.beyond(key, value);
            let at = condition.map(|rest| {
                let at = self.at(key, value);
                format!("({at} AND {rest})")
            });
            condition = match (beyond, at) {
                (Some(beyond), Some(at)) => Some(format!("({beyond} OR {at})")),
                (only, None) | (None, only) => only,
            };
        }
        let bound = match (keys, values) {
            ([key, _, ..], [value, ..]) => {
                self.bind_value(value).map(|name| format!("{} {}= {name} AND ", key.expression, key.sign()))
            }
            _ => None,
        };
        Ok(format!("{}{}", bound.unwrap_or_default(), condition.unwrap_or_else(|| "1 = 0".to_owned())))
    }
}
