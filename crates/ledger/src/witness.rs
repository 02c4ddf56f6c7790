//! What a witness does (C2SP tlog-witness): it cosigns a log's checkpoint only if that log grew out of what it cosigned before.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{Digest, Timestamp};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::WitnessKey;
use crate::key::VerifierKey;
use crate::merkle::verify_consistency;
use crate::note::{Note, NoteError};

/// Longest request that is read.
pub const MAX_REQUEST: usize = 128 * 1024;
/// Most hashes of a proof that the protocol allows.
const MAX_PROOF: usize = 63;

/// The body of `POST …/add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness cosigned last, as the sender believes.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Digest>,
    /// The checkpoint's note.
    pub checkpoint: String,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Uncosigned {
    /// The request is not one.
    #[error("the request is not laid out as add-checkpoint")]
    Malformed,
    /// It is of a log that this witness does not watch.
    #[error("this witness does not watch the log {0:?}")]
    UnknownOrigin(String),
    /// The log's key did not sign it.
    #[error("the log's key did not sign the checkpoint")]
    Unsigned,
    /// The old size is larger than the checkpoint's.
    #[error("the old size is larger than the checkpoint's")]
    OldSize,
    /// It does not begin where this witness stands: at so many entries. That, or another root for as many: a log that was
    /// cut back or shows others another past.
    #[error("this witness stands at {0} entries")]
    Conflict(u64),
    /// The proof does not hold: the log is no continuation of what was cosigned.
    #[error("the log is no continuation of the {0} entries that this witness cosigned")]
    Inconsistent(u64),
}

impl Uncosigned {
    /// The HTTP status that the protocol has for it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed | Self::OldSize => 400,
            Self::Unsigned => 403,
            Self::UnknownOrigin(_) => 404,
            Self::Conflict(_) => 409,
            Self::Inconsistent(_) => 422,
        }
    }

    /// Whether it says that the log was cut back or rewritten. A proof by another than the log's key says nothing.
    #[must_use]
    pub const fn is_alarm(&self) -> bool {
        matches!(self, Self::Inconsistent(_))
    }
}

impl AddCheckpoint {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Uncosigned::Malformed`].
    pub fn parse(body: &str) -> Result<Self, Uncosigned> {
        if body.len() > MAX_REQUEST {
            return Err(Uncosigned::Malformed);
        }
        let (head, checkpoint) = body.split_once("\n\n").ok_or(Uncosigned::Malformed)?;
        let mut lines = head.split('\n');
        let text = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or(Uncosigned::Malformed)?;
        let old: u64 = text.parse().map_err(|_| Uncosigned::Malformed)?;
        let mut proof = Vec::new();
        for line in lines {
            let hash = STANDARD.decode(line).ok().and_then(|hash| <[u8; 32]>::try_from(hash).ok());
            proof.push(Digest::from_bytes(hash.ok_or(Uncosigned::Malformed)?));
            if proof.len() > MAX_PROOF {
                return Err(Uncosigned::Malformed);
            }
        }
        if old.to_string() != text {
            return Err(Uncosigned::Malformed);
        }
        Ok(Self { old, proof, checkpoint: checkpoint.to_owned() })
    }

    /// As it is sent.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut body = format!("old {}\n", self.old);
        for hash in &self.proof {
            let _ = writeln!(body, "{}", STANDARD.encode(hash.as_bytes()));
        }
        body.push('\n');
        body.push_str(&self.checkpoint);
        body
    }
}

/// The origin that a note says, before anybody believes it.
#[must_use]
pub fn origin_of(note: &str) -> &str {
    note.split('\n').next().unwrap_or_default()
}

/// Judges a request of the log of `log` against `last`, what was cosigned before. Gives the checkpoint, which must be kept
/// durably before the cosignature line is given out.
///
/// # Errors
/// [`Uncosigned`].
pub fn cosign(
    request: &AddCheckpoint,
    log: &VerifierKey,
    last: Option<&Checkpoint>,
    key: &WitnessKey,
    now: Timestamp,
) -> Result<(Checkpoint, String), Uncosigned> {
    let checkpoint = Checkpoint::open(&request.checkpoint, log).map_err(|error| match error {
        CheckpointError::Note(NoteError::Unsigned(_) | NoteError::Forged(_)) => Uncosigned::Unsigned,
        CheckpointError::Origin { found, .. } => Uncosigned::UnknownOrigin(found.chars().take(80).collect()),
        _ => Uncosigned::Malformed,
    })?;
    if request.old > checkpoint.size {
        return Err(Uncosigned::OldSize);
    }
    let (size, root) = last.map_or((0, crate::merkle::empty_root()), |last| (last.size, last.root));
    if request.old != size {
        return Err(Uncosigned::Conflict(size));
    }
    if checkpoint.size == size && checkpoint.root != root {
        return Err(Uncosigned::Conflict(size));
    }
    verify_consistency(size, root, checkpoint.size, checkpoint.root, &request.proof)
        .map_err(|_| Uncosigned::Inconsistent(size))?;
    let note = Note::parse(&request.checkpoint).map_err(|_| Uncosigned::Malformed)?;
    let line = key.cosign(note.unverified_text(), now);
    Ok((checkpoint, line))
}

#[cfg(test)]
mod tests {
    use sealyard_core::FixedRng;

    use super::*;
    use crate::LedgerKey;
    use crate::merkle::{consistency_proof, leaf_hash, root};

    fn log(seed: u64) -> LedgerKey {
        LedgerKey::generate("log.example", &FixedRng::seeded(seed)).unwrap()
    }

    fn leaves(past: &str, count: usize) -> Vec<Digest> {
        (0..count).map(|number| leaf_hash(format!("{past} {number}").as_bytes())).collect()
    }

    fn request(past: &str, old: usize, new: usize) -> AddCheckpoint {
        let leaves = leaves(past, new);
        AddCheckpoint {
            old: old as u64,
            proof: consistency_proof(&leaves, old).unwrap_or_default(),
            checkpoint: Checkpoint::sign(new as u64, &root(&leaves), &log(1)),
        }
    }

    fn judge(request: &AddCheckpoint, last: Option<&Checkpoint>) -> Result<(Checkpoint, String), Uncosigned> {
        let witness = WitnessKey::generate("witness.example", &FixedRng::seeded(9)).unwrap();
        let request = AddCheckpoint::parse(&request.to_body()).unwrap();
        let (checkpoint, line) = cosign(&request, &log(1).verifier(), last, &witness, Timestamp::from_millis(5000))?;
        let cosigned = Note::parse(&format!("{}{line}", request.checkpoint)).unwrap();
        assert_eq!(witness.verifier().cosigned(&cosigned), Ok(Some(Timestamp::from_millis(5000))));
        Ok((checkpoint, line))
    }

    #[test]
    fn only_what_grew_is_cosigned() {
        let (first, _) = judge(&request("a", 0, 5), None).unwrap();
        let (second, _) = judge(&request("a", 5, 9), Some(&first)).unwrap();
        assert_eq!(judge(&request("a", 9, 9), Some(&second)).unwrap().0, second, "the same again");
        let refused = |request: &AddCheckpoint| judge(request, Some(&second)).unwrap_err();
        assert_eq!(refused(&request("a", 5, 12)), Uncosigned::Conflict(9), "from where it does not stand");
        assert_eq!(refused(&request("a", 5, 5)), Uncosigned::Conflict(9), "a rollback");
        assert_eq!(refused(&request("b", 9, 12)), Uncosigned::Inconsistent(9), "another past");
        assert_eq!(refused(&request("b", 9, 9)), Uncosigned::Conflict(9), "another root for as many");
        assert_eq!(refused(&request("a", 9, 8)), Uncosigned::OldSize);
        let mut longer = request("a", 9, 12);
        longer.proof.push(leaf_hash(b"more"));
        assert_eq!(refused(&longer), Uncosigned::Inconsistent(9));
        let mut with_proof = request("a", 0, 5);
        with_proof.proof.push(leaf_hash(b"more"));
        assert_eq!(
            judge(&with_proof, None).unwrap_err(),
            Uncosigned::Inconsistent(0),
            "from nothing there is no proof"
        );
    }

    #[test]
    fn only_the_logs_key_is_believed() {
        let mut forged = request("a", 0, 5);
        forged.checkpoint = Checkpoint::sign(5, &root(&leaves("a", 5)), &log(2));
        assert_eq!(judge(&forged, None).unwrap_err(), Uncosigned::Unsigned);
        forged.checkpoint = "nonsense".into();
        assert_eq!(judge(&forged, None).unwrap_err(), Uncosigned::Malformed);
    }

    #[test]
    fn other_requests_are_refused() {
        let many = format!("old 1\n{}\n\nx", vec![STANDARD.encode([0; 32]); 64].join("\n"));
        let long = format!("old 1\n\n{}", "x".repeat(MAX_REQUEST));
        for body in [
            "",
            "old",
            "old 1",
            "old 01\n\nx",
            "old -1\n\nx",
            "old +1\n\nx",
            "new 1\n\nx",
            "old 1\nAAAA\n\nx",
            &many,
            &long,
        ] {
            assert_eq!(AddCheckpoint::parse(body), Err(Uncosigned::Malformed), "{body:.60}");
        }
    }
}
