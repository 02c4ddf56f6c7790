//! Filling what is derived from the log: the index for searches and the upper levels of the tree.

use sealyard_core::Digest;
use sealyard_ledger::Facets;
use sealyard_ledger::tile::{TILE_WIDTH, Tile, TileError, TileNodes, fold};

use crate::model::LedgerEntry;
use crate::{StoreError, Transaction};

/// Entries of one step, which one transaction takes in.
const STEP: u32 = 2000;
/// Nodes of one step and level: each is made of 256 below.
const NODES: u64 = 64;
/// Levels above the leaves that a log of this world can have.
const LEVELS: u8 = 7;

/// Takes `entries`, which were just appended, into the index if everything before them is in it. Else they come with the
/// steps of [`fill`].
///
/// # Errors
/// The backend's.
pub(crate) fn extend(tx: &mut dyn Transaction, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    if entries.first().map(|entry| entry.index) == Some(tx.indexed()?) {
        index(tx, entries)?;
    }
    Ok(())
}

fn index(tx: &mut dyn Transaction, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    let facets: Vec<_> = entries.iter().map(|entry| (entry.index, Facets::of(&entry.bytes))).collect();
    tx.index_entries(&facets)
}

/// Whether [`fill`] would do something.
///
/// # Errors
/// The backend's.
pub fn is_behind(tx: &mut dyn Transaction) -> Result<bool, StoreError> {
    let count = tx.entry_count()?;
    Ok(tx.indexed()? < count || tx.node_count(1)? < count / TILE_WIDTH)
}

/// One step of filling the index and the tree's nodes; whether there is more to do.
///
/// # Errors
/// The backend's.
pub fn fill(tx: &mut dyn Transaction) -> Result<bool, StoreError> {
    let indexed = tx.indexed()?;
    let entries = tx.entries(indexed, STEP)?;
    // An entry that is missing must not come to be in another's place.
    let following: Vec<LedgerEntry> =
        (indexed..).zip(entries).take_while(|(next, entry)| *next == entry.index).map(|(_, entry)| entry).collect();
    if !following.is_empty() {
        index(tx, &following)?;
    }
    let more_nodes = add_nodes(tx)?;
    Ok(following.len() == STEP as usize || more_nodes)
}

/// Makes nodes of what is complete; whether there may be more.
fn add_nodes(tx: &mut dyn Transaction) -> Result<bool, StoreError> {
    let mut below = tx.entry_count()?;
    let mut more = false;
    for level in 1..=LEVELS {
        let have = tx.node_count(level)?;
        let can = below / TILE_WIDTH;
        let now = can.saturating_sub(have).min(NODES);
        more |= can.saturating_sub(have) > now;
        let mut made = Vec::new();
        for node in have..have + now {
            let hashes = row(tx, level - 1, node * TILE_WIDTH, 256)?;
            let Some(hash) = fold(&hashes) else { return Ok(false) };
            made.push(hash);
        }
        if !made.is_empty() {
            tx.add_nodes(level, have, &made)?;
        }
        below = have + now;
        if below == 0 {
            break;
        }
    }
    Ok(more)
}

/// Hashes of a tile. Where the nodes above the leaves are not kept yet, they are made of the leaves.
///
/// # Errors
/// The backend's; [`StoreError::Unavailable`] while the upper levels of a long log are being made for the first time.
pub fn tile(tx: &mut dyn Transaction, tile: Tile) -> Result<Vec<Digest>, StoreError> {
    let mut hashes = row(tx, tile.level, tile.first(), u32::from(tile.width))?;
    while hashes.len() < usize::from(tile.width) {
        match tile.level {
            0 => return Err(StoreError::Ledger(format!("the leaves of its tile {} are not there", tile.index))),
            1 => {
                let leaves = tx.leaves((tile.first() + hashes.len() as u64) * TILE_WIDTH, 256)?;
                let node = fold(&leaves);
                hashes.push(node.ok_or_else(|| StoreError::Ledger("it has not the leaves that it had".to_owned()))?);
            }
            _ => return Err(StoreError::Unavailable),
        }
    }
    Ok(hashes)
}

fn row(tx: &mut dyn Transaction, level: u8, from: u64, count: u32) -> Result<Vec<Digest>, StoreError> {
    if level == 0 { tx.leaves(from, count) } else { tx.nodes(level, from, count) }
}

/// Nodes of the tree of the first `size` entries.
pub fn tree(tx: &mut dyn Transaction, size: u64) -> TileNodes<impl FnMut(Tile) -> Result<Vec<Digest>, StoreError>> {
    TileNodes::new(size, move |wanted| tile(tx, wanted))
}

/// What a proof that could not be made says.
impl From<TileError<Self>> for StoreError {
    fn from(error: TileError<Self>) -> Self {
        match error {
            TileError::Fetch(error) => error,
            width => Self::Ledger(width.to_string()),
        }
    }
}
