//! The Merkle tree of RFC 6962 (and 9162), section 2: SHA-256, a leaf is `H(0x00 ‖ bytes)`, a node `H(0x01 ‖ left ‖ right)`.

mod frontier;
mod nodes;
mod proof;

use sealyard_core::{Digest, Hasher};

pub use frontier::Frontier;
pub use nodes::{Nodes, consistency_path, inclusion_path, root_of};
pub use proof::{ProofError, consistency_proof, inclusion_proof, root, verify_consistency, verify_inclusion};

/// Hash of a leaf.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(&[0]);
    hasher.update(bytes);
    hasher.finish()
}

/// Hash of an inner node.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// Root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

#[cfg(test)]
pub(crate) mod vectors {
    use super::*;

    /// The leaves of certificate-transparency-go's test vectors.
    pub(crate) const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    /// Root for each size, from 1.
    pub(crate) const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    pub(crate) fn leaves() -> Vec<Digest> {
        LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect()
    }
}
