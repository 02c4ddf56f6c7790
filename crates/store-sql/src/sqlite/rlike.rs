//! `RLIKE`: regular expressions in time that is linear in the text, whatever the pattern.

use std::sync::OnceLock;

use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use sealyard_store::StoreError;

use crate::sqlite::deadline;

/// Bytes that a compiled pattern may take.
const MAX_COMPILED: usize = 256 * 1024;
/// How deep a pattern's groups may lie in each other.
const MAX_NESTING: u32 = 50;
/// A text up to this length is searched without a look at the time.
const SHORT: usize = 16 * 1024;
/// Bytes between two looks at the time. Each may cost as much as the pattern has states.
const STEPS: usize = 1024;
/// Most states times bytes of a search that can't be watched: some seconds.
const UNWATCHED: usize = 1 << 30;

fn compile(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(MAX_NESTING)
        .build()
}

/// A compiled pattern. Linear in the text is not enough for a large one: the factor is the pattern's, and `regex` can't be
/// stopped once it has begun.
#[derive(Debug)]
struct Pattern {
    regex: regex::Regex,
    /// The same to be driven byte by byte, made for the first large text.
    automaton: OnceLock<Option<DFA>>,
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, regex::Error> {
        Ok(Self { regex: compile(pattern)?, automaton: OnceLock::new() })
    }

    fn occurs_in(&self, text: &str) -> rusqlite::Result<bool> {
        if text.len() <= SHORT {
            return Ok(self.regex.is_match(text));
        }
        match self.watched(text)? {
            Some(found) => Ok(found),
            None if self.states().saturating_mul(text.len()) <= UNWATCHED => Ok(self.regex.is_match(text)),
            None => Err(deadline::too_long()),
        }
    }

    fn automaton(&self) -> Option<&DFA> {
        let build = || {
            DFA::builder()
                // Where a word ends beyond ASCII is more than it can tell; it gives up at such a text.
                .configure(
                    DFA::config()
                        .match_kind(MatchKind::All)
                        .unicode_word_boundary(true)
                        .skip_cache_capacity_check(true),
                )
                .thompson(thompson::Config::new().nfa_size_limit(Some(MAX_COMPILED)))
                .syntax(syntax::Config::new().nest_limit(MAX_NESTING))
                .build(self.regex.as_str())
                .ok()
        };
        self.automaton.get_or_init(build).as_ref()
    }

    fn states(&self) -> usize {
        self.automaton().map_or(MAX_COMPILED, |automaton| automaton.get_nfa().states().len())
    }

    /// Searches with a look at the time now and then. `None` where it can't tell.
    fn watched(&self, text: &str) -> rusqlite::Result<Option<bool>> {
        let Some(automaton) = self.automaton() else { return Ok(None) };
        let mut cache = automaton.create_cache();
        let Ok(mut state) = automaton.start_state_forward(&mut cache, &Input::new(text)) else { return Ok(None) };
        for (place, byte) in text.bytes().enumerate() {
            if place % STEPS == 0 {
                deadline::check()?;
            }
            let Ok(next) = automaton.next_state(&mut cache, state, byte) else { return Ok(None) };
            state = next;
            // It says one byte late what ended before this one. Nothing ends within a character but what is empty, and that does
            // not count.
            if state.is_match() && text.is_char_boundary(place) {
                return Ok(Some(true));
            } else if state.is_dead() {
                return Ok(Some(false));
            } else if state.is_quit() {
                return Ok(None);
            }
        }
        Ok(automaton.next_eoi_state(&mut cache, state).ok().map(|state| state.is_match()))
    }
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
        deadline::check()?;
        let pattern = context.get_or_create_aux(1, |value| {
            Pattern::new(value.as_str().map_err(Box::new)?).map_err(Box::<dyn std::error::Error + Send + Sync>::from)
        })?;
        let text = context.get_raw(0).as_str_or_null()?;
        text.map(|text| pattern.occurs_in(text)).transpose()
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    const PARTS: &[&str] = &[
        "a",
        "b",
        ".",
        "é",
        "|",
        "^",
        "$",
        "[ab]+",
        "é*",
        r"\b",
        r"\B",
        r"(?-u:\B)",
        r"(?-u:\b)",
        r"\w",
        "(?i)",
        "[^a]{2}",
        "(?m)",
        "()",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn a_watched_search_finds_the_same(
            parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..7), text in "[abAé \n]{0,10}"
        ) {
            if let Ok(pattern) = Pattern::new(&parts.concat()) {
                let found = pattern.watched(&text).unwrap();
                prop_assert!(found.is_none_or(|found| found == pattern.regex.is_match(&text)));
                prop_assert!(found.is_some() || !text.is_ascii());
            }
        }
    }

    #[test]
    fn a_search_ends_by_the_deadline_within_one_text() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let mut seed = 1_u32;
        let text: String = (0..4 << 20)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if seed >> 31 == 0 { 'a' } else { 'b' }
            })
            .collect();
        for (text, pattern) in [(&text, "a[ab]{500}c"), (&(text.clone() + "é"), r"\b[ab]*a[ab]{500}\bc")] {
            deadline::set(Some(Instant::now() + Duration::from_millis(20)));
            let begin = Instant::now();
            let found = connection.query_row("SELECT text_rlike(?1, ?2)", [text, pattern], |row| row.get::<_, bool>(0));
            deadline::set(None);
            let error = crate::error::backend(found.unwrap_err());
            assert!(matches!(error, StoreError::TooLong), "{error:?}");
            assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        }
    }

    #[test]
    fn large_texts_are_searched_like_small_ones() {
        for end in ["", "é"] {
            let text = format!("{} fraud{end}", "a".repeat(SHORT));
            for (pattern, expected) in
                [(r"\bfraud", true), ("fraud$", end.is_empty()), ("^fraud", false), (r"\w+\b", true)]
            {
                assert_eq!(Pattern::new(pattern).unwrap().occurs_in(&text).unwrap(), expected, "{pattern} {end}");
            }
        }
    }

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
