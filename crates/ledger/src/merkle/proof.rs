use sealyard_core::Digest;

use super::{empty_root, node_hash};

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The sizes or the index don't go together.
    #[error("the proof is about a place that the tree of {size} leaves does not have")]
    Place {
        /// Size of the tree.
        size: u64,
    },
    /// It has too few or too many hashes.
    #[error("the proof has the wrong length")]
    Length,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Root of the tree of `leaves`.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// Largest power of two below `count`, which is at least 2.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// The audit path of leaf `index`; `None` when there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let mut rest = leaves;
    let mut index = index;
    while rest.len() > 1 {
        let at = split(rest.len());
        let (left, right) = rest.split_at(at);
        if index < at {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            rest = right;
            index -= at;
        }
    }
    path.reverse();
    Some(path)
}

/// The proof that the tree of the first `from` leaves is a beginning of the tree of all; `None` when it can't be.
#[must_use]
pub fn consistency_proof(leaves: &[Digest], from: usize) -> Option<Vec<Digest>> {
    if from > leaves.len() {
        return None;
    }
    if from == 0 || from == leaves.len() {
        return Some(Vec::new());
    }
    let mut proof = Vec::new();
    let mut rest = leaves;
    let mut from = from;
    let mut whole = true;
    while from < rest.len() {
        let at = split(rest.len());
        let (left, right) = rest.split_at(at);
        if from <= at {
            proof.push(root(right));
            rest = left;
        } else {
            proof.push(root(left));
            rest = right;
            from -= at;
            whole = false;
        }
    }
    if !whole {
        proof.push(root(rest));
    }
    proof.reverse();
    Some(proof)
}

/// Checks that `leaf` is at `index` of the tree with `size` leaves and root `expected` (RFC 9162, 2.1.3.2).
///
/// # Errors
/// [`ProofError`] when it is not.
pub fn verify_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    expected: Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Place { size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == expected { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `first` leaves with root `first_root` is a beginning of the tree of `second` leaves with
/// root `second_root` (RFC 9162, 2.1.4.2).
///
/// # Errors
/// [`ProofError`] when it is not.
pub fn verify_consistency(
    first: u64,
    first_root: Digest,
    second: u64,
    second_root: Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if first > second {
        return Err(ProofError::Place { size: second });
    }
    if first == 0 || first == second {
        if !proof.is_empty() {
            return Err(ProofError::Length);
        }
        let same = if first == 0 { first_root == empty_root() } else { first_root == second_root };
        return if same { Ok(()) } else { Err(ProofError::Root) };
    }
    let mut path = proof.iter();
    let start = if first.is_power_of_two() { first_root } else { *path.next().ok_or(ProofError::Length)? };
    let (mut node, mut last) = (first - 1, second - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut of_first, mut of_second) = (start, start);
    for sibling in path {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            of_first = node_hash(sibling, &of_first);
            of_second = node_hash(sibling, &of_second);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            of_second = node_hash(&of_second, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if of_first == first_root && of_second == second_root { Ok(()) } else { Err(ProofError::Root) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::vectors::{ROOTS, leaves};
    use crate::merkle::{Frontier, leaf_hash};

    fn hex(texts: &[&str]) -> Vec<Digest> {
        texts.iter().map(|text| Digest::from_hex(text).unwrap()).collect()
    }

    #[test]
    fn proofs_are_those_of_the_vectors() {
        let leaves = leaves();
        assert_eq!(root(&leaves).to_hex(), ROOTS[7]);
        assert_eq!(
            inclusion_proof(&leaves, 0).unwrap(),
            hex(&[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ])
        );
        assert_eq!(
            inclusion_proof(&leaves[..3], 2).unwrap(),
            hex(&["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"])
        );
        assert_eq!(
            consistency_proof(&leaves, 6).unwrap(),
            hex(&[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ])
        );
    }

    proptest! {
        #[test]
        fn every_proof_holds_and_no_changed_one(count in 1_usize..70, pick in 0_usize..1000, flip in 0_usize..32) {
            let leaves: Vec<Digest> = (0..count).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
            let mut frontier = Frontier::default();
            leaves.iter().for_each(|leaf| frontier.push(*leaf));
            let whole = root(&leaves);
            prop_assert_eq!(frontier.root(), whole);

            let index = pick % count;
            let size = count as u64;
            let proof = inclusion_proof(&leaves, index).unwrap();
            prop_assert_eq!(verify_inclusion(leaves[index], index as u64, size, &proof, whole), Ok(()));
            let other = leaf_hash(b"other");
            prop_assert!(verify_inclusion(other, index as u64, size, &proof, whole).is_err());
            prop_assert!(verify_inclusion(leaves[index], size, size, &proof, whole).is_err());
            for place in 0..proof.len() {
                let mut bytes = *proof[place].as_bytes();
                bytes[flip] ^= 1;
                let mut changed = proof.clone();
                changed[place] = Digest::from_bytes(bytes);
                prop_assert!(verify_inclusion(leaves[index], index as u64, size, &changed, whole).is_err());
                prop_assert!(verify_inclusion(leaves[index], index as u64, size, &proof[..place], whole).is_err());
            }

            let from = pick % (count + 1);
            let old = root(&leaves[..from]);
            let proof = consistency_proof(&leaves, from).unwrap();
            prop_assert_eq!(verify_consistency(from as u64, old, size, whole, &proof), Ok(()));
            prop_assert!(verify_consistency(from as u64, other, size, whole, &proof).is_err());
            if from > 0 {
                prop_assert!(verify_consistency(from as u64, old, size, other, &proof).is_err());
            }
            let longer = [proof.as_slice(), &[other]].concat();
            prop_assert!(verify_consistency(from as u64, old, size, whole, &longer).is_err());
        }
    }

    #[test]
    fn places_outside_have_no_proof() {
        assert_eq!(inclusion_proof(&[], 0), None);
        assert_eq!(consistency_proof(&leaves(), 9), None);
        assert!(verify_consistency(3, empty_root(), 2, empty_root(), &[]).is_err());
    }
}
