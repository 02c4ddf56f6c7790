//! The proof that one entry is in the log, with all that checking it takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::Digest;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key::VerifierKey;
use crate::merkle::{ProofError, leaf_hash, verify_consistency, verify_inclusion};

/// What the proof's `schema` says.
pub const PROOF_SCHEMA: &str = "sealyard.ledger-proof/1";

/// An entry, its place in the tree, and the signed checkpoint whose tree that is. It says itself which key it is to be
/// checked with, which is no reason to believe it: the key must come from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// [`PROOF_SCHEMA`].
    pub schema: String,
    /// The entry's place, from 0.
    pub index: u64,
    /// The entry's bytes in base64.
    pub entry: String,
    /// The audit path from the leaf up.
    pub inclusion: Vec<Digest>,
    /// The signed checkpoint, a C2SP note, with the cosignatures of witnesses that there are.
    pub checkpoint: String,
    /// The key that it says signed the checkpoint.
    pub verifier_key: String,
}

/// The proof that one checkpoint's tree is a beginning of another's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// How many entries the older tree has.
    pub from: u64,
    /// The proof's hashes.
    pub consistency: Vec<Digest>,
    /// The newer checkpoint.
    pub checkpoint: String,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnprovenError {
    /// It is of another kind or version.
    #[error("it is no proof of the schema {PROOF_SCHEMA}")]
    Schema,
    /// The entry is no base64.
    #[error("its entry is not base64")]
    Encoding,
    /// A checkpoint is not one of the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The hashes don't lead to the signed root.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl InclusionProof {
    /// The entry's bytes and the checkpoint, if `key` signed that and the entry is in its tree.
    ///
    /// # Errors
    /// [`UnprovenError`].
    pub fn check(&self, key: &VerifierKey) -> Result<(Vec<u8>, Checkpoint), UnprovenError> {
        if self.schema != PROOF_SCHEMA {
            return Err(UnprovenError::Schema);
        }
        let entry = STANDARD.decode(&self.entry).map_err(|_| UnprovenError::Encoding)?;
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        verify_inclusion(leaf_hash(&entry), self.index, checkpoint.size, &self.inclusion, checkpoint.root)?;
        Ok((entry, checkpoint))
    }
}

impl ConsistencyProof {
    /// The newer checkpoint, if `key` signed it and `older` is of its past.
    ///
    /// # Errors
    /// [`UnprovenError`].
    pub fn check(&self, older: &Checkpoint, key: &VerifierKey) -> Result<Checkpoint, UnprovenError> {
        let newer = Checkpoint::open(&self.checkpoint, key)?;
        verify_consistency(older.size, older.root, newer.size, newer.root, &self.consistency)?;
        Ok(newer)
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::FixedRng;

    use super::*;
    use crate::LedgerKey;
    use crate::merkle::{consistency_proof, inclusion_proof, root};

    #[test]
    fn only_the_entry_at_its_place_is_proven() {
        let key = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
        let entries: Vec<String> = (0..9).map(|number| format!("event {number}")).collect();
        let leaves: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
        let proof = InclusionProof {
            schema: PROOF_SCHEMA.into(),
            index: 5,
            entry: STANDARD.encode(&entries[5]),
            inclusion: inclusion_proof(&leaves, 5).unwrap(),
            checkpoint: Checkpoint::sign(9, &root(&leaves), &key),
            verifier_key: key.verifier().to_string(),
        };
        let (entry, checkpoint) = proof.check(&key.verifier()).unwrap();
        assert_eq!((entry.as_slice(), checkpoint.size), (entries[5].as_bytes(), 9));
        let other = LedgerKey::generate("log.example", &FixedRng::seeded(2)).unwrap();
        assert!(matches!(proof.check(&other.verifier()), Err(UnprovenError::Checkpoint(_))));
        let changed = |change: fn(&mut InclusionProof)| {
            let mut proof = proof.clone();
            change(&mut proof);
            proof.check(&key.verifier()).unwrap_err()
        };
        assert_eq!(changed(|proof| proof.index = 4), UnprovenError::Proof(ProofError::Root));
        assert_eq!(changed(|proof| proof.entry = STANDARD.encode("event 4")), UnprovenError::Proof(ProofError::Root));
        assert_eq!(changed(|proof| proof.inclusion.truncate(1)), UnprovenError::Proof(ProofError::Length));
        assert_eq!(changed(|proof| proof.schema.push('0')), UnprovenError::Schema);
        assert_eq!(changed(|proof| proof.entry.push('!')), UnprovenError::Encoding);

        let older = Checkpoint { origin: "log.example".into(), size: 4, root: root(&leaves[..4]) };
        let grown = ConsistencyProof {
            from: 4,
            consistency: consistency_proof(&leaves, 4).unwrap(),
            checkpoint: proof.checkpoint,
        };
        assert_eq!(grown.check(&older, &key.verifier()).unwrap().size, 9);
        let fork = Checkpoint { root: leaf_hash(b"another past"), ..older };
        assert_eq!(grown.check(&fork, &key.verifier()), Err(UnprovenError::Proof(ProofError::Root)));
    }
}
