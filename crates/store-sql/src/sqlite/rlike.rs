//! `RLIKE`: regular expressions in time that is linear in the text, whatever the pattern.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use sealyard_store::StoreError;

/// Bytes that a compiled pattern may take.
const MAX_COMPILED: usize = 256 * 1024;
/// How deep a pattern's groups may lie in each other.
const MAX_NESTING: u32 = 50;

fn compile(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(MAX_NESTING)
        .build()
}

/// Whether a pattern can be searched for.
pub(crate) fn check(pattern: &str) -> Result<(), StoreError> {
    compile(pattern).map(|_| ()).map_err(|_| {
        let shown: String = pattern.chars().take(80).collect();
        StoreError::Invalid(format!("{shown:?} is no regular expression that this server searches for"))
    })
}

/// Adds `text_rlike(text, pattern)`: whether the pattern occurs in the text.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("text_rlike", 2, flags, |context| {
        let pattern = context.get_or_create_aux(1, |value| {
            compile(value.as_str().map_err(Box::new)?).map_err(Box::<dyn std::error::Error + Send + Sync>::from)
        })?;
        let text = context.get_raw(0).as_str_or_null()?;
        Ok(text.map(|text| pattern.is_match(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_occur_or_do_not() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<bool>>(0)).unwrap();
        assert_eq!(ask("SELECT text_rlike('a fraud', 'f.aud$')"), Some(true));
        assert_eq!(ask("SELECT text_rlike('a fraud', '^f')"), Some(false));
        assert_eq!(ask("SELECT text_rlike(NULL, 'x')"), None);
    }

    #[test]
    fn bombs_are_refused_and_the_usual_one_is_quick() {
        for pattern in ["(a{1000}){1000}", &"(".repeat(500), "[", "(?P<x>a)(?P<x>b)"] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let text = "a".repeat(100_000);
        let found: bool = connection.query_row("SELECT text_rlike(?1, '(a+)+$b')", [&text], |row| row.get(0)).unwrap();
        assert!(!found);
    }
}
