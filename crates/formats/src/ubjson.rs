//! Universal Binary JSON, walked without keeping what it holds: the form of XGBoost's models.
//!
//! <https://ubjson.org/>. XGBoost writes lengths of eight bytes and lists of one type.

use std::ops::Range;

use sealyard_core::ReadAt;

use crate::cursor::Cursor;

/// Tables and lists inside each other.
const MAX_DEPTH: usize = 100;
/// Texts and numbers that are kept with their paths.
const MAX_KEPT: usize = 2000;
/// Longest text that is kept, and longest path.
const MAX_TEXT: u64 = 256;
/// Shortest text whose place is kept.
const MIN_KEPT: u64 = 16;
/// Longest key.
const MAX_KEY: u64 = 1 << 16;

/// What a document holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// Values of all kinds.
    pub values: u64,
    /// Texts and whole numbers in tables, by their paths: keys with dots between them. Lists have `[]`.
    pub scalars: Vec<(String, String)>,
    /// Where texts lie that are longer than a name.
    pub texts: Vec<Range<u64>>,
    /// Where it ends.
    pub end: u64,
}

/// Bytes that are no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// A length or count is more than the file has, or a type that there is not.
    #[error("at {0:#x}: {1}")]
    Lie(u64, &'static str),
    /// More than is walked over.
    #[error("at {0:#x}: {1}")]
    Bound(u64, &'static str),
    /// The source could not be read.
    #[error("could not be read: {0}")]
    Io(#[from] std::io::Error),
}

type Result<T> = std::result::Result<T, DocumentError>;

impl Document {
    /// Walks over a document of at most `most` values.
    ///
    /// # Errors
    /// Where it goes past the end or a bound, or is no document.
    pub fn read(source: &dyn ReadAt, most: u64) -> Result<Self> {
        let mut walk = Walk { cursor: Cursor::new(source, 0), size: source.size(), most, document: Self::default() };
        walk.run()?;
        walk.document.end = walk.cursor.place();
        Ok(walk.document)
    }

    /// The first value of a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.scalars.iter().find(|(here, _)| here == path).map(|(_, value)| value.as_str())
    }
}

/// An open table or list.
struct Open {
    is_table: bool,
    /// How many values are to come, where the count was given.
    left: Option<u64>,
    /// The type of all values, where it was given.
    kind: Option<u8>,
    /// The length of the path outside of it.
    path: usize,
}

struct Walk<'s> {
    cursor: Cursor<'s>,
    size: u64,
    most: u64,
    document: Document,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<()> {
        let mut path = String::new();
        let mut open: Vec<Open> = Vec::new();
        let first = self.byte()?;
        self.value(first, &path, &mut open)?;
        while let Some(last) = open.last_mut() {
            path.truncate(last.path);
            let close = if last.is_table { b'}' } else { b']' };
            let mut kind = None;
            match &mut last.left {
                Some(0) => {
                    open.pop();
                    continue;
                }
                Some(left) => *left -= 1,
                None => {
                    let mut next = self.byte()?;
                    while next == b'N' {
                        next = self.byte()?;
                    }
                    if next == close {
                        open.pop();
                        continue;
                    }
                    kind = Some(next);
                }
            }
            if last.is_table {
                let place = self.cursor.place();
                let sort = match kind {
                    Some(sort) => sort,
                    None => self.byte()?,
                };
                let length = self.length(sort)?;
                if length > MAX_KEY {
                    return Err(DocumentError::Bound(place, "a key is too long"));
                }
                let key = self.text(length)?;
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key.get(..key.floor_char_boundary(128)).unwrap_or_default());
                kind = None;
            } else {
                path.push_str("[]");
            }
            let kind = match last.kind.or(kind) {
                Some(kind) => kind,
                None => self.byte()?,
            };
            self.value(kind, &path, &mut open)?;
        }
        Ok(())
    }

    fn value(&mut self, kind: u8, path: &str, open: &mut Vec<Open>) -> Result<()> {
        let place = self.cursor.place();
        self.document.values += 1;
        if self.document.values > self.most {
            return Err(DocumentError::Bound(place, "there are too many values"));
        }
        match kind {
            b'Z' | b'N' | b'T' | b'F' => {}
            b'i' | b'U' | b'I' | b'l' | b'L' => {
                let number = self.integer(kind)?;
                self.keep(path, || number.to_string());
            }
            b'd' => self.skip(4)?,
            b'D' => self.skip(8)?,
            b'C' => self.skip(1)?,
            b'S' | b'H' => {
                let sort = self.byte()?;
                let length = self.length(sort)?;
                let start = self.cursor.place();
                if length >= MIN_KEPT && self.document.texts.len() < MAX_KEPT {
                    self.document.texts.push(start..start.saturating_add(length));
                }
                if length <= MAX_TEXT {
                    let text = self.text(length)?;
                    self.keep(path, || text);
                } else {
                    self.skip(length)?;
                }
            }
            b'[' | b'{' => {
                if open.len() >= MAX_DEPTH {
                    return Err(DocumentError::Bound(place, "tables lie too deep in each other"));
                }
                if let Some(one) = self.container(kind == b'{', path.len())? {
                    open.push(one);
                }
            }
            _ => return Err(DocumentError::Lie(place, "there is no value of that kind")),
        }
        Ok(())
    }

    /// What stands at the start of a table or list; none where it was one of numbers and is over.
    fn container(&mut self, is_table: bool, path: usize) -> Result<Option<Open>> {
        let place = self.cursor.place();
        let (mut kind, mut left) = (None, None);
        let mut next = self.byte()?;
        if next == b'$' {
            kind = Some(self.byte()?);
            next = self.byte()?;
            if next != b'#' {
                return Err(DocumentError::Lie(place, "a list of one type has no count"));
            }
        }
        if next == b'#' {
            let sort = self.byte()?;
            let count = self.length(sort)?;
            left = Some(count);
            let each = match kind {
                Some(b'i' | b'U' | b'C') => 1,
                Some(b'I') => 2,
                Some(b'l' | b'd') => 4,
                Some(b'L' | b'D') => 8,
                Some(b'Z' | b'N' | b'T' | b'F') => 0,
                _ => 1,
            };
            let is_plain = kind.is_some_and(|kind| b"iUCIldLDZNTF".contains(&kind));
            if is_plain && !is_table {
                let bytes = count.checked_mul(each).ok_or(DocumentError::Lie(place, "a list is too long"))?;
                self.skip(bytes)?;
                return Ok(None);
            }
            // Each value takes a byte, or a key does.
            if count > self.size.saturating_sub(self.cursor.place()) {
                return Err(DocumentError::Lie(place, "a list goes past the end of the file"));
            }
        } else {
            self.cursor.go_to(self.cursor.place() - 1);
        }
        Ok(Some(Open { is_table, left, kind, path }))
    }

    fn keep(&mut self, path: &str, value: impl FnOnce() -> String) {
        if self.document.scalars.len() < MAX_KEPT && path.len() as u64 <= MAX_TEXT && path.matches("[]").count() <= 1 {
            self.document.scalars.push((path.to_owned(), value()));
        }
    }

    fn length(&mut self, kind: u8) -> Result<u64> {
        let place = self.cursor.place();
        let number = self.integer(kind)?;
        u64::try_from(number).map_err(|_| DocumentError::Lie(place, "a length is below zero"))
    }

    fn integer(&mut self, kind: u8) -> Result<i64> {
        let place = self.cursor.place();
        let length = match kind {
            b'i' | b'U' => 1,
            b'I' => 2,
            b'l' => 4,
            b'L' => 8,
            _ => return Err(DocumentError::Lie(place, "a length is no number")),
        };
        let mut bytes = [0; 8];
        for byte in bytes.iter_mut().take(length) {
            *byte = self.byte()?;
        }
        let number = u64::from_be_bytes(bytes).cast_signed();
        // The bytes stand at the top: an arithmetic shift keeps the sign.
        Ok(match kind {
            b'U' => i64::from(bytes[0]),
            _ => number >> (64 - 8 * length),
        })
    }

    fn text(&mut self, length: u64) -> Result<String> {
        if length > self.size.saturating_sub(self.cursor.place()) {
            return Err(DocumentError::Lie(self.cursor.place(), "a text goes past the end of the file"));
        }
        let mut text = Vec::new();
        for _ in 0..length {
            text.push(self.byte()?);
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn byte(&mut self) -> Result<u8> {
        if self.cursor.place() >= self.size {
            return Err(DocumentError::Lie(self.cursor.place(), "the document goes past the end of the file"));
        }
        Ok(self.cursor.byte()?)
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        if length > self.size.saturating_sub(self.cursor.place()) {
            return Err(DocumentError::Lie(self.cursor.place(), "a value goes past the end of the file"));
        }
        Ok(self.cursor.skip(length)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_xgboost_writes_is_walked() {
        let bytes = b"{L\0\0\0\0\0\0\0\x07learner{i\x01a[$d#L\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0i\x01bSi\x02hi}i\x07version[#i\x02i\x03i\xff}".to_vec();
        let document = Document::read(&bytes, 100).unwrap();
        assert_eq!(document.get("learner.b"), Some("hi"));
        assert_eq!(
            document
                .scalars
                .iter()
                .filter(|(path, _)| path == "version[]")
                .map(|(_, text)| text.as_str())
                .collect::<Vec<_>>(),
            ["3", "-1"]
        );
        assert_eq!(document.end, bytes.len() as u64);
    }

    #[test]
    fn lies_and_depths_end() {
        for bytes in [
            &b"{"[..],
            b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"[#L\0\0\0\0\x7f\xff\xff\xff",
            b"Si\xff",
            b"Si\x09ab",
            b"{i\x01aQ}",
            b"[$d",
            b"",
        ] {
            assert!(matches!(Document::read(&bytes.to_vec(), 100), Err(DocumentError::Lie(..))), "{bytes:?}");
        }
        assert!(matches!(Document::read(&vec![b'['; 100_000], 1 << 20), Err(DocumentError::Bound(..))));
        assert!(matches!(
            Document::read(&[&b"["[..], &b"Z".repeat(5000)].concat(), 1000),
            Err(DocumentError::Bound(..))
        ));
        let nothing = b"[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec();
        assert!(Document::read(&nothing, 100).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in r"[{}\[\]$#ZNTFiUIlLdDCSH\x00-\x05a]{0,200}") {
            let _ = Document::read(&bytes.into_bytes(), 1000);
        }
    }
}
