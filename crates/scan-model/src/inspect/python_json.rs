//! JSON as Python's `json.loads` takes it: in any of Unicode's encodings, with `NaN` and `Infinity`.

use serde_json::Value;

/// The words that Python takes for numbers.
const NUMBERS: &[&str] = &["-Infinity", "Infinity", "NaN"];

/// Parses a document; those numbers become null.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = decode(bytes).ok_or("it is in no encoding of Unicode")?;
    match serde_json::from_str(&text) {
        Ok(value) => Ok(value),
        Err(error) => serde_json::from_str(&without_numbers(&text)).map_err(|_| error.to_string()),
    }
}

/// The encoding is told by where the zeros are among the first four bytes.
fn decode(bytes: &[u8]) -> Option<String> {
    let pairs = |convert: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| convert(*pair));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.ok().filter(|_| rest.is_empty())
    };
    let fours = |convert: fn([u8; 4]) -> u32, bytes: &[u8]| {
        let (fours, rest) = bytes.as_chunks::<4>();
        let text: Option<String> = fours.iter().map(|four| char::from_u32(convert(*four))).collect();
        text.filter(|_| rest.is_empty())
    };
    match bytes {
        [0, 0, 0xfe, 0xff, rest @ ..] => fours(u32::from_be_bytes, rest),
        [0xff, 0xfe, 0, 0, rest @ ..] => fours(u32::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => pairs(u16::from_be_bytes, rest),
        [0xff, 0xfe, rest @ ..] => pairs(u16::from_le_bytes, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        [0, 0, 0, _, ..] => fours(u32::from_be_bytes, bytes),
        [0, _, ..] => pairs(u16::from_be_bytes, bytes),
        [_, 0, 0, 0, ..] => fours(u32::from_le_bytes, bytes),
        [_, 0, ..] => pairs(u16::from_le_bytes, bytes),
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}

/// The text with null in place of the words that only Python takes for numbers.
pub(super) fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut is_quoted) = (text, false);
    while let Some(next) = rest.chars().next() {
        if !is_quoted && let Some(word) = NUMBERS.iter().find(|word| rest.starts_with(**word)) {
            out.push_str("null");
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        let length = if is_quoted && next == '\\' {
            1 + rest.chars().nth(1).map_or(0, char::len_utf8)
        } else {
            is_quoted ^= next == '"';
            next.len_utf8()
        };
        let (done, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(done);
        rest = left;
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_python_takes_is_taken() {
        let text = r#"{"a": [NaN, -Infinity, 1], "b": "NaN \" Infinity", "é": 2}"#;
        let value = json!({"a": [null, null, 1], "b": "NaN \" Infinity", "é": 2});
        let wide = |big: bool| {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let long = |big: bool| {
            let convert = |letter| if big { u32::from(letter).to_be_bytes() } else { u32::from(letter).to_le_bytes() };
            text.chars().flat_map(convert).collect()
        };
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let documents: [Vec<u8>; 6] =
            [text.as_bytes().to_vec(), marked, wide(true), wide(false), long(true), long(false)];
        for document in documents {
            assert_eq!(parse(&document), Ok(value.clone()), "{document:?}");
        }
        for document in [b"{".as_slice(), b"", b"\xff", b"{\0}", b"NaNa", br#"{"a": Infinity"#] {
            assert!(parse(document).is_err(), "{document:?}");
        }
    }
}
