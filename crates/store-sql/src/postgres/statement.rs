use std::collections::HashMap;

use tokio_postgres::Statement;

/// Statements kept compiled by each connection, twice.
const STATEMENTS: usize = 256;

/// The compiled statements of a connection by their text. One that was not asked for while as many others were is dropped.
#[derive(Default)]
pub(crate) struct Cache {
    young: HashMap<String, Statement>,
    old: HashMap<String, Statement>,
}

impl Cache {
    pub(crate) fn get(&mut self, sql: &str) -> Option<Statement> {
        if let Some(found) = self.young.get(sql) {
            return Some(found.clone());
        }
        let (sql, found) = self.old.remove_entry(sql)?;
        self.put(sql, found.clone());
        Some(found)
    }

    pub(crate) fn put(&mut self, sql: String, statement: Statement) {
        if self.young.len() >= STATEMENTS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(sql, statement);
    }
}

/// `sql` with PostgreSQL's names for parameters: `?1` is `$1` there.
pub(crate) fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut quote = None;
    for character in sql.chars() {
        match (quote, character) {
            (None, '?') => text.push('$'),
            (None, '\'' | '"') => {
                quote = Some(character);
                text.push(character);
            }
            (Some(open), close) => {
                if open == close {
                    quote = None;
                }
                text.push(close);
            }
            (None, other) => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_are_renamed() {
        assert_eq!(
            numbered("SELECT '?1', \"?2\", ?1 FROM t WHERE a = ?12"),
            "SELECT '?1', \"?2\", $1 FROM t WHERE a = $12"
        );
        assert_eq!(numbered("SELECT 'it''s ?1' || ?1"), "SELECT 'it''s ?1' || $1");
    }
}
