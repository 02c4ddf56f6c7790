use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::AnyValue;

/// The value as Python's `json.dumps(value, ensure_ascii=False)` writes it: MLflow keeps attributes of spans as such texts,
/// and clients compare them.
#[must_use]
pub fn to_python_json(value: &AnyValue) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &AnyValue) {
    match value {
        AnyValue::None => text.push_str("null"),
        AnyValue::Text(value) => quote(text, value),
        AnyValue::Flag(value) => text.push_str(if *value { "true" } else { "false" }),
        AnyValue::Integer(value) => text.push_str(&value.to_string()),
        AnyValue::Double(value) => text.push_str(&float(*value)),
        AnyValue::Bytes(bytes) => quote(text, &STANDARD.encode(bytes)),
        AnyValue::List(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                write(text, item);
            }
            text.push(']');
        }
        AnyValue::Map(pairs) => {
            text.push('{');
            for (position, pair) in pairs.iter().enumerate() {
                if position > 0 {
                    text.push_str(", ");
                }
                quote(text, &pair.key);
                text.push_str(": ");
                write(text, &pair.value);
            }
            text.push('}');
        }
    }
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            control if control < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
}

/// Python's `repr` of a float: the shortest digits, a point at least, an exponent outside of 1e-4 to 1e16.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    format!("{value:?}")
}
