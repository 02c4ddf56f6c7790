//! JSON as Python writes it, from rows that nobody checked.

use sealyard_formats::json_bounds::{JsonBounds, is_shallow};
use serde_json::Value;

/// How deep lists and objects may lie in each other. Clients and pages read it with recursion too.
const DEEPEST: usize = 64;

/// The value of a text that has at most `most` bytes; `None` for anything else.
pub(crate) fn read(text: &str, most: usize) -> Option<Value> {
    if text.len() > most || !is_shallow(text.as_bytes(), DEEPEST) || !JsonBounds::REQUEST.hold(text.as_bytes()) {
        return None;
    }
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_nan(text))).ok()
}

/// The text itself where it is JSON; written anew where only Python reads it.
pub(crate) fn text(text: String, most: usize) -> Option<String> {
    let value = read(&text, most)?;
    if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() { Some(text) } else { Some(value.to_string()) }
}

/// Python's `NaN` and `Infinity` are no JSON; they become texts.
fn without_nan(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    let (mut in_text, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if !in_text && let Some(word) = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word))
        {
            made.push('"');
            made.push_str(word);
            made.push('"');
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            _ => {}
        }
        made.push(character);
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_writes_is_read() {
        assert_eq!(text("{\"a\": 1.0}".into(), 100).unwrap(), "{\"a\": 1.0}", "JSON stays as it is");
        let odd = "{\"a\": [NaN, -Infinity, Infinity], \"NaN \\\" NaN\": \"NaN\"}";
        let value: Value = serde_json::from_str(&text(odd.into(), 100).unwrap()).unwrap();
        assert_eq!(value["a"], serde_json::json!(["NaN", "-Infinity", "Infinity"]));
        assert_eq!(value["NaN \" NaN"], "NaN");
    }

    #[test]
    fn what_is_too_much_is_not() {
        for (odd, most) in [
            ("[".repeat(65) + &"]".repeat(65), 1000),
            ("{\"a\": 1}".into(), 7),
            ("{\"a\"".into(), 100),
            (String::new(), 100),
            (format!("[{}1]", "{},".repeat(200_000)), 10_000_000),
        ] {
            assert!(text(odd.clone(), most).is_none(), "{}", &odd[..odd.len().min(40)]);
        }
    }
}
