//! Pickles in what is none: values of tables and configurations, and bytes anywhere in a file, as they are, in base64 or
//! in hexadecimal digits. Nothing loads them by itself, but a program that keeps its model there does.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::pickle::{Fault, Opcode, Stop};

use super::nested;
use super::pickle::{acts, options, run};
use crate::context::Context;
use crate::judge::{Concern, Persistence, judge};
use crate::rules::pickle::{self as rules, Artifact};

/// Bytes of a file that are looked at together.
const CHUNK: u64 = 4 << 20;
/// How much of a file's data is looked at, from its start; models are smaller than that, tables of data may not be.
const MOST: u64 = 64 << 20;
/// How much of a file's end is looked at.
const TAIL: u64 = 256 << 10;
/// Bytes of one pickle that are looked at first, and where it goes on behind them.
const SHORT: usize = 4 << 10;
const LONG: usize = 1 << 20;
/// How often one may go on.
const MAX_LONG: usize = 64;
/// Most places of one file part that begin like a pickle.
const MAX_TRIED: usize = 20_000;
const MAX_OPCODES: u64 = 1_000_000;
const MAX_CONCERNS: usize = 64;
/// Fewest letters that are taken for a pickle.
const MIN_ENCODED: usize = 16;
/// Longest module and name that an old protocol imports.
const MAX_NAMES: usize = 256;

/// Looks at a value as a whole, with whatever is around a pickle in it.
pub(super) fn value(bytes: &[u8], offset: u64, context: &mut Context) {
    let mut concerns = nested::in_value(bytes, context);
    for concern in &mut concerns {
        concern.offset = offset;
    }
    tell(&concerns, context);
}

/// Looks for pickles anywhere in bytes that lie at `offset`.
pub(super) fn within(bytes: &[u8], offset: u64, context: &mut Context) {
    look(bytes, bytes.len(), offset, context);
}

/// Looks for pickles anywhere in a file of data.
pub(super) fn file(data: &dyn ReadAt, context: &mut Context) {
    let end = data.size().min(MOST);
    let mut start = 0;
    while start < end {
        let length = (LONG as u64 + CHUNK).min(data.size() - start);
        let section = Section::new(data, start..start + length);
        let Some(bytes) = context.read(&section, length) else { return };
        look(&bytes, usize::try_from(CHUNK).unwrap_or(usize::MAX), start, context);
        start += CHUNK;
    }
    if end < data.size() {
        tail(data, context);
    }
}

/// Looks for pickles at the end of a file, where most readers do not mind what follows.
pub(super) fn tail(data: &dyn ReadAt, context: &mut Context) {
    let start = data.size().saturating_sub(TAIL);
    let section = Section::new(data, start..data.size());
    if let Some(bytes) = context.read(&section, TAIL) {
        within(&bytes, start, context);
    }
}

fn tell(concerns: &[Concern], context: &mut Context) {
    if !concerns.is_empty() {
        rules::run(&Artifact::Nested(concerns), context.sink());
    }
}

/// How a pickle is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// Plain, of a protocol that has no beginning of its own.
    Old,
    Base64,
    Hexadecimal,
}

/// Looks at what begins like a pickle before `end`.
fn look(bytes: &[u8], end: usize, offset: u64, context: &mut Context) {
    if !context.step(bytes.len() as u64 / 16 + 1) {
        return;
    }
    let mut found = Vec::new();
    let (mut place, mut tried, mut long) = (0, 0, 0);
    while place < end.min(bytes.len()) && found.len() < MAX_CONCERNS {
        let rest = bytes.get(place..).unwrap_or_default();
        let Some(form) = begins(rest) else {
            place += 1;
            continue;
        };
        tried += 1;
        if tried > MAX_TRIED {
            context.miss("there is more in it that begins like a pickle than is looked at");
            break;
        }
        let (concerns, length) = follow(rest, form, &mut long, context);
        found.extend(concerns.into_iter().map(|concern| Concern { offset: offset + place as u64, ..concern }));
        place += if form == Form::Plain { length.max(1) } else { 1 };
    }
    found.truncate(MAX_CONCERNS);
    tell(&found, context);
}

/// What is called in a pickle, and how long it is if it comes to its end.
fn follow(rest: &[u8], form: Form, long: &mut usize, context: &mut Context) -> (Vec<Concern>, usize) {
    let mut options = options(false, MAX_OPCODES, context);
    options.limits.streams = 1;
    let head = form.read(rest, SHORT);
    let mut pickle = run(&head, &options, context);
    let whole;
    let stop = pickle.streams.first().map(|stream| &stream.stop);
    let is_cut = matches!(stop, Some(Stop::Fault { fault: Fault::NoStop | Fault::Truncated, .. }));
    if is_cut && rest.len() > SHORT && *long < MAX_LONG {
        *long += 1;
        whole = form.read(rest, LONG);
        pickle = run(&whole, &options, context);
    }
    let Some(first) = pickle.streams.first() else { return (Vec::new(), 0) };
    let (end, is_whole) = (first.end, first.stop.value().is_some());
    let mut concerns = judge(&pickle, Persistence::Refused);
    // Words can look like an import of the first protocols, not like one that is called.
    concerns.retain(|concern| acts(concern) && (form != Form::Old || concern.called));
    (concerns, if is_whole { usize::try_from(end).unwrap_or_default() } else { 0 })
}

/// How a pickle is written that may begin here.
fn begins(rest: &[u8]) -> Option<Form> {
    match rest {
        [0x80, 2..=5, opcode, ..] if Opcode::of(*opcode).is_some() => Some(Form::Plain),
        // 0x80, the protocol and two bits of an opcode.
        [b'g', b'A', b'I'..=b'X', more @ ..] if are_all(more, is_letter) => Some(Form::Base64),
        [b'8', b'0', b'0', b'2'..=b'5', more @ ..] if are_all(more, |byte| byte.is_ascii_hexdigit()) => {
            Some(Form::Hexadecimal)
        }
        [b'(', b'c', name @ ..] if is_import(name, b"(])}pq0VSUXIJK") => Some(Form::Old),
        [b'c', name @ ..] if is_import(name, b"(])}pq0") => Some(Form::Old),
        _ => None,
    }
}

/// Whether as many bytes as a call takes are letters.
fn are_all(bytes: &[u8], is_letter: impl Fn(u8) -> bool) -> bool {
    bytes.get(..MIN_ENCODED).is_some_and(|bytes| bytes.iter().all(|byte| is_letter(*byte)))
}

/// Whether two lines are a module and a name, and one of these opcodes follows.
fn is_import(bytes: &[u8], opcodes: &[u8]) -> bool {
    let mut lines = bytes.get(..MAX_NAMES.min(bytes.len())).unwrap_or_default().splitn(3, |byte| *byte == b'\n');
    let is_name =
        |line: &[u8]| !line.is_empty() && line.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(byte));
    let (Some(module), Some(name), Some(rest)) = (lines.next(), lines.next(), lines.next()) else { return false };
    is_name(module) && is_name(name) && rest.first().is_some_and(|opcode| opcodes.contains(opcode))
}

impl Form {
    /// The first bytes of the pickle, at most `limit`.
    fn read(self, rest: &[u8], limit: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Plain | Self::Old => Cow::Borrowed(rest.get(..limit).unwrap_or(rest)),
            Self::Base64 => Cow::Owned(decode(letters(rest, limit, is_letter)).unwrap_or_default()),
            Self::Hexadecimal => {
                let letters = letters(rest, limit, |byte| byte.is_ascii_hexdigit());
                let pairs = letters.get(..letters.len() & !1).unwrap_or_default();
                Cow::Owned(nested::hexadecimal(pairs).unwrap_or_default())
            }
        }
    }
}

/// Whether a byte is a letter of either alphabet of base64.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The letters from here on, over the ends of lines.
fn letters(rest: &[u8], limit: usize, is_letter: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut letters = Vec::new();
    let mut is_at_end = false;
    for byte in rest.iter().take(limit.saturating_mul(2)) {
        match byte {
            byte if is_letter(*byte) => {
                is_at_end = false;
                letters.push(*byte);
            }
            b'\n' => is_at_end = true,
            // Before `/` JSON may have one.
            b'\r' | b'\\' => {}
            b' ' | b'\t' if is_at_end => {}
            _ => break,
        }
    }
    letters
}

fn decode(mut letters: Vec<u8>) -> Option<Vec<u8>> {
    for letter in &mut letters {
        match letter {
            b'-' => *letter = b'+',
            b'_' => *letter = b'/',
            _ => {}
        }
    }
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, config).decode(&letters).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose;

    use super::*;

    const CALL: &[u8] = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.";
    const HARMLESS: &[u8] = b"\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R.";

    fn found(bytes: &[u8]) -> Vec<u64> {
        let mut context = Context::new("a");
        within(bytes, 100, &mut context);
        assert_eq!(context.sink().not_assessed, []);
        context.sink().findings.iter().map(|finding| finding.location.offset.unwrap()).collect()
    }

    #[test]
    fn they_are_found_wherever_they_lie() {
        let encoded = general_purpose::STANDARD.encode(CALL);
        let (first, second) = encoded.split_at(20);
        assert_eq!(found(&[b"\0\x80\x02..", CALL, b"\xff\x80"].concat()), [105]);
        assert_eq!(found(&[b"\0", HARMLESS, CALL].concat()), [101 + HARMLESS.len() as u64]);
        assert_eq!(found(format!("model: {encoded}\nname: x\n").as_bytes()), [107]);
        assert_eq!(found(format!("model: !!binary |\n  {first}\n  {second}\nname: x\n").as_bytes()), [120]);
        assert_eq!(
            found(&[b"\0cposix\nsystem\n(Vid\ntR.".as_slice(), b"(cposix\nsystem\nVid\no."].concat()),
            [101, 123]
        );
        assert_eq!(found(b"cat\ndog\n(a word)\nR.\ncposix\nsystem\n(and more)"), [0; 0]);
        assert_eq!(found(format!("x={};", hex::encode(CALL)).as_bytes()), [102]);
        assert_eq!(found(&[HARMLESS, general_purpose::STANDARD.encode(HARMLESS).as_bytes()].concat()), [0; 0]);
        // Broken behind the call.
        assert_eq!(found(CALL.strip_suffix(b".").unwrap()), [100]);
    }

    #[test]
    fn the_parts_of_a_file_hide_none_at_their_borders() {
        for place in [(CHUNK - 5) as usize, CHUNK as usize, MOST as usize + 10] {
            let mut bytes = vec![0; place];
            bytes.extend(CALL);
            let mut context = Context::new("a");
            file(&bytes, &mut context);
            assert_eq!(context.sink().findings.len(), 1, "{place}");
        }
        let mut context = Context::new("a");
        tail(&[&vec![0; 1 << 20][..], CALL].concat(), &mut context);
        assert_eq!(context.sink().findings.len(), 1);
    }

    #[test]
    fn a_flood_of_beginnings_ends() {
        let mut context = Context::new("a");
        within(&b"\x80\x02X".repeat(100_000), 0, &mut context);
        assert_eq!(context.sink().not_assessed.len(), 1);
    }
}
