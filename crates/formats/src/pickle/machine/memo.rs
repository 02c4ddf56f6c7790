//! The memo: dense as C has it, but an index that is far out costs no memory.

use std::collections::HashMap;

use super::super::literal;
use super::{Bound, Fault, Halt, Machine, NodeId, NoteKind, Step};

/// From here on C's array (two pointers an index) takes gigabytes, and loading may end in `MemoryError`.
const HUGE_INDEX: u64 = 1 << 28;

#[derive(Default)]
pub(super) struct Memo {
    dense: Vec<Option<NodeId>>,
    sparse: HashMap<u64, NodeId>,
    len: usize,
}

impl Memo {
    fn get(&self, index: u64) -> Option<NodeId> {
        let dense = usize::try_from(index).ok().and_then(|index| self.dense.get(index).copied().flatten());
        dense.or_else(|| self.sparse.get(&index).copied())
    }

    fn put(&mut self, index: u64, value: NodeId) {
        let known = self.get(index).is_some();
        self.len += usize::from(!known);
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        if place < self.len.saturating_mul(2).saturating_add(1024) {
            self.sparse.remove(&index);
            if place >= self.dense.len() {
                self.dense.resize(place + 1, None);
            }
            if let Some(slot) = self.dense.get_mut(place) {
                *slot = Some(value);
            }
        } else if let Some(slot @ Some(_)) = self.dense.get_mut(place) {
            *slot = Some(value);
        } else {
            self.sparse.insert(index, value);
        }
    }
}

impl Machine<'_> {
    fn get(&mut self, index: u64) -> Step {
        let value = self.run.memo.get(index).ok_or(Fault::MemoMissing(index))?;
        self.push_id(value)
    }

    fn put(&mut self, index: u64) -> Step {
        let value = self.top()?;
        if index >= HUGE_INDEX {
            self.note(NoteKind::MemoIndexHuge);
        }
        self.run.memo.put(index, value);
        if self.run.memo.len > self.limits.memo {
            return Err(Halt::Bound(Bound::Memo));
        }
        Ok(())
    }

    pub(super) fn load_get(&mut self) -> Step {
        let line = self.line(1)?;
        let index = literal::index(line)?;
        // C fails on a negative index as on one that is missing.
        self.get(u64::try_from(index).map_err(|_| Fault::MemoNegative)?)
    }

    pub(super) fn load_binget(&mut self, width: usize) -> Step {
        let index = self.unsigned(width)?;
        self.get(index)
    }

    pub(super) fn load_put(&mut self) -> Step {
        let line = self.line(1)?;
        self.top()?;
        let index = literal::index(line)?;
        self.put(u64::try_from(index).map_err(|_| Fault::MemoNegative)?)
    }

    pub(super) fn load_binput(&mut self, width: usize) -> Step {
        let index = self.unsigned(width)?;
        self.put(index)
    }

    pub(super) fn load_memoize(&mut self) -> Step {
        self.put(self.run.memo.len as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_index_costs_nothing_and_counts_once() {
        let mut memo = Memo::default();
        memo.put(u64::from(u32::MAX), NodeId(1));
        assert!(memo.dense.is_empty());
        for index in 0..3000 {
            memo.put(index, NodeId(2));
            memo.put(index, NodeId(3));
        }
        assert_eq!(memo.len, 3001);
        assert_eq!(memo.get(2999), Some(NodeId(3)));
        assert_eq!(memo.get(u64::from(u32::MAX)), Some(NodeId(1)));
    }

    #[test]
    fn an_index_that_moves_from_sparse_to_dense_is_one_entry() {
        let mut memo = Memo::default();
        memo.put(2000, NodeId(1));
        for index in 0..1500 {
            memo.put(index, NodeId(2));
        }
        memo.put(2000, NodeId(9));
        assert_eq!(memo.len, 1501);
        assert_eq!(memo.get(2000), Some(NodeId(9)));
    }
}
