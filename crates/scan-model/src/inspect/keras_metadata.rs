use sealyard_core::ReadAt;
use sealyard_formats::tensorflow::Root;
use serde_json::Value;

use super::{message, tensorflow};
use crate::context::Context;

/// The description of Keras layers beside a `SavedModel`.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    tensorflow::look(data, Root::KerasMetadata, context, true);
    message::others(data, context);
    "keras-metadata"
}

/// Reads JSON as Python writes and reads it, which has numbers that are none.
pub(super) fn parse(bytes: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(bytes).or_else(|error| {
        let plain = without_odd_numbers(bytes);
        if plain == bytes { Err(error) } else { serde_json::from_slice(&plain) }
    })
}

/// The document with `null` in place of `NaN` and `Infinity`, other than in texts.
fn without_odd_numbers(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut is_text = false;
    while let Some((byte, behind)) = rest.split_first() {
        let odd = ["NaN", "-Infinity", "Infinity"].iter().find(|word| !is_text && rest.starts_with(word.as_bytes()));
        if let Some(word) = odd {
            plain.extend(b"null");
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        plain.push(*byte);
        rest = behind;
        match (byte, rest.split_first()) {
            (b'"', _) => is_text = !is_text,
            (b'\\', Some((escaped, behind))) if is_text => {
                plain.push(*escaped);
                rest = behind;
            }
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_python_are_read() {
        let value = parse(br#"{"a": NaN, "b": [-Infinity, Infinity], "NaN": "\"NaN"}"#).unwrap();
        assert_eq!(value, serde_json::json!({"a": null, "b": [null, null], "NaN": "\"NaN"}));
        assert!(parse(b"{NaN}").is_err());
        assert!(parse(&b"[".repeat(100_000)).is_err());
    }
}
