use sealyard_store::StoreError;

use crate::session::Session;
use crate::sql::{Dialect, Row, Value};

/// Values of one IN list.
const MAX_LIST: usize = 1000;

/// A statement in the making: text of this crate, values of the caller.
#[derive(Debug, Clone)]
pub(in crate::repository) struct Builder {
    dialect: Dialect,
    text: String,
    values: Vec<Value<'static>>,
    follows: bool,
}

impl Builder {
    /// Begins with text that ends in `WHERE `.
    pub(in crate::repository) fn new(dialect: Dialect, text: &str) -> Self {
        Self { dialect, text: text.to_owned(), values: Vec::new(), follows: false }
    }

    /// The database that it is for.
    pub(in crate::repository) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Puts the beginning, which ends in `WHERE `, before what there is; for beginnings that name values.
    pub(in crate::repository) fn begin(&mut self, text: &str) {
        self.text.insert_str(0, text);
    }

    /// Adds `value` to the parameters; gives how the text names it.
    pub(in crate::repository) fn bind(&mut self, value: impl Into<Value<'static>>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// Adds all of `texts`; gives the list in parentheses.
    pub(in crate::repository) fn bind_texts(&mut self, texts: &[String]) -> Result<String, StoreError> {
        self.bind_list(texts.iter().cloned().map(Value::from))
    }

    /// Adds all of `numbers`; gives the list in parentheses.
    pub(in crate::repository) fn bind_numbers(&mut self, numbers: &[i64]) -> Result<String, StoreError> {
        self.bind_list(numbers.iter().copied().map(Value::from))
    }

    fn bind_list(&mut self, values: impl ExactSizeIterator<Item = Value<'static>>) -> Result<String, StoreError> {
        if values.len() > MAX_LIST {
            return Err(StoreError::Invalid(format!("a list may have {MAX_LIST} values at most")));
        }
        if values.len() == 0 {
            return Ok("(NULL)".to_owned());
        }
        let names: Vec<String> = values.map(|value| self.bind(value)).collect();
        Ok(format!("({})", names.join(", ")))
    }

    /// Adds one more condition.
    pub(in crate::repository) fn and(&mut self, condition: &str) {
        if self.follows {
            self.text.push_str(" AND ");
        }
        self.follows = true;
        self.text.push_str(condition);
    }

    /// Adds text behind the conditions.
    pub(in crate::repository) fn push(&mut self, text: &str) {
        if !self.follows {
            self.text.push_str("1 = 1");
            self.follows = true;
        }
        self.text.push_str(text);
    }

    /// Another statement, of text that names values bound so far. Only those that it names go with it, numbered anew: a
    /// database does not know the type of a value that nothing uses.
    pub(in crate::repository) fn with_values_of(&self, text: &str) -> Self {
        let mut other =
            Self { dialect: self.dialect, text: String::with_capacity(text.len()), values: Vec::new(), follows: true };
        let mut numbers: Vec<usize> = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('?') {
            let (before, from) = rest.split_at(at + 1);
            other.text.push_str(before);
            let end = from.find(|next: char| !next.is_ascii_digit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(end);
            let number: usize = digits.parse().unwrap_or(0);
            let position = numbers.iter().position(|known| *known == number).unwrap_or_else(|| {
                numbers.push(number);
                other.values.push(self.values.get(number.wrapping_sub(1)).cloned().unwrap_or(Value::Null));
                numbers.len() - 1
            });
            other.text.push_str(&(position + 1).to_string());
            rest = after;
        }
        other.text.push_str(rest);
        other
    }

    /// Runs it. Its text says in which experiments it looks, which are in the workspace.
    pub(in crate::repository) fn all<T>(
        self,
        session: &Session<'_>,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        session.all_in_scope(&self.text, self.values, read)
    }
}
