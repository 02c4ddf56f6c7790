/// Which database it is, where its SQL must differ. All differences of queries are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Whether the text `expression` is like the parameter `pattern`: `%` is any text, `_` one character, nothing else has a
    /// meaning. With `fold` cases are not told apart.
    pub(crate) fn like(self, expression: &str, pattern: &str, fold: bool) -> String {
        match (self, fold) {
            (Self::Sqlite, false) => format!("text_like({expression}, {pattern})"),
            (Self::Sqlite, true) => format!("text_ilike({expression}, {pattern})"),
            // PostgreSQL has an escape character unless it is told otherwise.
            (Self::Postgres, false) => format!("{expression} LIKE {pattern} ESCAPE ''"),
            (Self::Postgres, true) => format!("fold_case({expression}) LIKE fold_case({pattern}) ESCAPE ''"),
        }
    }

    /// Whether the regular expression in the parameter `pattern` occurs in the text `expression`.
    pub(crate) fn rlike(self, expression: &str, pattern: &str) -> String {
        match self {
            Self::Sqlite => format!("text_rlike({expression}, {pattern})"),
            Self::Postgres => format!("{expression} ~ {pattern}"),
        }
    }

    /// A subquery of the texts in the parameter `list`, which is a JSON list.
    pub(crate) fn texts(self, list: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT value FROM json_each({list}))"),
            Self::Postgres => format!("(SELECT value FROM json_array_elements_text(CAST({list} AS JSON)))"),
        }
    }

    /// A subquery of the integers in the parameter `list`, which is a JSON list.
    pub(crate) fn integers(self, list: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT value FROM json_each({list}))"),
            Self::Postgres => {
                format!("(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST({list} AS JSON)))")
            }
        }
    }
}
