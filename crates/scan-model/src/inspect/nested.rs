//! Pickles that are constants of other pickles: byte strings and texts, also compressed, in base64 or in hexadecimal digits.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sealyard_formats::decompress::{Codec, expand};
use sealyard_formats::npy::Npy;
use sealyard_formats::pickle::{Node, Pickle, Stop};

use super::pickle::{acts, options, run};
use crate::context::Context;
use crate::judge::{Concern, Persistence, judge};

/// Pickles inside pickles inside pickles that are followed.
const MAX_NESTING: usize = 3;
/// Most concerns that are kept of all of them.
const MAX_CONCERNS: usize = 64;
/// Most opcodes of one of them.
const MAX_OPCODES: u64 = 1_000_000;
/// Most bytes that a compressed constant is expanded to.
const MAX_EXPANDED: u64 = 16 << 20;
/// Wrappings around each other that are taken off: base64 of a compressed pickle has two.
const MAX_WRAPPINGS: usize = 3;
/// The shortest text that is taken for an encoded pickle: a call has more.
const MIN_ENCODED: usize = 16;
/// How base64 of a pickle begins: of `0x80` and a protocol, of zlib, gzip, bzip2 and xz, of `c`, `(` and `i`.
const BEGINNINGS: &[&[u8]] = &[
    b"gA", b"eJ", b"eN", b"eA", b"eF", b"H4sI", b"Qlpo", b"/Td6", b"_Td6", b"Y2", b"Y3", b"KC", b"KE", b"KF", b"KG",
    b"KH", b"KI", b"aW", b"aX",
];
/// How hexadecimal digits of a compressed one begin.
const DIGITS: &[&[u8; 4]] = &[b"789c", b"78da", b"7801", b"785e", b"1f8b", b"425a", b"fd37"];

/// What no list covers in constants of `pickle` that are pickles themselves, at the offsets of these constants.
pub(super) fn concerns(pickle: &Pickle<'_>, context: &mut Context) -> Vec<Concern> {
    let mut found = look(pickle, MAX_NESTING, context);
    found.truncate(MAX_CONCERNS);
    found
}

fn look(pickle: &Pickle<'_>, depth: usize, context: &mut Context) -> Vec<Concern> {
    let mut found = Vec::new();
    for (id, node) in pickle.graph.iter() {
        if found.len() >= MAX_CONCERNS {
            break;
        }
        let bytes = match node {
            Node::Bytes(bytes) | Node::ByteArray(bytes) => Cow::Borrowed(bytes.as_ref()),
            Node::Str(text) => match text.as_str() {
                Some(text) => bytes_of(text),
                None => continue,
            },
            _ => continue,
        };
        let mut concerns = in_bytes(&bytes, depth, context);
        for concern in &mut concerns {
            concern.offset = pickle.graph.offset(id);
        }
        found.extend(concerns);
    }
    found
}

/// What no list covers in a value of a table or a configuration that is a pickle.
pub(super) fn in_value(value: &[u8], context: &mut Context) -> Vec<Concern> {
    let mut found = in_bytes(value, MAX_NESTING, context);
    found.truncate(MAX_CONCERNS);
    found
}

/// Whether a text may be an encoded pickle, by how it begins.
pub(super) fn may_be_encoded(text: &str) -> bool {
    let text = text.trim_ascii_start().as_bytes();
    text.len() >= MIN_ENCODED && (is_pickle(text) || is_hexadecimal(text) || is_base64(text))
}

/// The same in one constant, which may also be an array.
fn in_bytes(bytes: &[u8], depth: usize, context: &mut Context) -> Vec<Concern> {
    if Npy::matches(bytes) {
        context.nest("(bytes)", &bytes);
        return Vec::new();
    }
    let Some(inner) = unwrapped(bytes, context) else { return Vec::new() };
    let options = options(false, MAX_OPCODES, context);
    // Words can look like an import of the first protocols, not like one that is called.
    let is_sure = inner.first() == Some(&0x80);
    let inner = run(&inner, &options, context);
    if inner.streams.iter().any(|stream| matches!(stream.stop, Stop::Bound { .. })) {
        context.miss("pickles inside the pickle go on for longer than is looked at");
    }
    let mut concerns = judge(&inner, Persistence::Refused);
    concerns.retain(|concern| acts(concern) && (is_sure || concern.called));
    if depth > 0 {
        concerns.extend(look(&inner, depth - 1, context));
    }
    concerns
}

/// Protocols 0 to 2 write bytes as a text of their numbers, which `_codecs.encode(…, 'latin1')` turns back.
fn bytes_of(text: &str) -> Cow<'_, [u8]> {
    let begins = text.starts_with(['\u{80}', '\u{93}', '\u{fd}', '\u{1f}', 'x']);
    let numbers: Option<Vec<u8>> =
        if begins { text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect() } else { None };
    numbers.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}

/// The pickle that a constant is, if it may be one.
fn unwrapped<'b>(constant: &'b [u8], context: &mut Context) -> Option<Cow<'b, [u8]>> {
    let mut bytes = Cow::Borrowed(constant);
    for _ in 0..=MAX_WRAPPINGS {
        if is_pickle(&bytes) {
            return Some(bytes);
        }
        bytes = Cow::Owned(unwrap_once(&bytes, context)?);
    }
    None
}

/// By how it begins; one of the first protocols has no beginning of its own, but names something, and ends.
fn is_pickle(bytes: &[u8]) -> bool {
    match bytes {
        [0x80, 0..=5, ..] => true,
        [b'c' | b'(' | b'i', rest @ ..] => {
            rest.trim_ascii_end().last() == Some(&b'.') && rest.iter().filter(|byte| **byte == b'\n').count() >= 2
        }
        _ => false,
    }
}

fn unwrap_once(bytes: &[u8], context: &mut Context) -> Option<Vec<u8>> {
    if let Some(codec) = Codec::of(bytes) {
        let expanded = expand(codec, bytes, MAX_EXPANDED.min(context.budget().bytes()));
        context.budget().spend_bytes(expanded.bytes.len() as u64);
        return (!expanded.bytes.is_empty()).then_some(expanded.bytes);
    }
    let text = bytes.trim_ascii();
    if text.len() < MIN_ENCODED {
        return None;
    }
    if is_hexadecimal(text)
        && let Some(decoded) = hexadecimal(text)
    {
        context.budget().spend_bytes(decoded.len() as u64);
        return Some(decoded);
    }
    if !is_base64(text) {
        return None;
    }
    let clean: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').collect();
    let decoded = STANDARD_NO_PAD.decode(&clean).or_else(|_| URL_SAFE_NO_PAD.decode(&clean)).ok()?;
    context.budget().spend_bytes(decoded.len() as u64);
    Some(decoded)
}

/// 0x80 and a protocol, or the first bytes of a compression, in these digits.
fn is_hexadecimal(text: &[u8]) -> bool {
    let Some(start) = text.get(..4) else { return false };
    matches!(start, [b'8', b'0', b'0', b'0'..=b'5']) || DIGITS.iter().any(|magic| start.eq_ignore_ascii_case(*magic))
}

fn is_base64(text: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

pub(super) fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.chunks(2)
        .map(|pair| if let [high, low] = pair { Some(digit(high)? << 4 | digit(low)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use sealyard_core::Verdict;

    use super::*;
    use crate::Scanner;

    const CALL: &[u8] = b"\x80\x02cposix\nsystem\nU\x04true\x85R.";
    const OLD: &[u8] = b"cposix\nsystem\n(S'true'\ntR.";

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bytes(constant: &[u8]) -> Vec<u8> {
        let length = u32::try_from(constant.len()).unwrap().to_le_bytes();
        [b"\x80\x03B", &length[..], constant, b"."].concat()
    }

    fn text(constant: &str) -> Vec<u8> {
        let length = u32::try_from(constant.len()).unwrap().to_le_bytes();
        [b"\x80\x03X", &length[..], constant.as_bytes(), b"."].concat()
    }

    #[test]
    fn whatever_is_around_it() {
        for (name, file) in [
            ("bytes", bytes(CALL)),
            ("an old protocol", bytes(OLD)),
            ("an old protocol as text", text(str::from_utf8(OLD).unwrap())),
            ("compressed", bytes(&zlib(CALL))),
            ("base64", text(&STANDARD.encode(CALL))),
            ("base64 of an old one", text(&STANDARD.encode(OLD))),
            ("base64 as bytes", bytes(URL_SAFE.encode(CALL).as_bytes())),
            ("base64 of compressed", text(&STANDARD.encode(zlib(CALL)))),
            ("compressed twice", text(&STANDARD.encode(zlib(&zlib(CALL))))),
            ("as numbers", text(&CALL.iter().map(|byte| char::from(*byte)).collect::<String>())),
            ("compressed, as numbers", text(&zlib(CALL).iter().map(|byte| char::from(*byte)).collect::<String>())),
            ("hexadecimal", text(&hex::encode(CALL))),
            ("hexadecimal of compressed", text(&hex::encode(zlib(CALL)))),
            ("in a pickle in a pickle", bytes(&bytes(&bytes(CALL)))),
        ] {
            let report = Scanner::new().scan_file("a.pkl", &file);
            assert_eq!(report.verdict, Verdict::Suspicious, "{name}");
            assert_eq!(report.findings[0].rule, "pickle-nested-pickle", "{name}");
        }
    }

    #[test]
    fn words_and_numbers_are_no_pickles() {
        for constant in [
            "can't be.\nwon't be.\nis.",
            "gAAAAABmQk1vZGVsIG5hbWUgYW5kIG5vdGhpbmcgZWxzZQ==",
            "80020000000000000000000000000000",
            "Y2F0ZWdvcmljYWwgdGV4dCBpbiBiYXNlNjQ=",
            "eJustawordthatbeginslikezlib",
        ] {
            let report = Scanner::new().scan_file("a.pkl", &text(constant));
            assert_eq!((report.verdict, report.findings.len()), (Verdict::Safe, 0), "{constant}");
        }
    }

    #[test]
    fn expanding_constants_takes_from_the_budget() {
        let bomb = bytes(&zlib(&[b'N'; 1 << 20]));
        let mut context = Context::with_budget("a", crate::budget::Budget { expanded: 1 << 20, ..Default::default() });
        super::super::content(&&bomb[..], &mut context);
        assert_eq!(context.budget().bytes(), 0);
    }
}
