use sealyard_core::Digest;
use sealyard_ledger::Facets;

use crate::StoreError;
use crate::model::{LedgerEntry, LedgerPlace, LedgerQuery};

type Result<T> = std::result::Result<T, StoreError>;

/// What makes the log quick to search and to prove from. All of it is made of the entries and can be made again; nothing
/// that is read from it proves anything by itself.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait LedgerIndex {
    /// How many entries, from the first on, have been taken into the index.
    fn indexed(&mut self) -> Result<u64>;
    /// Takes further entries in; the first must be the next one.
    fn index_entries(&mut self, entries: &[(u64, Facets)]) -> Result<()>;
    /// Forgets the index and the tree's nodes, so that both are made anew.
    fn clear_ledger_index(&mut self) -> Result<()>;
    /// Places of entries that match, newest first.
    fn find_entries(&mut self, query: &LedgerQuery) -> Result<Vec<LedgerPlace>>;
    /// The entries at these places of the log, in their order.
    fn entries_at(&mut self, indexes: &[u64]) -> Result<Vec<LedgerEntry>>;
    /// Leaf hashes, as they are kept, from an index on.
    fn leaves(&mut self, from: u64, limit: u32) -> Result<Vec<Digest>>;
    /// How many nodes of this level are kept: level 1 has a root for each 256 leaves, level 2 for each 256 of these, …
    fn node_count(&mut self, level: u8) -> Result<u64>;
    fn nodes(&mut self, level: u8, from: u64, limit: u32) -> Result<Vec<Digest>>;
    /// Adds nodes after those that are there.
    fn add_nodes(&mut self, level: u8, from: u64, nodes: &[Digest]) -> Result<()>;
}
