use sealyard_store::StoreError;

use super::Target;
use crate::error::backend;
use crate::sql::{Dialect, Value};
use crate::sqlite::like::MAX_PATTERN;

/// A statement in the making: text of this crate, values of the caller.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(super) dialect: Dialect,
    pub(super) target: Target,
    pub(super) values: Vec<Value<'static>>,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect, target: Target) -> Self {
        Self { dialect, target, values: Vec::new() }
    }

    /// Adds `value` to the parameters; gives how the text names it.
    pub(crate) fn bind(&mut self, value: impl Into<Value<'static>>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// The parameters, in the order of their names.
    pub(crate) fn values(self) -> Vec<Value<'static>> {
        self.values
    }

    /// `expression` is one of `texts`.
    pub(crate) fn text_in(&mut self, expression: &str, texts: &[String]) -> Result<String, StoreError> {
        let json = serde_json::to_string(texts).map_err(backend)?;
        let name = self.bind(json);
        Ok(format!("{expression} IN {}", self.dialect.texts(&name)))
    }

    /// `expression` is one of `numbers`.
    pub(crate) fn number_in(&mut self, expression: &str, numbers: &[i64]) -> Result<String, StoreError> {
        if let [one] = numbers {
            return Ok(format!("{expression} = {}", self.bind(*one)));
        }
        let json = serde_json::to_string(numbers).map_err(backend)?;
        let name = self.bind(json);
        Ok(format!("{expression} IN {}", self.dialect.integers(&name)))
    }

    /// `expression` matches `pattern`; `LIKE` tells cases apart, `ILIKE` does not.
    pub(super) fn like(&mut self, expression: &str, pattern: &str, fold: bool) -> Result<String, StoreError> {
        if pattern.len() > MAX_PATTERN {
            return Err(StoreError::Invalid(format!("a pattern may be {MAX_PATTERN} bytes long at most")));
        }
        let pattern = self.bind(pattern.to_owned());
        Ok(self.dialect.like(&format!("CAST({expression} AS TEXT)"), &pattern, fold))
    }

    /// What the database answers, with what it means to do, for an administrator to read.
    pub(super) fn explanation(&self) -> (&'static str, usize) {
        match self.dialect {
            Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", 3),
            Dialect::Postgres => ("EXPLAIN ", 0),
        }
    }
}
