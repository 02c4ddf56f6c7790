//! `LIKE` without SQLite's backtracking, and with MLflow's case rules: `LIKE` tells cases apart, `ILIKE` does not.

use std::collections::HashMap;
use std::convert::Infallible;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::sqlite::deadline;

/// Longest pattern that is matched.
pub(crate) const MAX_PATTERN: usize = 1000;

/// Characters between two looks at the time.
const STEPS: usize = 1 << 16;

/// Adds `text_like(text, pattern)` and `text_ilike(text, pattern)`.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    for (name, fold) in [("text_like", false), ("text_ilike", true)] {
        connection.create_scalar_function(name, 2, flags, move |context| {
            deadline::check()?;
            let Some(pattern) = context.get_raw(1).as_str_or_null()? else { return Ok(None) };
            let Some(text) = context.get_raw(0).as_str_or_null()? else { return Ok(None) };
            // SQLite keeps it from row to row while the pattern stays the same.
            let pattern = context.get_or_create_aux(1, |_| {
                Ok::<_, Infallible>(if fold { Pattern::new(&pattern.to_lowercase()) } else { Pattern::new(pattern) })
            })?;
            let found = if fold { pattern.matches(&text.to_lowercase()) } else { pattern.matches(text) };
            found.map(Some)
        })?;
    }
    Ok(())
}

/// A pattern where `%` stands for any text and `_` for one character, ready to be looked for.
///
/// What stands between two `%` may lie anywhere behind what was found before it, and its first place is as good as any later
/// one. So nothing is ever looked for twice, and the work grows with the length of the text, not with its product with the
/// pattern's.
#[derive(Debug)]
struct Pattern {
    first: Piece,
    /// What lies between two `%` each, and what comes behind the last one. `None` without a `%`.
    rest: Option<(Vec<Piece>, Piece)>,
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let mut pieces = pattern.split('%');
        let first = Piece::fixed(pieces.next().unwrap_or_default());
        let rest = pieces.next_back().map(|last| {
            let between = pieces.filter(|piece| !piece.is_empty()).map(Piece::sought).collect();
            (between, Piece::fixed(last))
        });
        Self { first, rest }
    }

    fn matches(&self, text: &str) -> rusqlite::Result<bool> {
        let Some(mut text) = self.first.strip_front(text) else { return Ok(false) };
        let Some((between, last)) = &self.rest else { return Ok(text.is_empty()) };
        for piece in between {
            deadline::check()?;
            let Some(behind) = piece.find(text)? else { return Ok(false) };
            text = behind;
        }
        Ok(last.ends(text))
    }
}

/// A part of a pattern that has no `%`.
#[derive(Debug)]
enum Piece {
    /// No `_` either.
    Plain(String),
    /// With `_`, for a place that is known.
    Signs(String),
    /// With `_`, to be looked for.
    Sought(Automaton),
}

impl Piece {
    fn fixed(piece: &str) -> Self {
        if piece.contains('_') { Self::Signs(piece.to_owned()) } else { Self::Plain(piece.to_owned()) }
    }

    fn sought(piece: &str) -> Self {
        if piece.contains('_') { Self::Sought(Automaton::new(piece)) } else { Self::Plain(piece.to_owned()) }
    }

    /// What follows this piece at the beginning of `text`.
    fn strip_front<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Plain(piece) => text.strip_prefix(piece.as_str()),
            Self::Signs(piece) => {
                let mut letters = text.chars();
                piece
                    .chars()
                    .all(|sign| letters.next().is_some_and(|letter| fits(sign, letter)))
                    .then_some(letters.as_str())
            }
            Self::Sought(_) => None,
        }
    }

    /// Whether `text` ends in this piece.
    fn ends(&self, text: &str) -> bool {
        match self {
            Self::Plain(piece) => text.ends_with(piece.as_str()),
            Self::Signs(piece) => {
                let mut letters = text.chars().rev();
                piece.chars().rev().all(|sign| letters.next().is_some_and(|letter| fits(sign, letter)))
            }
            Self::Sought(_) => false,
        }
    }

    /// What follows the first place where this piece lies in `text`.
    fn find<'t>(&self, text: &'t str) -> rusqlite::Result<Option<&'t str>> {
        match self {
            Self::Plain(piece) => Ok(text.split_once(piece.as_str()).map(|(_, behind)| behind)),
            Self::Signs(_) => Ok(None),
            Self::Sought(automaton) => automaton.find(text),
        }
    }
}

const fn fits(sign: char, letter: char) -> bool {
    sign == '_' || sign == letter
}

/// Looks for a piece with `_` by following all places where it may have begun at once, 64 of them with each operation.
#[derive(Debug)]
struct Automaton {
    /// For each character of the piece: at which places of the piece it may stand, one bit each.
    fitting: HashMap<char, Vec<u64>>,
    /// The same for ASCII, which needs no hashing. `None` for what the piece does not have.
    ascii: Vec<Option<Vec<u64>>>,
    /// The same for every other character: where `_` stands.
    other: Vec<u64>,
    /// The bit of the piece's last place, in the last word.
    end: u64,
}

impl Automaton {
    fn new(piece: &str) -> Self {
        let signs: Vec<char> = piece.chars().collect();
        let places = |letter: Option<char>| -> Vec<u64> {
            let word = |signs: &[char]| {
                signs.iter().rev().fold(0, |word, &sign| (word << 1) | u64::from(sign == '_' || Some(sign) == letter))
            };
            signs.chunks(64).map(word).collect()
        };
        let fitting = signs.iter().filter(|sign| !sign.is_ascii()).map(|&sign| (sign, places(Some(sign)))).collect();
        let ascii = (0..128_u8).map(char::from);
        let ascii = ascii.map(|letter| signs.contains(&letter).then(|| places(Some(letter)))).collect();
        let end = 1 << (signs.len().saturating_sub(1) % 64);
        Self { fitting, ascii, other: places(None), end }
    }

    fn find<'t>(&self, text: &'t str) -> rusqlite::Result<Option<&'t str>> {
        // A bit is set where the piece's beginning up to that place ends with the last character.
        let mut reached = vec![0_u64; self.other.len()];
        let mut letters = text.chars();
        let mut left = STEPS;
        while let Some(letter) = letters.next() {
            left -= 1;
            if left == 0 {
                deadline::check()?;
                left = STEPS;
            }
            let fitting = match self.ascii.get(letter as usize) {
                Some(fitting) => fitting.as_ref(),
                None => self.fitting.get(&letter),
            };
            let fitting = fitting.unwrap_or(&self.other);
            // The piece may begin at any character.
            let mut carried = 1;
            for (word, fitting) in reached.iter_mut().zip(fitting) {
                let next = *word >> 63;
                *word = ((*word << 1) | carried) & fitting;
                carried = next;
            }
            if reached.last().is_some_and(|word| word & self.end != 0) {
                return Ok(Some(letters.as_str()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn matches(text: &str, pattern: &str) -> bool {
        Pattern::new(pattern).matches(text).unwrap()
    }

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
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_the_definition(text in "[ab%_é]{0,10}", pattern in "[ab%_é]{0,8}") {
            let letters: Vec<char> = text.chars().collect();
            let signs: Vec<char> = pattern.chars().collect();
            prop_assert_eq!(matches(&text, &pattern), slow(&letters, &signs));
        }

        /// A piece that takes several words, at a place that is known and with one sign changed.
        #[test]
        fn agrees_with_the_definition_for_long_pieces(
            before in "[aé]{0,70}", piece in "[abé]{1,200}", signs in proptest::collection::vec(any::<u8>(), 200), change in any::<bool>()
        ) {
            let mut text: Vec<char> = before.chars().chain(piece.chars()).chain("aa".chars()).collect();
            let pattern: String =
                piece.chars().zip(&signs).map(|(letter, sign)| if sign % 4 == 0 { '_' } else { letter }).collect();
            let pattern = format!("%{pattern}_%a");
            let place = text.len() - 3;
            if change {
                text[place] = 'c';
            }
            let signs: Vec<char> = pattern.chars().collect();
            prop_assert_eq!(matches(&String::from_iter(&text), &pattern), slow(&text, &signs));
        }
    }

    #[test]
    fn a_pattern_of_wildcards_is_quick() {
        let text = "a".repeat(8000);
        let pattern = format!("{}b", "%a".repeat(2000));
        assert!(!matches(&text, &pattern));
    }

    /// Each of them took minutes while a piece was compared at each place.
    #[test]
    fn a_large_text_is_searched_in_linear_time() {
        let text = "a".repeat(4 << 20);
        let begin = Instant::now();
        for pattern in [format!("%{}b%", "a".repeat(900)), format!("%{}b%", "a_".repeat(50)), "%a".repeat(250) + "%b"] {
            assert!(!matches(&text, &pattern));
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_search_ends_by_the_deadline_within_one_text() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let text = "a".repeat(15 << 20);
        // As much work as a pattern can make: many such pieces do not make more of it.
        let pattern = format!("%{}b%", "a_".repeat(499));
        deadline::set(Some(Instant::now() + Duration::from_millis(20)));
        let begin = Instant::now();
        let found = connection.query_row("SELECT text_like(?1, ?2)", [&text, &pattern], |row| row.get::<_, bool>(0));
        deadline::set(None);
        let error = crate::error::backend(found.unwrap_err());
        assert!(matches!(error, sealyard_store::StoreError::TooLong), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
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
        assert_eq!(ask("SELECT text_like('a', NULL)"), None);
    }

    #[test]
    fn each_row_is_matched_with_its_own_pattern() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let mut statement = connection
            .prepare("SELECT text_ilike('FRAUD', column1) FROM (VALUES ('f%'), ('x%'), ('%D'), (NULL), ('%d_'))")
            .unwrap();
        let found: Vec<Option<bool>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(found, [Some(true), Some(false), Some(true), None, Some(false)]);
    }
}
