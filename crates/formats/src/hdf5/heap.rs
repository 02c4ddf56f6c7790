//! Fractal heaps: where many links or attributes of one object lie.

use super::Hdf5Error;
use super::btree;
use super::cursor::Cursor;
use super::store::Store;

/// Blocks of blocks inside each other.
const MAX_DEPTH: usize = 32;
/// Most blocks that one block points to.
const MAX_ENTRIES: u64 = 1 << 20;

pub(super) struct FractalHeap<'s, 'r> {
    store: &'s Store<'r>,
    id_length: u64,
    offset_width: usize,
    length_width: usize,
    table_width: u64,
    start: u64,
    max_direct: u64,
    root: u64,
    root_rows: u64,
    huge: u64,
}

const BROKEN: Hdf5Error = Hdf5Error::Broken("a heap");

impl<'s, 'r> FractalHeap<'s, 'r> {
    pub(super) fn open(store: &'s Store<'r>, address: u64) -> Result<Self, Hdf5Error> {
        let length = 22 + 12 * store.length_width + 3 * store.offset_width;
        let head = store.read(address, length as u64)?;
        let mut cursor = Cursor::new(&head);
        let heap = Self::parse(store, &mut cursor).ok_or(BROKEN)?;
        let Some(heap) = heap else { return Err(Hdf5Error::Unsupported("filtered heaps")) };
        if heap.table_width == 0 || !heap.start.is_power_of_two() || !heap.max_direct.is_power_of_two() {
            return Err(BROKEN);
        }
        Ok(heap)
    }

    /// None inside where the heap is filtered.
    fn parse(store: &'s Store<'r>, cursor: &mut Cursor<'_>) -> Option<Option<Self>> {
        cursor.expect(b"FRHP\0")?;
        let id_length = cursor.number(2)?;
        if cursor.number(2)? != 0 {
            return Some(None);
        }
        let _flags = cursor.byte()?;
        let max_managed = cursor.number(4)?;
        store.length(cursor)?;
        let huge = store.offset(cursor)?;
        store.length(cursor)?;
        store.offset(cursor)?;
        // Space and counts of managed, huge and tiny objects.
        for _ in 0..8 {
            store.length(cursor)?;
        }
        let table_width = cursor.number(2)?;
        let start = store.length(cursor)?;
        let max_direct = store.length(cursor)?;
        let offset_bits = cursor.length(2)?;
        cursor.skip(2)?;
        let root = store.offset(cursor)?;
        let root_rows = cursor.number(2)?;
        let offset_width = offset_bits.div_ceil(8);
        let length_width = btree::width_of(max_direct).min(btree::width_of(max_managed));
        Some(Some(Self {
            store,
            id_length,
            offset_width,
            length_width,
            table_width,
            start,
            max_direct,
            root,
            root_rows,
            huge,
        }))
    }

    /// The object with an identifier of this heap.
    pub(super) fn object(&self, id: &[u8]) -> Result<Vec<u8>, Hdf5Error> {
        let mut cursor = Cursor::new(id);
        let first = cursor.byte().ok_or(BROKEN)?;
        match first >> 4 & 3 {
            0 => {
                let offset = cursor.number(self.offset_width).ok_or(BROKEN)?;
                let length = cursor.number(self.length_width).ok_or(BROKEN)?;
                self.managed(offset, length)
            }
            1 => self.huge(&mut cursor),
            2 if self.id_length <= 18 => {
                let length = usize::from(first & 0xf) + 1;
                cursor.take(length).map(<[u8]>::to_vec).ok_or(BROKEN)
            }
            2 => {
                let length = (usize::from(first & 0xf) << 8 | usize::from(cursor.byte().ok_or(BROKEN)?)) + 1;
                cursor.take(length).map(<[u8]>::to_vec).ok_or(BROKEN)
            }
            _ => Err(BROKEN),
        }
    }

    fn huge(&self, cursor: &mut Cursor<'_>) -> Result<Vec<u8>, Hdf5Error> {
        let store = self.store;
        if self.id_length > (store.offset_width + store.length_width) as u64 {
            let address = store.offset(cursor).ok_or(BROKEN)?;
            let length = store.length(cursor).ok_or(BROKEN)?;
            return store.read(address, length);
        }
        let id = cursor.rest();
        for record in btree::records(store, self.huge)? {
            let mut fields = Cursor::new(&record);
            let address = store.offset(&mut fields).ok_or(BROKEN)?;
            let length = store.length(&mut fields).ok_or(BROKEN)?;
            // Identifiers may be narrower than the record's field; what is left out is zero.
            let known = fields.rest();
            let shared = known.len().min(id.len());
            let is_zero = |bytes: Option<&[u8]>| bytes.is_none_or(|bytes| bytes.iter().all(|byte| *byte == 0));
            if known.get(..shared) == id.get(..shared) && is_zero(known.get(shared..)) && is_zero(id.get(shared..)) {
                return store.read(address, length);
            }
        }
        Err(BROKEN)
    }

    fn managed(&self, offset: u64, length: u64) -> Result<Vec<u8>, Hdf5Error> {
        if self.root_rows == 0 {
            return self.within(self.root, 0, self.start, offset, length);
        }
        self.indirect(self.root, 0, self.root_rows, (offset, length), 0)
    }

    fn within(&self, address: u64, block: u64, size: u64, offset: u64, length: u64) -> Result<Vec<u8>, Hdf5Error> {
        let place = offset.checked_sub(block).ok_or(BROKEN)?;
        if place.checked_add(length).is_none_or(|end| end > size) {
            return Err(BROKEN);
        }
        self.store.read(address.checked_add(place).ok_or(BROKEN)?, length)
    }

    fn indirect(
        &self,
        address: u64,
        block: u64,
        rows: u64,
        object: (u64, u64),
        depth: usize,
    ) -> Result<Vec<u8>, Hdf5Error> {
        let entries = rows.checked_mul(self.table_width).filter(|entries| *entries <= MAX_ENTRIES).ok_or(BROKEN)?;
        if depth > MAX_DEPTH {
            return Err(BROKEN);
        }
        let width = self.store.offset_width;
        let head = 5 + width + self.offset_width;
        let bytes = self.store.read(address, head as u64 + entries * width as u64)?;
        let mut cursor = Cursor::new(&bytes);
        cursor.expect(b"FHIB\0").and_then(|()| cursor.skip(head - 5)).ok_or(BROKEN)?;
        let mut place = block;
        for row in 0..rows {
            let doublings = u32::try_from(row.saturating_sub(1)).map_err(|_| BROKEN)?;
            let size = 1_u64.checked_shl(doublings).and_then(|factor| self.start.checked_mul(factor)).ok_or(BROKEN)?;
            for _ in 0..self.table_width {
                let child = self.store.offset(&mut cursor).ok_or(BROKEN)?;
                let end = place.checked_add(size).ok_or(BROKEN)?;
                if !(place..end).contains(&object.0) {
                    place = end;
                    continue;
                }
                if size <= self.max_direct {
                    return self.within(child, place, size, object.0, object.1);
                }
                // A block of as many rows as fill it.
                let first_row = self.start.checked_mul(self.table_width).ok_or(BROKEN)?;
                let rows = u64::from(size.checked_div(first_row).filter(|rest| *rest > 0).ok_or(BROKEN)?.ilog2()) + 1;
                return self.indirect(child, place, rows, object, depth + 1);
            }
        }
        Err(BROKEN)
    }
}
