use std::io::{self, Read};

use sealyard_store::StoreError;

use super::format::{DumpHeader, DumpTable, DumpValue, END, LAST, MAGIC, ROW, TABLE};
use super::is_name;
use crate::error::backend;

/// Most bytes of a header.
const LONGEST_HEADER: u32 = 1 << 20;
/// Most columns of a table.
const MOST_COLUMNS: usize = 500;

/// What comes next in a dump.
#[derive(Debug, Clone, PartialEq)]
pub enum DumpItem {
    /// The rows of this table follow.
    Table(DumpTable),
    /// A row of the table that came last.
    Row(Vec<DumpValue>),
}

/// Reads a dump, a row in memory at a time. Whatever is not as it was written is an error, also an end that comes too early.
#[derive(Debug)]
pub struct DumpReader<R> {
    from: R,
    header: DumpHeader,
    columns: Option<usize>,
    rows: u64,
    ended: bool,
}

impl<R: Read> DumpReader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for what is no dump of this version; any error of `from`.
    pub fn new(mut from: R) -> Result<Self, StoreError> {
        let mut magic = [0; MAGIC.len()];
        read_exact(&mut from, &mut magic)?;
        if magic != *MAGIC {
            return Err(malformed("it does not begin as one that this release knows"));
        }
        let header = read_bytes(&mut from, LONGEST_HEADER)?;
        let header = serde_json::from_slice(&header).map_err(|_| malformed("its header can't be read"))?;
        Ok(Self { from, header, columns: None, rows: 0, ended: false })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn header(&self) -> &DumpHeader {
        &self.header
    }

    /// The next table or row; `None` at the end of all.
    ///
    /// # Errors
    /// [`StoreError::Invalid`]; any error of what is read from.
    pub fn next_item(&mut self) -> Result<Option<DumpItem>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        loop {
            let mut kind = [0];
            read_exact(&mut self.from, &mut kind)?;
            match (kind, self.columns) {
                ([TABLE], None) => {
                    let table: DumpTable = serde_json::from_slice(&read_bytes(&mut self.from, LONGEST_HEADER)?)
                        .map_err(|_| malformed("a table's header can't be read"))?;
                    let names = table.columns.iter().chain([&table.table]);
                    if table.columns.len() > MOST_COLUMNS || !names.into_iter().all(|name| is_name(name)) {
                        return Err(malformed("a table has names that none has"));
                    }
                    (self.columns, self.rows) = (Some(table.columns.len()), 0);
                    return Ok(Some(DumpItem::Table(table)));
                }
                ([ROW], Some(columns)) => {
                    let row = (0..columns).map(|_| self.value()).collect::<Result<_, _>>()?;
                    self.rows += 1;
                    return Ok(Some(DumpItem::Row(row)));
                }
                ([END], Some(_)) => {
                    if u64::from_be_bytes(self.eight()?) != self.rows {
                        return Err(malformed("rows of a table are missing"));
                    }
                    self.columns = None;
                }
                ([LAST], None) => {
                    self.ended = true;
                    let mut more = [0];
                    return match self.from.read(&mut more) {
                        Ok(0) => Ok(None),
                        Ok(_) => Err(malformed("there is something behind its end")),
                        Err(error) => Err(backend(error)),
                    };
                }
                _ => return Err(malformed("its parts are out of order")),
            }
        }
    }

    fn value(&mut self) -> Result<DumpValue, StoreError> {
        let mut kind = [0];
        read_exact(&mut self.from, &mut kind)?;
        Ok(match kind {
            [0] => DumpValue::Null,
            [1] => DumpValue::Integer(i64::from_be_bytes(self.eight()?)),
            [2] => DumpValue::Real(f64::from_bits(u64::from_be_bytes(self.eight()?))),
            [3] => {
                let bytes = read_bytes(&mut self.from, u32::MAX)?;
                DumpValue::Text(String::from_utf8(bytes).map_err(|_| malformed("a text is none"))?)
            }
            [4] => DumpValue::Blob(read_bytes(&mut self.from, u32::MAX)?),
            _ => return Err(malformed("a value is of no kind")),
        })
    }

    fn eight(&mut self) -> Result<[u8; 8], StoreError> {
        let mut bytes = [0; 8];
        read_exact(&mut self.from, &mut bytes)?;
        Ok(bytes)
    }
}

fn read_exact(from: &mut impl Read, bytes: &mut [u8]) -> Result<(), StoreError> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => malformed("it ends too early"),
        _ => backend(error),
    })
}

/// Takes memory for what comes, not for what a length claims.
fn read_bytes(from: &mut impl Read, most: u32) -> Result<Vec<u8>, StoreError> {
    let mut length = [0; 4];
    read_exact(from, &mut length)?;
    let length = u32::from_be_bytes(length);
    if length > most {
        return Err(malformed("a part of it is too long"));
    }
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes).map_err(backend)?;
    if bytes.len() as u64 != u64::from(length) {
        return Err(malformed("it ends too early"));
    }
    Ok(bytes)
}

pub(super) fn malformed(why: &str) -> StoreError {
    StoreError::Invalid(format!("the dump of the catalog can't be read: {why}"))
}
