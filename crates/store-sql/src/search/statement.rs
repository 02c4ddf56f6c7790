use sealyard_store::StoreError;
use sealyard_store::model::{Condition, OrderBy, Page};

use super::Target;
use crate::error::backend;
use crate::session::Session;
use crate::sql::{Dialect, Value};

/// Most conditions and sort keys of one search; SQLite has limits of its own far above.
const MAX_CONDITIONS: usize = 100;
const MAX_ORDER: usize = 20;

/// A search in the making: text of this crate, values of the caller.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(super) dialect: Dialect,
    pub(super) target: Target,
    pub(super) text: String,
    pub(super) values: Vec<Value<'static>>,
    pub(super) follows: bool,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect, target: Target) -> Self {
        let text = format!("SELECT t.number FROM {} WHERE ", target.from);
        Self { dialect, target, text, values: Vec::new(), follows: false }
    }

    /// Adds `value` to the parameters; gives how the text names it.
    pub(super) fn bind(&mut self, value: impl Into<Value<'static>>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// Adds `texts` as one parameter; gives a subquery of its elements.
    pub(super) fn bind_list(&mut self, texts: &[String]) -> Result<String, StoreError> {
        let json = serde_json::to_string(texts).map_err(backend)?;
        let name = self.bind(json);
        Ok(self.dialect.texts(&name))
    }

    /// Adds one more condition, written in this crate.
    pub(crate) fn and(&mut self, condition: &str) {
        if self.follows {
            self.text.push_str(" AND ");
        }
        self.follows = true;
        self.text.push_str(condition);
    }

    /// `expression` is one of `numbers`.
    pub(crate) fn and_number_in(&mut self, expression: &str, numbers: &[i64]) -> Result<(), StoreError> {
        match numbers {
            [one] => {
                let name = self.bind(*one);
                self.and(&format!("{expression} = {name}"));
            }
            many => {
                let json = serde_json::to_string(many).map_err(backend)?;
                let name = self.bind(json);
                self.and(&format!("{expression} IN {}", self.dialect.integers(&name)));
            }
        }
        Ok(())
    }

    /// `expression` is one of `texts`.
    pub(crate) fn and_text_in(&mut self, expression: &str, texts: &[String]) -> Result<(), StoreError> {
        let list = self.bind_list(texts)?;
        self.and(&format!("{expression} IN {list}"));
        Ok(())
    }

    /// Adds the caller's conditions and order, runs it and gives the numbers of the rows found.
    pub(crate) fn run(
        mut self,
        session: &Session<'_>,
        filter: &[Condition],
        order: &[OrderBy],
        limit: u32,
        offset: u64,
    ) -> Result<Page<i64>, StoreError> {
        if filter.len() > MAX_CONDITIONS {
            return Err(StoreError::Invalid(format!("a search may have {MAX_CONDITIONS} conditions at most")));
        }
        if order.len() > MAX_ORDER {
            return Err(StoreError::Invalid(format!("a search may have {MAX_ORDER} sort keys at most")));
        }
        for condition in filter {
            self.condition(condition)?;
        }
        if !self.follows {
            self.text.push_str("TRUE");
        }
        self.order(order)?;
        let start = i64::try_from(offset).map_err(|_| StoreError::Invalid(format!("offset {offset} is too large")))?;
        let limit_name = self.bind(i64::from(limit) + 1);
        let offset_name = self.bind(start);
        self.text.push_str(&format!(" LIMIT {limit_name} OFFSET {offset_name}"));
        let mut items: Vec<i64> = session.all(&self.text, self.values, |row| row.get(0))?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Ok(Page { items, next: more.then(|| offset.saturating_add(u64::from(limit))) })
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use sealyard_core::Timestamp;
    use sealyard_store::model::{Comparison, Field, Operand};

    use super::*;
    use crate::search::RUNS;

    /// The newest runs of an experiment come from the index in their order: no sort, no scan.
    #[test]
    fn a_plain_search_walks_the_index() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::sqlite::migrate::migrate(&mut connection, Timestamp::from_millis(0)).unwrap();
        let mut statement = Statement::new(Dialect::Sqlite, RUNS);
        statement.and_number_in("t.experiment", &[0]).unwrap();
        statement.and("t.deleted = 0");
        let condition = Condition {
            field: Field::Metric("rmse".into()),
            comparison: Comparison::Less,
            operand: Operand::Number(1.0),
        };
        statement.condition(&condition).unwrap();
        statement.order(&[]).unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {}", statement.text);
        let plan: Vec<String> = Session::sqlite(&connection).all(&explain, statement.values, |row| row.get(3)).unwrap();
        assert!(plan.iter().any(|step| step.contains("runs_by_experiment")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
