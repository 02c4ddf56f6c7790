use sealyard_core::ReadAt;
use sealyard_formats::protobuf::{Fields, Value};
use sealyard_formats::sniff::Format;
use sealyard_scan::FactKind;

use super::message;
use crate::context::Context;

/// Longest piece.
const MAX_PIECE: u64 = 64 << 10;

/// A table of words or pieces of words with numbers, in protobuf: every entry is a text and numbers, and nothing else.
/// Tokenizers look words up in it; nothing in it is ever run.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    match count(data, context) {
        Ok(pieces) => context.fact(FactKind::Property, "pieces", pieces),
        Err(reason) => context.miss(reason),
    }
    message::others(data, context);
    if context.format() == Format::SentencePiece { "sentencepiece" } else { "vocabulary" }
}

fn count(data: &dyn ReadAt, context: &mut Context) -> Result<u64, String> {
    let mut pieces = 0;
    for field in Fields::of(data) {
        let field = field.map_err(|error| error.to_string())?;
        // Behind the pieces are the settings of the trainer and the normalizer.
        if field.number != 1 {
            continue;
        }
        if !context.step(1) {
            return Ok(pieces);
        }
        let range = field.range().ok_or("an entry of the table is no message")?;
        for part in Fields::within(data, range) {
            let part = part.map_err(|error| error.to_string())?;
            let is_known = match part.value {
                Value::Bytes(range) => part.number == 1 && is_text(data, range)?,
                Value::Group(_) => false,
                _ => part.number != 1,
            };
            if !is_known {
                return Err("an entry of the table is more than a text with numbers".to_owned());
            }
        }
        pieces += 1;
    }
    Ok(pieces)
}

fn is_text(data: &dyn ReadAt, range: std::ops::Range<u64>) -> Result<bool, String> {
    let length = range.end - range.start;
    if length > MAX_PIECE {
        return Ok(false);
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    data.read_exact_at(range.start, &mut bytes).map_err(|error| format!("could not be read: {error}"))?;
    Ok(std::str::from_utf8(&bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(last: &[u8]) -> (&'static str, usize, usize) {
        let mut bytes = b"\x0a\x07\x0a\x05<unk>\x0a\x0a\x0a\x03the\x15\0\0\0\0".repeat(100);
        bytes.extend(last);
        let mut context = Context::new("spiece.model");
        let kind = crate::inspect::content(&bytes, &mut context);
        (kind, context.sink().facts.len(), context.sink().not_assessed.len())
    }

    #[test]
    fn only_words_and_numbers_pass() {
        assert_eq!(look(b""), ("vocabulary", 1, 0));
        assert_eq!(look(b"\x12\x02\x18\x01\x1a\0"), ("sentencepiece", 1, 0));
        // Far behind what tells the format.
        assert_eq!(look(b"\x0a\x06\x0a\x01a\x12\x01b"), ("vocabulary", 0, 1));
        assert_eq!(look(b"\x0a\x03\x0a\x01\xff"), ("vocabulary", 0, 1));
    }
}
