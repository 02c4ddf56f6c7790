use sealyard_core::Digest;

use super::{empty_root, node_hash};

/// Where the roots of complete subtrees come from: proofs of a log of any size are made from a few of them.
pub trait Nodes {
    /// Why one can't be had.
    type Error;

    /// Root of the `2^height` leaves from `index · 2^height` on.
    ///
    /// # Errors
    /// Whatever keeps it away.
    fn node(&mut self, height: u8, index: u64) -> Result<Digest, Self::Error>;
}

/// Root of the first `size` leaves.
///
/// # Errors
/// Those of `nodes`.
pub fn root_of<N: Nodes>(nodes: &mut N, size: u64) -> Result<Digest, N::Error> {
    if size == 0 { Ok(empty_root()) } else { range(nodes, 0, size) }
}

/// The audit path of leaf `index` in the tree of the first `size` leaves; `None` when there is no such leaf.
///
/// # Errors
/// Those of `nodes`.
pub fn inclusion_path<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Option<Vec<Digest>>, N::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// The proof that the tree of the first `from` leaves is a beginning of the tree of the first `size`; `None` when it can't
/// be.
///
/// # Errors
/// Those of `nodes`.
pub fn consistency_path<N: Nodes>(nodes: &mut N, from: u64, size: u64) -> Result<Option<Vec<Digest>>, N::Error> {
    if from > size {
        return Ok(None);
    }
    if from == 0 || from == size {
        return Ok(Some(Vec::new()));
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while from < end {
        let middle = start + split(end - start);
        if from <= middle {
            path.push(range(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range(nodes, start, middle)?);
            start = middle;
        }
    }
    if start > 0 {
        path.push(range(nodes, start, end)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Root of the leaves from `start` to before `end`; `start` is a multiple of each power of two that is used.
fn range<N: Nodes>(nodes: &mut N, start: u64, end: u64) -> Result<Digest, N::Error> {
    let mut lefts = Vec::new();
    let mut start = start;
    loop {
        let count = end - start;
        if count.is_power_of_two() {
            let height = count.trailing_zeros();
            #[allow(clippy::cast_possible_truncation, reason = "it is below 64")]
            let last = nodes.node(height as u8, start >> height)?;
            return Ok(lefts.into_iter().rev().fold(last, |right, left| node_hash(&left, &right)));
        }
        let left = split(count);
        let height = left.trailing_zeros();
        #[allow(clippy::cast_possible_truncation, reason = "it is below 64")]
        lefts.push(nodes.node(height as u8, start >> height)?);
        start += left;
    }
}

/// Largest power of two below `count`, which is at least 2.
const fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::merkle::{consistency_proof, inclusion_proof, leaf_hash, root};

    struct Leaves(Vec<Digest>);

    impl Nodes for Leaves {
        type Error = Infallible;

        fn node(&mut self, height: u8, index: u64) -> Result<Digest, Infallible> {
            let start = (index as usize) << height;
            Ok(root(&self.0[start..start + (1 << height)]))
        }
    }

    #[test]
    fn they_are_those_that_are_made_of_all_leaves() {
        let all: Vec<Digest> = (0..67_u32).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
        for size in 0..=all.len() {
            let leaves = &all[..size];
            let mut nodes = Leaves(leaves.to_vec());
            let Ok(found) = root_of(&mut nodes, size as u64);
            assert_eq!(found, root(leaves));
            for place in 0..=size + 1 {
                let Ok(path) = inclusion_path(&mut nodes, place as u64, size as u64);
                assert_eq!(path, inclusion_proof(leaves, place), "{place} of {size}");
                let Ok(path) = consistency_path(&mut nodes, place as u64, size as u64);
                assert_eq!(path, consistency_proof(leaves, place), "{place} to {size}");
            }
        }
    }
}
