//! Trees of the second version: the indexes of what lies in a fractal heap.

use super::Hdf5Error;
use super::cursor::Cursor;
use super::store::Store;

/// Deepest tree.
const MAX_DEPTH: u16 = 16;
/// Most records of one tree.
const MAX_RECORDS: usize = 1_000_000;
/// Signature, version and type before a node's records, and the checksum behind them.
const FRAME: u64 = 10;

struct Tree {
    node_size: u64,
    record_size: u64,
    /// For each depth: most records of a node, and the width of the field that counts all records below.
    levels: Vec<(u64, usize)>,
    count_width: usize,
    pointer_width: u64,
}

/// All records of the tree at `address`, in its order.
pub(super) fn records(store: &Store<'_>, address: u64) -> Result<Vec<Vec<u8>>, Hdf5Error> {
    let broken = || Hdf5Error::Broken("an index");
    let head = store.read(address, 22 + store.offset_width as u64 + store.length_width as u64)?;
    let mut cursor = Cursor::new(&head);
    cursor.expect(b"BTHD\0").and_then(|()| cursor.skip(1)).ok_or_else(broken)?;
    let node_size = cursor.number(4).ok_or_else(broken)?;
    let record_size = cursor.number(2).ok_or_else(broken)?;
    let depth = cursor.short().ok_or_else(broken)?;
    cursor.skip(2).ok_or_else(broken)?;
    let root = store.offset(&mut cursor).ok_or_else(broken)?;
    let count = cursor.number(2).ok_or_else(broken)?;
    if store.is_undefined(root) || count == 0 {
        return Ok(Vec::new());
    }
    if depth > MAX_DEPTH {
        return Err(Hdf5Error::Bound("depth of an index"));
    }
    let tree = Tree::new(store, node_size, record_size, depth).ok_or_else(broken)?;
    let mut records = Vec::new();
    tree.node(store, root, count, depth, &mut records)?;
    Ok(records)
}

impl Tree {
    fn new(store: &Store<'_>, node_size: u64, record_size: u64, depth: u16) -> Option<Self> {
        let space = node_size.checked_sub(FRAME)?;
        let most = space.checked_div(record_size)?;
        let count_width = width_of(most);
        let mut levels = vec![(most, 0)];
        let mut below = most;
        for _ in 0..depth {
            let sum_width = levels.last()?.1;
            let pointer = (store.offset_width + count_width + sum_width) as u64;
            let most = space.checked_sub(pointer)?.checked_div(record_size + pointer)?;
            below = most.saturating_add(1).saturating_mul(below).saturating_add(most);
            levels.push((most, width_of(below)));
        }
        Some(Self { node_size, record_size, levels, count_width, pointer_width: store.offset_width as u64 })
    }

    fn node(
        &self,
        store: &Store<'_>,
        address: u64,
        count: u64,
        depth: u16,
        records: &mut Vec<Vec<u8>>,
    ) -> Result<(), Hdf5Error> {
        let broken = || Hdf5Error::Broken("an index");
        let bytes = store.read(address, self.node_size)?;
        let mut cursor = Cursor::new(&bytes);
        cursor.expect(if depth == 0 { b"BTLF" } else { b"BTIN" }).and_then(|()| cursor.skip(2)).ok_or_else(broken)?;
        let size = usize::try_from(self.record_size).map_err(|_| broken())?;
        for _ in 0..count {
            if records.len() >= MAX_RECORDS {
                return Err(Hdf5Error::Bound("records of an index"));
            }
            records.push(cursor.take(size).ok_or_else(broken)?.to_vec());
        }
        if depth == 0 {
            return Ok(());
        }
        let below = self.levels.get(usize::from(depth - 1)).ok_or_else(broken)?;
        for _ in 0..=count {
            let child = cursor.number(usize::try_from(self.pointer_width).unwrap_or(8)).ok_or_else(broken)?;
            let count = cursor.number(self.count_width).ok_or_else(broken)?;
            if depth > 1 {
                cursor.skip(below.1).ok_or_else(broken)?;
            }
            if count > below.0 {
                return Err(broken());
            }
            self.node(store, child, count, depth - 1, records)?;
        }
        Ok(())
    }
}

/// Bytes that a number up to `most` takes.
pub(super) fn width_of(most: u64) -> usize {
    usize::try_from(most.max(1).ilog2() / 8 + 1).unwrap_or(8)
}
