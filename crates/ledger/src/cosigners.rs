//! What witnesses must have cosigned, in the eyes of whoever verifies.

use crate::cosignature::WitnessVerifier;
use crate::note::Note;
use crate::verify::{Problem, VerifyReport};

/// Witnesses whose keys the verifier has, and how many of them it takes.
#[derive(Debug, Clone, Default)]
pub struct Cosigners {
    /// Their keys.
    pub keys: Vec<WitnessVerifier>,
    /// How many of them must have cosigned one checkpoint.
    pub quorum: usize,
}

impl Cosigners {
    /// Adds what is wrong with the cosignatures below `notes`, whose roots were compared with the entries before: a false one
    /// (`ledger.cosignature`), or too few (`ledger.unwitnessed`).
    #[must_use]
    pub fn judge(&self, mut report: VerifyReport, notes: &[String]) -> VerifyReport {
        let mut most = 0;
        for note in notes {
            // That it can't be read was said before.
            let Ok(parsed) = Note::parse(note) else { continue };
            let size = parsed.unverified_text().lines().nth(1).and_then(|size| size.parse().ok());
            let mut cosigned = 0;
            for key in &self.keys {
                match key.cosigned(&parsed) {
                    Ok(Some(_)) => cosigned += 1,
                    Ok(None) => {}
                    Err(error) => report.problems.push(Problem {
                        rule: "ledger.cosignature",
                        index: size,
                        detail: error.to_string(),
                    }),
                }
            }
            most = most.max(cosigned);
        }
        if most < self.quorum {
            let detail =
                format!("no checkpoint has cosignatures of {} of the named witnesses, but {most} at most", self.quorum);
            report.problems.push(Problem { rule: "ledger.unwitnessed", index: None, detail });
        }
        report.ok = report.problems.is_empty();
        report
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::{Digest, FixedRng, Timestamp};

    use super::*;
    use crate::{Checkpoint, LedgerKey, WitnessKey};

    #[test]
    fn false_ones_and_too_few_are_seen() {
        let log = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
        let witness = |seed| WitnessKey::generate(&format!("w{seed}"), &FixedRng::seeded(seed)).unwrap();
        let bare = Checkpoint::sign(7, &Digest::of(b"root"), &log);
        let text = Note::parse(&bare).unwrap().unverified_text().to_owned();
        let now = Timestamp::from_millis(9000);
        let both = format!("{bare}{}{}", witness(2).cosign(&text, now), witness(3).cosign(&text, now));
        let judge = |quorum: usize, notes: &[String]| {
            let keys = vec![witness(2).verifier(), witness(3).verifier()];
            let good =
                VerifyReport { schema: crate::SCHEMA, ok: true, size: 7, root: Digest::of(b"root"), problems: vec![] };
            let report = Cosigners { keys, quorum }.judge(good, notes);
            assert_eq!(report.ok, report.problems.is_empty());
            report.problems.into_iter().map(|problem| problem.rule).collect::<Vec<_>>()
        };
        assert!(judge(2, &[bare.clone(), both.clone()]).is_empty());
        assert!(judge(0, &[]).is_empty());
        assert_eq!(judge(1, std::slice::from_ref(&bare)), ["ledger.unwitnessed"]);
        let one = format!("{bare}{}", witness(2).cosign(&text, now));
        assert_eq!(judge(2, &[one]), ["ledger.unwitnessed"]);
        // A line of a witness below another text.
        let other = Checkpoint::sign(8, &Digest::of(b"root"), &log);
        let moved = format!("{other}{}", witness(2).cosign(&text, now));
        assert_eq!(judge(0, &[both, moved]), ["ledger.cosignature"]);
    }
}
