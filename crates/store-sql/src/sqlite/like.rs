//! `LIKE` without SQLite's backtracking, and with MLflow's case rules: `LIKE` tells cases apart, `ILIKE` does not.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// Longest pattern that is matched.
pub(crate) const MAX_PATTERN: usize = 1000;

/// Adds `text_like(text, pattern)` and `text_ilike(text, pattern)`.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    for (name, fold) in [("text_like", false), ("text_ilike", true)] {
        connection.create_scalar_function(name, 2, flags, move |context| {
            let text = context.get_raw(0).as_str_or_null()?;
            let pattern = context.get_raw(1).as_str_or_null()?;
            Ok(match (text, pattern) {
                (Some(text), Some(pattern)) if fold => Some(matches(&text.to_lowercase(), &pattern.to_lowercase())),
                (Some(text), Some(pattern)) => Some(matches(text, pattern)),
                _ => None,
            })
        })?;
    }
    Ok(())
}

/// Whether `text` matches `pattern`, where `%` stands for any text and `_` for one character. It only ever goes back
/// to the last `%`, so the work is at most the product of the two lengths.
fn matches(text: &str, pattern: &str) -> bool {
    let mut text = text.chars();
    let mut pattern = pattern.chars();
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut rest = pattern.clone();
        let mut after = text.clone();
        match (rest.next(), after.next()) {
            // Whatever follows will do.
            (Some('%'), _) if rest.as_str().is_empty() => return true,
            (Some('%'), _) => {
                retry = Some((text.clone(), rest.clone()));
                pattern = rest;
            }
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == '_' || wanted == found => {
                pattern = rest;
                text = after;
            }
            _ => {
                let Some((from, rest)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                text = from.clone();
                pattern = rest.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| slow(&text[skip..], rest)),
            Some((wanted, rest)) => {
                text.split_first().is_some_and(|(found, text)| (*wanted == '_' || wanted == found) && slow(text, rest))
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(text in "[ab%_é]{0,10}", pattern in "[ab%_é]{0,8}") {
            let letters: Vec<char> = text.chars().collect();
            let signs: Vec<char> = pattern.chars().collect();
            prop_assert_eq!(matches(&text, &pattern), slow(&letters, &signs));
        }
    }

    #[test]
    fn a_pattern_of_wildcards_is_quick() {
        let text = "a".repeat(8000);
        let pattern = format!("{}b", "%a".repeat(2000));
        assert!(!matches(&text, &pattern));
    }

    #[test]
    fn like_tells_cases_apart_and_ilike_does_not() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<bool>>(0)).unwrap();
        assert_eq!(ask("SELECT text_like('Fraud', 'F%')"), Some(true));
        assert_eq!(ask("SELECT text_like('Fraud', 'f%')"), Some(false));
        assert_eq!(ask("SELECT text_ilike('FRÄUD', 'frä_d')"), Some(true));
        assert_eq!(ask("SELECT text_like(NULL, '%')"), None);
    }
}
