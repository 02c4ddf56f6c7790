//! SQLite databases: the texts and bytes in the rows of their tables.
//!
//! <https://www.sqlite.org/fileformat2.html>

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;

use sealyard_core::ReadAt;

/// Most pages that are read: 4 GiB of the usual ones.
const MAX_PAGES: u64 = 1 << 20;
/// Longest row that is read; a longer one's start is.
const MAX_ROW: u64 = 64 << 20;
/// Most values of one row.
const MAX_VALUES: usize = 32_767;
/// Names of tables that are told.
const MAX_NAMES: usize = 200;
/// The header of a database, in its first page.
const HEADER: u64 = 100;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'r> {
    /// The page that the row begins in.
    pub page: u32,
    /// Where the page lies.
    pub offset: u64,
    /// Whether it is a text, in the encoding of the database.
    pub is_text: bool,
    /// Its bytes.
    pub bytes: &'r [u8],
}

/// What a database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// Its tables.
    pub tables: Vec<String>,
    /// How many rows they have.
    pub rows: u64,
    /// Whether a row is longer than what is read of it.
    pub is_cut: bool,
}

/// A file that is no whole database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// It is not of the format.
    #[error("page {0}: {1}")]
    Broken(u32, &'static str),
    /// It has more pages than are read.
    #[error("it has more than {MAX_PAGES} pages")]
    Bound,
    /// Bytes below could not be read.
    #[error("could not be read")]
    Read(#[from] io::Error),
}

type Result<T> = std::result::Result<T, SqliteError>;

/// Reads all rows of all tables, and hands their texts and bytes to `see` until that breaks.
///
/// # Errors
/// [`SqliteError`] when a part of it can't be read; what was read before has been handed over.
pub fn read(source: &dyn ReadAt, see: &mut dyn FnMut(Cell<'_>) -> ControlFlow<()>) -> Result<Database> {
    let mut file = File::open(source)?;
    let mut database = Database::default();
    let mut roots = BTreeSet::new();
    let schema = file.tree(1, &mut |file, page, row| {
        let values = record(row).ok_or(SqliteError::Broken(page, "a row is broken"))?;
        let bytes = |place: usize| values.get(place).and_then(|value| row.get(value.place..value.place + value.length));
        // type, name, name of the table, first page, SQL
        if bytes(0).is_some_and(|kind| file.ascii(kind) == "table") {
            let root = bytes(3).unwrap_or_default().iter().fold(0_u64, |root, byte| root << 8 | u64::from(*byte));
            if let Ok(root @ 1..) = u32::try_from(root) {
                roots.insert(root);
            }
            if database.tables.len() < MAX_NAMES {
                database.tables.push(file.ascii(bytes(1).unwrap_or_default()));
            }
        }
        Ok(hand_over(file, page, row, &values, see))
    })?;
    for root in roots.into_iter().filter(|_| schema.is_continue()) {
        let is_done = file.tree(root, &mut |file, page, row| {
            database.rows += 1;
            let values = record(row).ok_or(SqliteError::Broken(page, "a row is broken"))?;
            Ok(hand_over(file, page, row, &values, see))
        })?;
        if is_done.is_break() {
            break;
        }
    }
    database.is_cut = file.is_cut;
    Ok(database)
}

fn hand_over(
    file: &File<'_>,
    page: u32,
    row: &[u8],
    values: &[Value],
    see: &mut dyn FnMut(Cell<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for value in values.iter().filter(|value| value.kind >= FIRST_BYTES) {
        // Of a row that was cut, the last value is.
        let bytes = row.get(value.place..).unwrap_or_default();
        let bytes = bytes.get(..value.length).unwrap_or(bytes);
        let offset = u64::from(page - 1) * file.page_size;
        see(Cell { page, offset, is_text: value.kind % 2 == 1, bytes })?;
    }
    ControlFlow::Continue(())
}

/// The first number of a type that is bytes, if even, or a text.
const FIRST_BYTES: u64 = 12;

/// Where a value lies in its row.
struct Value {
    kind: u64,
    place: usize,
    length: usize,
}

/// The values of a row: their types, then their bytes.
fn record(row: &[u8]) -> Option<Vec<Value>> {
    let (header, mut at) = varint(row, 0)?;
    let header = usize::try_from(header).ok().filter(|header| *header <= row.len())?;
    let mut place = header;
    let mut values = Vec::new();
    while at < header {
        let (kind, next) = varint(row, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            FIRST_BYTES.. => (kind - FIRST_BYTES) / 2,
            _ => return None,
        };
        let length = usize::try_from(length).ok()?;
        values.push(Value { kind, place, length });
        place = place.checked_add(length)?;
        if values.len() > MAX_VALUES {
            return None;
        }
    }
    (at == header).then_some(values)
}

/// A number of one to nine bytes, and where the next begins.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for (count, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if count == 8 {
            return Some((number << 8 | u64::from(*byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + count + 1));
        }
    }
    None
}

struct File<'s> {
    source: &'s dyn ReadAt,
    page_size: u64,
    /// Bytes of a page that are not reserved.
    usable: u64,
    pages: u32,
    is_wide: bool,
    /// Pages of trees that were read; each belongs to one place.
    seen: BTreeSet<u32>,
    /// Bytes that rows may still have behind their first page: not more than the file has.
    behind: u64,
    is_cut: bool,
}

type OnRow<'f, 's> = &'f mut dyn FnMut(&File<'s>, u32, &[u8]) -> Result<ControlFlow<()>>;

impl<'s> File<'s> {
    fn open(source: &'s dyn ReadAt) -> Result<Self> {
        let mut header = [0; HEADER as usize];
        source.read_exact_at(0, &mut header)?;
        let [.., high, low, _, _, reserved] = header.first_chunk::<21>().copied().unwrap_or([0; 21]);
        let page_size = match u64::from(u16::from_be_bytes([high, low])) {
            1 => 65_536,
            size => size,
        };
        let usable = page_size.saturating_sub(u64::from(reserved));
        if !header.starts_with(b"SQLite format 3\0") || !page_size.is_power_of_two() || page_size < 512 || usable < 480
        {
            return Err(SqliteError::Broken(1, "the header is broken"));
        }
        let pages = source.size().div_ceil(page_size);
        if pages > MAX_PAGES {
            return Err(SqliteError::Bound);
        }
        let pages = u32::try_from(pages).map_err(|_| SqliteError::Bound)?;
        let is_wide = matches!(header.get(59), Some(2 | 3));
        let behind = source.size();
        Ok(Self { source, page_size, usable, pages, is_wide, seen: BTreeSet::new(), behind, is_cut: false })
    }

    /// A name, whose letters may take two bytes.
    fn ascii(&self, text: &[u8]) -> String {
        let text: Vec<u8> = text.iter().copied().filter(|byte| !self.is_wide || *byte != 0).take(256).collect();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn page(&self, number: u32) -> Result<Vec<u8>> {
        if number == 0 || number > self.pages {
            return Err(SqliteError::Broken(number, "there is no such page"));
        }
        let mut page = vec![0; usize::try_from(self.page_size).unwrap_or_default()];
        self.source.read_exact_at(u64::from(number - 1) * self.page_size, &mut page)?;
        Ok(page)
    }

    /// Walks the tree that begins in a page.
    fn tree(&mut self, root: u32, on_row: OnRow<'_, 's>) -> Result<ControlFlow<()>> {
        let mut pending = vec![root];
        while let Some(number) = pending.pop() {
            if !self.seen.insert(number) {
                return Err(SqliteError::Broken(number, "the page is in two places"));
            }
            let page = self.page(number)?;
            let start = if number == 1 { usize::try_from(HEADER).unwrap_or_default() } else { 0 };
            let broken = || SqliteError::Broken(number, "the page is broken");
            let kind = *page.get(start).ok_or_else(broken)?;
            let (is_table, is_leaf) = match kind {
                2 => (false, false),
                5 => (true, false),
                10 => (false, true),
                13 => (true, true),
                _ => return Err(broken()),
            };
            let count = usize::from(u16::from_be_bytes(array(&page, start + 3).ok_or_else(broken)?));
            let cells = start + if is_leaf { 8 } else { 12 };
            for index in 0..count {
                let pointer = array(&page, cells + 2 * index).ok_or_else(broken)?;
                let mut at = usize::from(u16::from_be_bytes(pointer));
                if !is_leaf {
                    pending.push(u32::from_be_bytes(array(&page, at).ok_or_else(broken)?));
                    at += 4;
                }
                if is_table && !is_leaf {
                    continue;
                }
                let (length, mut at) = varint(&page, at).ok_or_else(broken)?;
                if is_table {
                    at = varint(&page, at).ok_or_else(broken)?.1;
                }
                let row = self.row(number, &page, at, length, is_table)?;
                if on_row(self, number, &row)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if !is_leaf {
                pending.push(u32::from_be_bytes(array(&page, start + 8).ok_or_else(broken)?));
            }
            if pending.len() as u64 > u64::from(self.pages) {
                return Err(broken());
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The bytes of a row, of which a long one has the rest in a chain of pages.
    fn row(&mut self, number: u32, page: &[u8], at: usize, length: u64, is_table: bool) -> Result<Vec<u8>> {
        let broken = || SqliteError::Broken(number, "a row reaches out of its page");
        let usable = self.usable;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let here = if length <= most {
            length
        } else {
            let least = (usable - 12) * 32 / 255 - 23;
            let fitting = least + (length - least) % (usable - 4);
            if fitting <= most { fitting } else { least }
        };
        let end = at + usize::try_from(here).map_err(|_| broken())?;
        let mut row = page.get(at..end).ok_or_else(broken)?.to_vec();
        if here == length {
            return Ok(row);
        }
        self.is_cut |= length > MAX_ROW;
        let mut next = u32::from_be_bytes(array(page, end).ok_or_else(broken)?);
        let mut left = length.min(MAX_ROW).saturating_sub(here);
        while left > 0 {
            let part = left.min(usable - 4);
            // Rows do not share pages, so that all of them have no more bytes than the file.
            self.behind = self.behind.checked_sub(part).ok_or_else(broken)?;
            let page = self.page(next)?;
            let end = 4 + usize::try_from(part).map_err(|_| broken())?;
            row.extend_from_slice(page.get(4..end).ok_or_else(broken)?);
            next = u32::from_be_bytes(array(&page, 0).ok_or_else(broken)?);
            left -= part;
        }
        Ok(row)
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database of one table with a row that has a text and bytes, which may reach into a second page.
    fn database(bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 1536];
        file[..16].copy_from_slice(b"SQLite format 3\0");
        file[16..24].copy_from_slice(&[2, 0, 1, 1, 0, 64, 32, 32]);
        file[59] = 1;
        // The schema: one row, of five values.
        let schema = b"\x06\x17\x13\x13\x01\x0dtableaaaaaa\x02";
        leaf(&mut file[..512], 100, schema, schema.len(), None);
        let kind = u16::try_from(12 + 2 * bytes.len()).unwrap();
        let header = [4, 0x11, 0x80 | u8::try_from(kind >> 7).unwrap(), u8::try_from(kind & 0x7f).unwrap()];
        let row = [&header[..], b"ab", bytes].concat();
        // What is at most in the first page, and what is at least.
        let here = if row.len() <= 477 {
            row.len()
        } else {
            Some(39 + (row.len() - 39) % 508).filter(|here| *here <= 477).unwrap_or(39)
        };
        let behind = (here < row.len()).then_some(3);
        leaf(&mut file[512..1024], 0, &row[..here], row.len(), behind);
        let rest = &row[here..];
        file[1028..1028 + rest.len()].copy_from_slice(rest);
        file
    }

    fn leaf(page: &mut [u8], start: usize, row: &[u8], length: usize, behind: Option<u32>) {
        let length = u8::try_from(length >> 7).map(|high| [0x80 | high, u8::try_from(length & 0x7f).unwrap()]).unwrap();
        let behind = behind.map(|page| page.to_be_bytes().to_vec()).unwrap_or_default();
        let cell = [&length[..], &[1], row, &behind].concat();
        let at = 512 - cell.len();
        page[at..].copy_from_slice(&cell);
        let at = u16::try_from(at).unwrap().to_be_bytes();
        page[start..start + 10].copy_from_slice(&[13, 0, 0, 0, 1, at[0], at[1], 0, at[0], at[1]]);
    }

    fn cells(file: &[u8]) -> Result<(Database, Vec<Vec<u8>>)> {
        let mut cells = Vec::new();
        let database = read(&file, &mut |cell| {
            cells.push(cell.bytes.to_vec());
            ControlFlow::Continue(())
        })?;
        Ok((database, cells))
    }

    #[test]
    fn rows_are_read_over_the_ends_of_pages() {
        for length in [3, 470, 520, 900] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let (database, cells) = cells(&database(&bytes)).unwrap();
            assert_eq!((database.tables, database.rows), (vec!["aaa".to_owned()], 1), "{length}");
            assert_eq!(cells.last(), Some(&bytes), "{length}");
        }
    }

    #[test]
    fn broken_files_are_refused() {
        let file = database(&[7; 900]);
        for length in [0, 50, 100, 511, 600, 1500] {
            assert!(cells(&file[..length]).is_err(), "{length}");
        }
        // A chain that comes back to itself, a page twice, a page that there is not.
        for (place, bytes) in [(512, [5, 0, 0, 0]), (100, [9, 0, 0, 0]), (16, [0, 3, 0, 0])] {
            let mut file = file.clone();
            file[place..place + 4].copy_from_slice(&bytes);
            assert!(cells(&file).is_err(), "{place}");
        }
        // Any byte may be wrong.
        for place in 0..file.len() {
            let mut file = file.clone();
            file[place] ^= 0xff;
            let _ = cells(&file);
        }
    }
}
