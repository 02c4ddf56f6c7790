use std::fmt::Write as _;

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::merkle::leaf_hash;

/// What a line of an export begins with.
pub const LINE_BEGINS: &str = "{\"index\":";

/// An entry as one line of JSON, without its end: index, leaf hash, and the event as the log hashes it. Only what some readers
/// take for the end of a line, or show as what it is not, is written as `\uXXXX`; the log itself never writes those so.
#[must_use]
pub fn line(index: u64, bytes: &[u8]) -> String {
    let event = match std::str::from_utf8(bytes) {
        Ok(text) if serde_json::from_str::<IgnoredAny>(text).is_ok() => text.to_owned(),
        _ => Value::String(String::from_utf8_lossy(bytes).into_owned()).to_string(),
    };
    let mut line = format!("{LINE_BEGINS}{index},\"leaf\":\"{}\",\"event\":", leaf_hash(bytes).to_hex());
    write_plain(&mut line, &event);
    line.push('}');
    line
}

/// JSON of a value, written as [`line`] writes events.
#[must_use]
pub fn plain_json(value: &Value) -> String {
    let mut text = String::new();
    write_plain(&mut text, &value.to_string());
    text
}

fn write_plain(line: &mut String, json: &str) {
    for sign in json.chars() {
        if sign.is_control() || matches!(sign, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(line, "\\u{:04x}", u32::from(sign));
        } else {
            line.push(sign);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_has_the_bytes_that_were_hashed() {
        let bytes = br#"{"time":1,"b":2,"a":"x"}"#;
        let text = line(7, bytes);
        assert!(text.ends_with(r#","event":{"time":1,"b":2,"a":"x"}}"#), "{text}");
        assert!(text.starts_with(LINE_BEGINS));
        let event = serde_json::json!({"name": "a\u{2028}{\"index\":9}\u{85}\u{7f}\u{202e}\n"}).to_string();
        let text = line(8, event.as_bytes());
        assert!(text.chars().all(|sign| !sign.is_control() && !('\u{2028}'..='\u{202e}').contains(&sign)), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["event"], serde_json::from_str::<Value>(&event).unwrap());
        assert_eq!(read["leaf"], leaf_hash(event.as_bytes()).to_hex());
        assert_eq!(serde_json::from_str::<Value>(&line(9, b"{\"no\n\xff")).unwrap()["index"], 9);
    }
}
