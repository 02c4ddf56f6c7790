use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::Artifact;
use crate::allow;
use crate::inspect::{Form, KerasObject};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports Lambda layers and other functions that a Keras model brings as compiled Python, and tells the names in the
    /// code. It never runs the code, and does not judge it: code in a model is not needed.
    ///
    /// # Why it matters
    /// The loaders of HDF5, JSON and YAML models make a function of the code, whatever their safe mode says, and run it
    /// while the model is built. The loader of `.keras` files does so when its safe mode is off, or is turned off by
    /// another part of the file.
    ///
    /// # What to do
    /// Let the author write a registered layer in place of the lambda, and review its source.
    id: "keras-lambda-code",
    name: "Code in a Keras model",
    severity: High,
    summary: "A Keras model brings compiled Python code, as Lambda layers do.",
    help: "Use a registered layer with reviewed source in place of the lambda.",
    references: [
        "https://nvd.nist.gov/vuln/detail/CVE-2024-3660",
        "https://nvd.nist.gov/vuln/detail/CVE-2025-9905",
    ],
}

/// Names in code that have no place in a layer.
const TELLING: &[&str] = &[
    "__builtins__",
    "__globals__",
    "__import__",
    "__loader__",
    "__subclasses__",
    "b64decode",
    "base64",
    "builtins",
    "compile",
    "ctypes",
    "eval",
    "exec",
    "getattr",
    "importlib",
    "marshal",
    "open",
    "os",
    "pathlib",
    "pickle",
    "popen",
    "posix",
    "pty",
    "requests",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "system",
    "urllib",
];

/// Most names that are told.
const MAX_NAMES: usize = 40;

pub(super) fn check(model: &Artifact<'_>, sink: &mut Sink) {
    for object in &model.objects {
        for (place, code) in codes(object) {
            let names = names(&code);
            let telling: Vec<_> = names.iter().filter(|name| TELLING.contains(&name.as_str())).cloned().collect();
            let severity = match (telling.is_empty(), model.form) {
                (false, _) => Severity::Critical,
                (true, Form::Legacy) => Severity::High,
                // Refused by default.
                (true, Form::Archive) => Severity::Medium,
            };
            let mut message = format!("{}{place} is compiled Python", object.path);
            if !telling.is_empty() {
                message = format!("{message} that names {}", telling.join(", "));
            }
            let finding = Finding::new(&METADATA, sink.location(), message).severity(severity);
            sink.push(finding.trace([format!("names and texts in the code: {}", names.join(", "))]));
        }
        if object.class == "Lambda"
            && let (Some(module), Some(name)) = (text(object, "module"), text(object, "function"))
            && allow::is_dangerous(module, name)
        {
            let message = format!("{}.function is {module}.{name}", object.path);
            sink.push(Finding::new(&METADATA, sink.location(), message).severity(Severity::Critical));
        }
    }
}

fn text<'v>(object: &KerasObject<'v>, key: &str) -> Option<&'v str> {
    object.config.get(key).and_then(Value::as_str)
}

/// Compiled code of an object: where it is, and its bytes.
fn codes(object: &KerasObject<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let mut codes = Vec::new();
    if object.class == "__lambda__" {
        let code = object.config.get("code").or_else(|| object.config.get("value")).unwrap_or(object.config);
        codes.push((".config", code.as_str().map(bytes).unwrap_or_default()));
    }
    if object.class == "Lambda" {
        for (key, kind, place) in [
            ("function", "function_type", ".config.function"),
            ("output_shape", "output_shape_type", ".config.output_shape"),
            ("mask", "mask_type", ".config.mask"),
        ] {
            let code = match object.config.get(key) {
                // The code, its defaults, and what it closes over.
                Some(Value::Array(parts)) => match parts.first() {
                    Some(Value::String(code)) => bytes(code),
                    _ => continue,
                },
                Some(Value::String(code)) if text(object, kind) == Some("lambda") => bytes(code),
                _ => continue,
            };
            codes.push((place, code));
        }
    }
    codes
}

/// Keras writes the bytes in base64, with line ends; older versions wrote them as they are.
fn bytes(text: &str) -> Vec<u8> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    // Python passes over everything that is not of the alphabet.
    let plain: String =
        text.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/')).collect();
    GeneralPurpose::new(&STANDARD, config).decode(plain).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// Names and short texts in marshalled code, whatever version of Python it is for: a mark of the type, a length in one
/// byte or four, and the letters.
fn names(code: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut place = 0;
    while let Some([kind, rest @ ..]) = code.get(place..) {
        place += 1;
        let (length, letters) = match (kind & 0x7f, rest) {
            (b'z' | b'Z', [length, letters @ ..]) => (usize::from(*length), letters),
            (b'a' | b'A' | b'u' | b't' | b's', [length, 0, 0, 0, letters @ ..]) => (usize::from(*length), letters),
            _ => continue,
        };
        let text = letters.get(..length).and_then(|letters| std::str::from_utf8(letters).ok());
        if let Some(text) = text
            && length > 1
            && !text.chars().any(char::is_control)
        {
            place += length + rest.len() - letters.len();
            if !names.iter().any(|name| name == text) && names.len() < MAX_NAMES {
                names.push(text.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_code_of_any_version() {
        // `lambda x: __import__("os").system("id")` of Python 3.11, and a piece of 2.7.
        let new = b"\xe3\x01\0\0\0\xfa\x02id\xda\n__import__\xda\x06system\xda\x01x)\x02N\xda\x02os";
        assert_eq!(names(new), ["id", "__import__", "system", "os"]);
        assert_eq!(names(b"c\0\0\0\0t\x06\0\0\0systems\x02\0\0\0id"), ["system", "id"]);
        assert!(names(b"\xe3z\xff").is_empty());
        assert!(names(&[b'z', 3, 0, 1, 2]).is_empty());
    }

    #[test]
    fn bytes_are_decoded_as_python_does() {
        assert_eq!(bytes("aGVs\nbG8=\n"), b"hello");
        assert_eq!(bytes("aGVs-bG8"), b"hello");
    }
}
