//! MessagePack, walked without keeping what it holds: what Flax's checkpoints are made of.
//!
//! <https://github.com/msgpack/msgpack/blob/master/spec.md>. Flax's extensions: 1 is an array, 2 a complex number, 3 a
//! scalar of numpy, each a message of its own (`flax.serialization`).

use std::collections::BTreeMap;
use std::ops::Range;

use sealyard_core::ReadAt;

use crate::cursor::Cursor;

/// Tables and lists inside each other.
const MAX_DEPTH: usize = 200;
/// Values of bytes whose places are kept.
const MAX_KEPT: usize = 10_000;
/// Longest text that is kept.
const MAX_TEXT: u64 = 256;

/// What a message holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Values of all kinds.
    pub values: u64,
    /// Extensions by number: how many, and where the first one lies.
    pub extensions: BTreeMap<i8, (u64, u64)>,
    /// Where the bytes of the extensions lie, with their numbers.
    pub extended: Vec<(i8, Range<u64>)>,
    /// Where values of bytes lie.
    pub bytes: Vec<Range<u64>>,
    /// The keys of the outermost table that are texts.
    pub keys: Vec<String>,
    /// Keys of any table that begin with `py/`, where they lie, and their values where these are texts.
    pub python: Vec<(u64, String, Option<String>)>,
    /// Where the message ends.
    pub end: u64,
}

/// Bytes that are no message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A length or count is more than the file has.
    #[error("at {0:#x}: {1}")]
    Lie(u64, &'static str),
    /// More than is walked over.
    #[error("at {0:#x}: {1}")]
    Bound(u64, &'static str),
    /// The source could not be read.
    #[error("could not be read: {0}")]
    Io(#[from] std::io::Error),
}

impl Message {
    /// Walks over the first message of `source`, of at most `most` values.
    ///
    /// # Errors
    /// Where it goes past the end or a bound.
    pub fn read(source: &dyn ReadAt, most: u64) -> Result<Self, MessageError> {
        Walk { cursor: Cursor::new(source, 0), size: source.size(), most, message: Self::default() }.run()
    }
}

struct Walk<'s> {
    cursor: Cursor<'s>,
    size: u64,
    most: u64,
    message: Message,
}

/// What follows a value's first byte.
enum Head {
    Plain(u64),
    Text(u64),
    Bytes(u64),
    Extension(u64),
    List(u64),
    Table(u64),
}

impl Walk<'_> {
    fn run(mut self) -> Result<Message, MessageError> {
        // How many values are still to come in each open table or list, and whether it is a table.
        let mut open: Vec<(u64, bool)> = vec![(1, false)];
        // The key that the next value belongs to.
        let mut asked: Option<(u64, String)> = None;
        loop {
            while open.last().is_some_and(|(left, _)| *left == 0) {
                open.pop();
            }
            let depth = open.len();
            let Some((left, is_table)) = open.last_mut() else { break };
            *left -= 1;
            let is_any_key = *is_table && *left % 2 == 1;
            let is_key = is_any_key && depth == 2;
            let place = self.cursor.place();
            self.message.values += 1;
            if self.message.values > self.most {
                return Err(MessageError::Bound(place, "there are too many values"));
            }
            let mut named = None;
            match self.head()? {
                Head::Plain(length) => self.skip(place, length)?,
                Head::Text(length) => {
                    self.need(place, length)?;
                    let text = self.text(length)?;
                    if let Some(text) = &text
                        && is_key
                        && self.message.keys.len() < MAX_KEPT
                    {
                        self.message.keys.push(text.clone());
                    }
                    named = text.filter(|text| !is_any_key || text.starts_with("py/"));
                }
                Head::Bytes(length) => {
                    let start = self.cursor.place();
                    self.skip(place, length)?;
                    if self.message.bytes.len() < MAX_KEPT {
                        self.message.bytes.push(start..start + length);
                    }
                }
                Head::Extension(length) => {
                    self.need(place, 1)?;
                    let kind = i8::from_le_bytes(self.cursor.array()?);
                    let start = self.cursor.place();
                    self.skip(place, length)?;
                    let (count, _) = self.message.extensions.entry(kind).or_insert((0, place));
                    *count += 1;
                    if self.message.extended.len() < MAX_KEPT {
                        self.message.extended.push((kind, start..start + length));
                    }
                }
                Head::List(count) => {
                    self.need(place, count)?;
                    open.push((count, false));
                }
                Head::Table(count) => {
                    let values = count.saturating_mul(2);
                    self.need(place, values)?;
                    open.push((values, true));
                }
            }
            if is_any_key {
                asked = named.map(|key| (place, key));
            } else if let Some((place, key)) = asked.take()
                && self.message.python.len() < MAX_KEPT
            {
                self.message.python.push((place, key, named));
            }
            if open.len() > MAX_DEPTH {
                return Err(MessageError::Bound(place, "tables lie too deep in each other"));
            }
        }
        self.message.end = self.cursor.place();
        Ok(self.message)
    }

    /// A text, unless it is too long to be kept.
    fn text(&mut self, length: u64) -> Result<Option<String>, MessageError> {
        if length > MAX_TEXT {
            self.cursor.skip(length)?;
            return Ok(None);
        }
        let mut text = Vec::new();
        for _ in 0..length {
            text.push(self.cursor.byte()?);
        }
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }

    fn head(&mut self) -> Result<Head, MessageError> {
        let place = self.cursor.place();
        self.need(place, 1)?;
        let first = self.cursor.byte()?;
        let length = match first {
            0xc4 | 0xc7 | 0xd9 => 1,
            0xc5 | 0xc8 | 0xda | 0xdc | 0xde => 2,
            0xc6 | 0xc9 | 0xdb | 0xdd | 0xdf => 4,
            _ => 0,
        };
        self.need(place, length)?;
        let mut count = 0;
        for _ in 0..length {
            count = count << 8 | u64::from(self.cursor.byte()?);
        }
        Ok(match first {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Head::Plain(0),
            0x80..=0x8f => Head::Table(u64::from(first & 0x0f)),
            0x90..=0x9f => Head::List(u64::from(first & 0x0f)),
            0xa0..=0xbf => Head::Text(u64::from(first & 0x1f)),
            0xc1 => return Err(MessageError::Lie(place, "there is no value of that kind")),
            0xc4..=0xc6 => Head::Bytes(count),
            0xc7..=0xc9 => Head::Extension(count),
            0xca | 0xce | 0xd2 => Head::Plain(4),
            0xcb | 0xcf | 0xd3 => Head::Plain(8),
            0xcc | 0xd0 => Head::Plain(1),
            0xcd | 0xd1 => Head::Plain(2),
            0xd4..=0xd8 => Head::Extension(1 << (first - 0xd4)),
            0xd9..=0xdb => Head::Text(count),
            0xdc | 0xdd => Head::List(count),
            0xde | 0xdf => Head::Table(count),
        })
    }

    /// Whether so many bytes are still there: each value takes one at least.
    fn need(&self, place: u64, count: u64) -> Result<(), MessageError> {
        let left = self.size.saturating_sub(self.cursor.place());
        if count > left { Err(MessageError::Lie(place, "a value goes past the end of the file")) } else { Ok(()) }
    }

    fn skip(&mut self, place: u64, length: u64) -> Result<(), MessageError> {
        self.need(place, length)?;
        Ok(self.cursor.skip(length)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] = b"\x82\xa6params\x81\xa1w\xc7\x0d\x01\x93\x91\x02\xa3<f4\xc4\x04\0\0\0\0\xa4step\x07";

    #[test]
    fn tables_arrays_and_extensions_are_walked() {
        let message = Message::read(&GOOD.to_vec(), 100).unwrap();
        assert_eq!(message.keys, ["params", "step"]);
        assert_eq!(message.extensions, BTreeMap::from([(1, (1, 11))]));
        assert_eq!(message.end, GOOD.len() as u64);
    }

    #[test]
    fn keys_of_python_are_kept_at_any_depth() {
        let bytes = b"\x81\xa1a\x82\xa9py/object\xa3x.Y\xa9py/reduce\x91\xa1z".to_vec();
        let message = Message::read(&bytes, 100).unwrap();
        let key = |place, key: &str, value: Option<&str>| (place, key.to_owned(), value.map(str::to_owned));
        assert_eq!(message.python, [key(4, "py/object", Some("x.Y")), key(18, "py/reduce", None)]);
    }

    #[test]
    fn lies_and_depths_end() {
        for bytes in [
            &b"\xdf\xff\xff\xff\xff"[..],
            b"\xc6\xff\xff\xff\xff",
            b"\xdb\x00\x00\x00\x09abc",
            b"\xc1",
            b"\x92\x01",
            b"\xd8\x01",
            b"",
        ] {
            assert!(matches!(Message::read(&bytes.to_vec(), 100), Err(MessageError::Lie(..))), "{bytes:x?}");
        }
        assert!(matches!(Message::read(&vec![0x91; 100_000], 1 << 20), Err(MessageError::Bound(..))));
        assert!(matches!(
            Message::read(&[&b"\xdc\xff\xff"[..], &[0; 70_000]].concat(), 1000),
            Err(MessageError::Bound(..))
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::read(&bytes, 1000);
        }
    }
}
