//! What witnesses must have cosigned, in the eyes of whoever verifies.

use sealyard_core::Timestamp;

use crate::checkpoint::Checkpoint;
use crate::cosignature::WitnessVerifier;
use crate::key::VerifierKey;
use crate::note::Note;
use crate::verify::{Problem, VerifyReport};

/// Witnesses whose keys the verifier has, how many of them it takes, and how old what they signed may be.
#[derive(Debug, Clone, Default)]
pub struct Cosigners {
    keys: Vec<WitnessVerifier>,
    quorum: usize,
    window: Option<(Timestamp, Timestamp)>,
}

/// Such witnesses can't be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignersError {
    /// One of them would count twice.
    #[error("the key of the witness {0:?} is named twice")]
    Twice(String),
    /// There are not so many, or none is asked for.
    #[error("{quorum} of {keys} witnesses can't be asked for")]
    Quorum {
        /// How many were asked for.
        quorum: usize,
        /// How many there are.
        keys: usize,
    },
}

/// What cosignatures say, before a log is compared with it.
#[derive(Debug, Clone, Default)]
pub struct Witnessed {
    /// The largest checkpoint of the log that enough of the witnesses cosigned, lately enough.
    pub newest: Option<Checkpoint>,
    most: usize,
    stale: usize,
    problems: Vec<Problem>,
}

impl Witnessed {
    /// How many entries have been witnessed.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.newest.as_ref().map(|newest| newest.size)
    }
}

impl Cosigners {
    /// `quorum` of these, or all of them.
    ///
    /// # Errors
    /// [`CosignersError`].
    pub fn new(keys: Vec<WitnessVerifier>, quorum: Option<usize>) -> Result<Self, CosignersError> {
        let mut rest = keys.as_slice();
        while let Some((first, others)) = rest.split_first() {
            if others.iter().any(|other| other.is_same_key(first)) {
                return Err(CosignersError::Twice(first.name().to_owned()));
            }
            rest = others;
        }
        if quorum.is_some_and(|quorum| quorum == 0 || quorum > keys.len()) {
            return Err(CosignersError::Quorum { quorum: quorum.unwrap_or_default(), keys: keys.len() });
        }
        let quorum = quorum.unwrap_or(keys.len());
        Ok(Self { keys, quorum, window: None })
    }

    /// Only what was cosigned from `oldest` to `latest` counts: who shows an old state of the log can show what witnesses
    /// signed below it then, but not what they would sign now.
    #[must_use]
    pub fn within(self, oldest: Timestamp, latest: Timestamp) -> Self {
        Self { window: Some((oldest, latest)), ..self }
    }

    /// Whether anybody has to have cosigned anything.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.quorum > 0
    }

    /// What stands below these notes of the log of `log`.
    pub fn look(&self, log: &VerifierKey, notes: &[String]) -> Witnessed {
        let mut seen = Witnessed::default();
        for note in notes {
            // That it can't be read, or is not the log's, is said by whoever compares the roots.
            let Ok(parsed) = Note::parse(note) else { continue };
            let Ok(checkpoint) = Checkpoint::open(note, log) else { continue };
            let (mut cosigned, mut stale) = (0, 0);
            for key in &self.keys {
                match key.cosigned(&parsed) {
                    Ok(Some(time)) if self.window.is_none_or(|(oldest, latest)| time >= oldest && time <= latest) => {
                        cosigned += 1;
                    }
                    Ok(Some(_)) => stale += 1,
                    Ok(None) => {}
                    Err(error) => seen.problems.push(Problem {
                        rule: "ledger.cosignature",
                        index: Some(checkpoint.size),
                        detail: error.to_string(),
                    }),
                }
            }
            seen.most = seen.most.max(cosigned);
            seen.stale = seen.stale.max(stale);
            let larger = seen.size().is_none_or(|size| checkpoint.size > size);
            if self.is_asked_for() && cosigned >= self.quorum && larger {
                seen.newest = Some(checkpoint);
            }
        }
        seen
    }

    /// Adds what is wrong with what was `seen` to the report on the log: a false cosignature (`ledger.cosignature`), too few,
    /// too old ones, or ones of a tree that says nothing of what was verified (`ledger.unwitnessed`). `kept` is the size of the
    /// checkpoint that was kept elsewhere; `beyond` the time of the first entry that was not witnessed.
    #[must_use]
    pub fn judge(
        &self,
        mut report: VerifyReport,
        seen: Witnessed,
        kept: Option<u64>,
        beyond: Option<Timestamp>,
    ) -> VerifyReport {
        let witnessed = seen.size();
        report.problems.extend(seen.problems);
        report.witnessed = witnessed;
        if self.is_asked_for()
            && let Some(detail) = self.lacking(witnessed, (seen.most, seen.stale), kept, beyond)
        {
            report.problems.push(Problem { rule: "ledger.unwitnessed", index: witnessed, detail });
        }
        report.ok = report.problems.is_empty();
        report
    }

    fn lacking(
        &self,
        witnessed: Option<u64>,
        (most, stale): (usize, usize),
        kept: Option<u64>,
        beyond: Option<Timestamp>,
    ) -> Option<String> {
        let Some(size) = witnessed else {
            let old =
                if stale > 0 { format!(", and {stale} outside of the time that is asked for") } else { String::new() };
            return Some(format!(
                "no checkpoint has cosignatures of {} of the named witnesses, but {most} at most{old}",
                self.quorum
            ));
        };
        if let Some(kept) = kept.filter(|kept| *kept > size) {
            return Some(format!(
                "what was cosigned covers {size} entries, fewer than the {kept} of the kept checkpoint"
            ));
        }
        let oldest = self.window.map(|(oldest, _)| oldest);
        beyond.zip(oldest).filter(|(beyond, oldest)| beyond < oldest).map(|(beyond, _)| {
            format!("what was cosigned covers {size} entries; the next one is of {beyond}, and nobody has witnessed it since")
        })
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::{Digest, FixedRng};

    use super::*;
    use crate::{LedgerKey, WitnessKey};

    fn log() -> LedgerKey {
        LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap()
    }

    fn witness(seed: u64) -> WitnessKey {
        WitnessKey::generate(&format!("w{seed}"), &FixedRng::seeded(seed)).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// A checkpoint with cosignatures of these witnesses at these times.
    fn note(size: u64, by: &[(u64, i64)]) -> String {
        let mut note = Checkpoint::sign(size, &Digest::of(b"root"), &log());
        let text = Note::parse(&note).unwrap().unverified_text().to_owned();
        for (seed, seconds) in by {
            note.push_str(&witness(*seed).cosign(&text, at(*seconds)));
        }
        note
    }

    fn both(quorum: usize) -> Cosigners {
        Cosigners::new(vec![witness(2).verifier(), witness(3).verifier()], Some(quorum)).unwrap()
    }

    fn judge(
        cosigners: &Cosigners,
        notes: &[String],
        kept: Option<u64>,
        beyond: Option<Timestamp>,
    ) -> Vec<&'static str> {
        let good = VerifyReport {
            schema: crate::SCHEMA,
            ok: true,
            size: 9,
            root: Digest::of(b"root"),
            witnessed: None,
            problems: vec![],
        };
        let report = cosigners.judge(good, cosigners.look(&log().verifier(), notes), kept, beyond);
        assert_eq!(report.ok, report.problems.is_empty());
        report.problems.into_iter().map(|problem| problem.rule).collect()
    }

    #[test]
    fn false_ones_and_too_few_are_seen() {
        let cosigned = note(7, &[(2, 9), (3, 9)]);
        assert!(judge(&both(2), &[note(7, &[]), cosigned.clone()], None, None).is_empty());
        assert!(judge(&Cosigners::default(), &[], None, None).is_empty());
        assert_eq!(judge(&both(1), &[note(7, &[])], None, None), ["ledger.unwitnessed"]);
        assert_eq!(judge(&both(2), &[note(7, &[(2, 9)])], None, None), ["ledger.unwitnessed"]);
        // A line of a witness below another text.
        let line = note(7, &[(2, 9)]).lines().last().unwrap().to_owned();
        let moved = format!("{}{line}\n", note(8, &[]));
        assert_eq!(judge(&both(2), &[cosigned.clone(), moved], None, None), ["ledger.cosignature"]);
        // Below what the log's key did not sign they say nothing.
        let foreign = LedgerKey::generate("log.example", &FixedRng::seeded(5)).unwrap();
        let forged = cosigned.lines().filter(|line| !line.contains("log.example ")).collect::<Vec<_>>().join("\n");
        let text = Note::parse(&cosigned).unwrap().unverified_text().to_owned();
        let forged = format!("{forged}\n{}", foreign.sign_note(&text).lines().last().unwrap());
        assert_eq!(judge(&both(2), &[format!("{forged}\n")], None, None), ["ledger.unwitnessed"]);
    }

    #[test]
    fn old_ones_do_not_count() {
        let fresh = both(2).within(at(100), at(200));
        assert!(judge(&fresh, &[note(7, &[(2, 100), (3, 200)])], None, None).is_empty());
        for times in [[(2, 99), (3, 150)], [(2, 150), (3, 201)]] {
            assert_eq!(judge(&fresh, &[note(7, &times)], None, None), ["ledger.unwitnessed"], "{times:?}");
        }
        // An older one beside a newer one of the same witness does not take that away.
        assert!(judge(&fresh, &[note(7, &[(2, 50), (2, 150), (3, 150)])], None, None).is_empty());
    }

    #[test]
    fn those_of_an_older_tree_do_not_count() {
        let fresh = both(2).within(at(100), at(200));
        let notes = [note(7, &[(2, 150), (3, 150)]), note(9, &[])];
        assert!(judge(&fresh, &notes, Some(7), None).is_empty());
        assert_eq!(judge(&fresh, &notes, Some(8), None), ["ledger.unwitnessed"], "the kept checkpoint knows more");
        assert!(judge(&fresh, &notes, None, Some(at(100))).is_empty(), "what came since may wait");
        assert_eq!(judge(&fresh, &notes, None, Some(at(99))), ["ledger.unwitnessed"], "but not for ever");
    }

    #[test]
    fn nobody_counts_twice() {
        let twice = vec![witness(2).verifier(), witness(3).verifier(), witness(2).verifier()];
        assert_eq!(Cosigners::new(twice, Some(2)).unwrap_err(), CosignersError::Twice("w2".into()));
        let renamed = WitnessKey::generate("another", &FixedRng::seeded(2)).unwrap().verifier();
        assert!(Cosigners::new(vec![witness(2).verifier(), renamed], Some(2)).is_err(), "one key of two names");
        for quorum in [0, 3] {
            let keys = vec![witness(2).verifier(), witness(3).verifier()];
            assert_eq!(Cosigners::new(keys, Some(quorum)).unwrap_err(), CosignersError::Quorum { quorum, keys: 2 });
        }
    }
}
