//! Tables in columns: the footers of Parquet and of Arrow's file form. The columns themselves are not read.
//!
//! <https://github.com/apache/parquet-format>, <https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format>

use std::io;

use base64::Engine as _;
use sealyard_core::ReadAt;

use crate::thrift::{Broken, Reader, Value};

/// Longest footer that is read.
const MAX_FOOTER: u64 = 64 << 20;
/// The name of Arrow types whose definition is a pickle; pyarrow before 14.0.1 loads it when it sees the schema.
const PICKLED_TYPE: &[u8] = b"arrow.py_extension_type";
/// Under this key, Parquet files of Arrow have its schema as base64.
const ARROW_SCHEMA: &[u8] = b"ARROW:schema";

/// What a footer tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Rows, where the footer has their number.
    pub rows: Option<u64>,
    /// Columns, where they are counted.
    pub columns: Option<u64>,
    /// The program that wrote the file.
    pub created_by: Option<String>,
    /// Whether a column has a type whose definition is a pickle.
    pub has_pickled_type: bool,
}

/// A file without a whole footer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file does not end as it begins, or its footer does not fit into it.
    #[error("the file has no footer")]
    NoFooter,
    /// The footer is longer than what is read.
    #[error("the footer is longer than {MAX_FOOTER} bytes")]
    Bound,
    /// The footer is encrypted.
    #[error("the footer is encrypted")]
    Encrypted,
    /// The footer is not of the format.
    #[error("the footer is broken")]
    Footer,
    /// Bytes below could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}

impl From<Broken> for TableError {
    fn from(_: Broken) -> Self {
        Self::Footer
    }
}

impl Table {
    /// Reads the footer of a Parquet file.
    ///
    /// # Errors
    /// [`TableError`] when there is none that can be read.
    pub fn parquet(source: &dyn ReadAt) -> Result<Self, TableError> {
        if tail::<4>(source)? == *b"PARE" {
            return Err(TableError::Encrypted);
        }
        let footer = footer(source, b"PAR1", 4)?;
        let mut reader = Reader::new(&footer);
        let mut table = Self::default();
        let mut seen = [false; 3];
        while let Some((number, value)) = reader.field()? {
            match (number, value) {
                (1, Value::Integer(_)) => seen[0] = true,
                (2, Value::List(schema)) => {
                    seen[1] = true;
                    table.columns = Some(columns(schema)?);
                }
                (3, Value::Integer(rows)) => {
                    seen[2] = true;
                    table.rows = Some(u64::try_from(rows).map_err(|_| TableError::Footer)?);
                }
                (5, Value::List(entries)) => table.has_pickled_type |= has_pickled_type(entries)?,
                (6, Value::Bytes(text)) => table.created_by = Some(String::from_utf8_lossy(text).into_owned()),
                _ => {}
            }
        }
        if seen == [true; 3] && reader.is_at_end() { Ok(table) } else { Err(TableError::Footer) }
    }

    /// Reads the footer of an Arrow file.
    ///
    /// # Errors
    /// [`TableError`] when there is none.
    pub fn arrow(source: &dyn ReadAt) -> Result<Self, TableError> {
        let footer = footer(source, b"ARROW1", 8)?;
        Ok(Self { has_pickled_type: contains(&footer, PICKLED_TYPE), ..Self::default() })
    }
}

/// The bytes before a length of four bytes and the magic that ends the file; `head` bytes at its start belong to neither.
fn footer<const N: usize>(source: &dyn ReadAt, magic: &[u8; N], head: u64) -> Result<Vec<u8>, TableError> {
    let end = source.size().checked_sub(N as u64 + 4).filter(|end| *end >= head).ok_or(TableError::NoFooter)?;
    let mut length = [0; 4];
    source.read_exact_at(end, &mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    if tail(source)? != *magic || length == 0 {
        return Err(TableError::NoFooter);
    }
    let start = end.checked_sub(length).filter(|start| *start >= head).ok_or(TableError::NoFooter)?;
    if length > MAX_FOOTER {
        return Err(TableError::Bound);
    }
    let mut footer = vec![0; usize::try_from(length).map_err(|_| TableError::Bound)?];
    source.read_exact_at(start, &mut footer)?;
    Ok(footer)
}

fn tail<const N: usize>(source: &dyn ReadAt) -> Result<[u8; N], TableError> {
    let mut tail = [0; N];
    let place = source.size().checked_sub(N as u64).ok_or(TableError::NoFooter)?;
    source.read_exact_at(place, &mut tail)?;
    Ok(tail)
}

/// The leaves of a schema: elements that have no children.
fn columns(schema: &[u8]) -> Result<u64, TableError> {
    let mut leaves = 0;
    for element in Reader::list(schema)? {
        let Value::Structure(element) = element else { return Err(TableError::Footer) };
        let mut reader = Reader::new(element);
        let mut is_leaf = true;
        while let Some((number, value)) = reader.field()? {
            is_leaf &= !matches!((number, value), (5, Value::Integer(children)) if children > 0);
        }
        leaves += u64::from(is_leaf);
    }
    Ok(leaves)
}

fn has_pickled_type(entries: &[u8]) -> Result<bool, TableError> {
    let mut found = false;
    for entry in Reader::list(entries)? {
        let Value::Structure(entry) = entry else { return Err(TableError::Footer) };
        let mut reader = Reader::new(entry);
        let (mut key, mut content) = (&b""[..], &b""[..]);
        while let Some((number, value)) = reader.field()? {
            match (number, value) {
                (1, Value::Bytes(bytes)) => key = bytes,
                (2, Value::Bytes(bytes)) => content = bytes,
                _ => {}
            }
        }
        if key == ARROW_SCHEMA {
            let schema = base64::engine::general_purpose::STANDARD.decode(content).map_err(|_| TableError::Footer)?;
            found |= contains(&schema, PICKLED_TYPE);
        }
    }
    Ok(found)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &[u8]) -> Vec<u8> {
        [&[u8::try_from(text.len()).unwrap()], text].concat()
    }

    /// A footer with a root of two columns, 3 rows, and one entry of metadata.
    fn footer_with(key: &[u8], content: &[u8]) -> Vec<u8> {
        let root = [b"\x48", &text(b"schema")[..], b"\x15\x04\0"].concat();
        let leaf = [b"\x15\x02\x38", &text(b"x")[..], b"\0"].concat();
        let entry = [b"\x18", &text(key)[..], b"\x18", &text(content), b"\0"].concat();
        [
            b"\x15\x04\x19\x3c".as_slice(),
            &root,
            &leaf,
            &leaf,
            b"\x16\x06\x19\x0c\x19\x1c",
            &entry,
            b"\x18",
            &text(b"by"),
            b"\0",
        ]
        .concat()
    }

    fn parquet(footer: &[u8]) -> Vec<u8> {
        let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
        [b"PAR1", footer, &length, b"PAR1"].concat()
    }

    #[test]
    fn parquet_is_read() {
        let table = Table::parquet(&parquet(&footer_with(b"pandas", b"{}"))).unwrap();
        let expected =
            Table { rows: Some(3), columns: Some(2), created_by: Some("by".to_owned()), has_pickled_type: false };
        assert_eq!(table, expected);
        let schema = base64::engine::general_purpose::STANDARD.encode(b"..arrow.py_extension_type..");
        let table = Table::parquet(&parquet(&footer_with(b"ARROW:schema", schema.as_bytes()))).unwrap();
        assert!(table.has_pickled_type);
    }

    #[test]
    fn broken_footers_are_refused() {
        let good = footer_with(b"k", b"v");
        for length in 0..good.len() {
            assert!(Table::parquet(&parquet(&good[..length])).is_err(), "{length}");
        }
        assert!(Table::parquet(&parquet(&[&good[..], b"x"].concat())).is_err());
        let file = parquet(&good);
        assert!(Table::parquet(&file[..file.len() - 1].to_vec()).is_err());
        assert!(Table::parquet(&b"PAR1\xff\xff\xff\xffPAR1".to_vec()).is_err());
        assert!(Table::parquet(&b"PAR1\x01\0\0\0PARE".to_vec()).is_err());
        assert!(Table::parquet(&parquet(&footer_with(b"ARROW:schema", b"!"))).is_err());
        // Lists in lists in lists, and a list of 2^60 elements.
        assert!(Table::parquet(&parquet(&[&b"\x19"[..], &b"\x19".repeat(100_000)].concat())).is_err());
        assert!(Table::parquet(&parquet(b"\x19\xf1\xff\xff\xff\xff\xff\xff\xff\xff\x0f\0")).is_err());
    }

    #[test]
    fn arrow_is_read() {
        let file = |footer: &[u8]| {
            let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
            [b"ARROW1\0\0", footer, &length, b"ARROW1"].concat()
        };
        assert!(!Table::arrow(&file(b"footer")).unwrap().has_pickled_type);
        assert!(Table::arrow(&file(b"..arrow.py_extension_type")).unwrap().has_pickled_type);
        assert!(Table::arrow(&b"ARROW1\0\0\x01\0\0\0ARROW1".to_vec()).is_err());
        assert!(Table::arrow(&b"ARROW1".to_vec()).is_err());
    }
}
