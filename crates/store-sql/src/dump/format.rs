use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::sql::{Value, ValueRef};

pub(super) const MAGIC: &[u8; 8] = b"SYDUMP\0\x01";
pub(super) const TABLE: u8 = b'T';
pub(super) const ROW: u8 = b'R';
pub(super) const END: u8 = b'E';
pub(super) const LAST: u8 = b'Z';

/// What a dump says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpHeader {
    /// `sqlite` or `postgresql`.
    pub database: String,
    /// How many steps of the schema the catalog has had.
    pub schema: u32,
}

/// A table of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpTable {
    /// Its name.
    pub table: String,
    /// Its columns, as the rows have them.
    pub columns: Vec<String>,
    /// The last number that it gave to a row, where it gives numbers that are never used again.
    pub last: Option<i64>,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum DumpValue {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl DumpValue {
    pub(super) fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(text.as_str().into()),
            Self::Blob(bytes) => Value::Blob(bytes.as_slice().into()),
        }
    }

    /// About how much memory it takes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 16,
            Self::Blob(bytes) => bytes.len() + 16,
            _ => 16,
        }
    }
}

pub(super) fn write_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(value).map_err(io::Error::other)?;
    write_bytes(out, &text)
}

pub(super) fn write_bytes(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)
}

pub(super) fn write_value(out: &mut dyn Write, value: ValueRef<'_>) -> io::Result<()> {
    match value {
        ValueRef::Null => out.write_all(&[0]),
        ValueRef::Integer(number) => {
            out.write_all(&[1])?;
            out.write_all(&number.to_be_bytes())
        }
        ValueRef::Real(number) => {
            out.write_all(&[2])?;
            out.write_all(&number.to_bits().to_be_bytes())
        }
        ValueRef::Text(text) => {
            out.write_all(&[3])?;
            write_bytes(out, text.as_bytes())
        }
        ValueRef::Blob(bytes) => {
            out.write_all(&[4])?;
            write_bytes(out, bytes)
        }
    }
}
