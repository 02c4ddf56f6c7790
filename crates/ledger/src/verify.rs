use std::collections::BTreeMap;

use sealyard_core::Digest;
use serde::Serialize;

use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::key::VerifierKey;
use crate::merkle::{Frontier, leaf_hash};

/// What the report's `schema` says.
pub const SCHEMA: &str = "sealyard.ledger/1";
/// Most problems that are listed; a log with more is no less broken.
const MAX_PROBLEMS: usize = 1000;

/// What an examination of the log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Whether there is no problem.
    pub ok: bool,
    /// How many entries were read.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// How many entries, from the first on, enough of the named witnesses have cosigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<u64>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its name, such as `ledger.root`.
    pub rule: &'static str,
    /// Which entry, or which size of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// What was found.
    pub detail: String,
}

/// Checks that every entry is there, in its place and unchanged, that the entries give every signed root, that every
/// entry is covered, and that `external`, a checkpoint that was kept elsewhere, is of this log's past.
///
/// Without `external` a log that was cut back to an older checkpoint can't be told from one that never was longer.
/// Entries are taken one at a time, so the log may be larger than the memory.
///
/// # Errors
/// Any error of `entries`; nothing is said about the log then.
pub fn verify<E>(
    entries: impl IntoIterator<Item = Result<Entry, E>>,
    checkpoints: impl IntoIterator<Item = impl AsRef<str>>,
    key: &VerifierKey,
    external: Option<&str>,
) -> Result<VerifyReport, E> {
    let mut problems = Problems::default();
    let mut signed: BTreeMap<u64, Vec<(Digest, Origin)>> = BTreeMap::new();
    for note in checkpoints {
        match Checkpoint::open(note.as_ref(), key) {
            Ok(Checkpoint { size, root, .. }) => signed.entry(size).or_default().push((root, Origin::Log)),
            Err(error) => {
                let size = note.as_ref().lines().nth(1).and_then(|size| size.parse().ok());
                problems.add("ledger.checkpoint-signature", size, error.to_string());
            }
        }
    }
    let covered = signed.last_key_value().map_or(0, |(size, _)| *size);
    if let Some(note) = external {
        match Checkpoint::open(note, key) {
            Ok(Checkpoint { size, root, .. }) => signed.entry(size).or_default().push((root, Origin::Elsewhere)),
            Err(error) => {
                let detail = format!("the checkpoint that was kept elsewhere: {error}");
                problems.add("ledger.checkpoint-signature", None, detail);
            }
        }
    }

    let mut frontier = Frontier::default();
    let mut expected = 0_u64;
    compare(&mut signed, &frontier, &mut problems);
    for entry in entries {
        let Entry { index, bytes, leaf } = entry?;
        if index != expected {
            problems.add("ledger.sequence", Some(index), format!("entry {index} is where {expected} should be"));
        }
        expected = index.saturating_add(1);
        let hash = leaf_hash(&bytes);
        if hash != leaf {
            problems.add(
                "ledger.leaf-hash",
                Some(index),
                format!("entry {index} was changed: its bytes give {hash}, not {leaf}"),
            );
        }
        frontier.push(hash);
        compare(&mut signed, &frontier, &mut problems);
    }

    let size = frontier.size();
    for (missing, roots) in signed {
        for (_, origin) in roots {
            match origin {
                Origin::Log => problems.add(
                    "ledger.root",
                    Some(missing),
                    format!("a checkpoint covers {missing} entries, but the log has {size}"),
                ),
                Origin::Elsewhere => problems.add(
                    "ledger.rollback",
                    Some(missing),
                    format!("the checkpoint that was kept elsewhere covers {missing} entries, but the log has {size}"),
                ),
            }
        }
    }
    if size > covered {
        let detail = format!("the newest checkpoint covers {covered} of {size} entries");
        problems.add("ledger.uncovered", Some(covered), detail);
    }
    let problems = problems.0;
    Ok(VerifyReport { schema: SCHEMA, ok: problems.is_empty(), size, root: frontier.root(), witnessed: None, problems })
}

#[derive(Debug, Clone, Copy)]
enum Origin {
    Log,
    Elsewhere,
}

/// Compares the root of the entries so far with what was signed for as many, which is then done with.
fn compare(signed: &mut BTreeMap<u64, Vec<(Digest, Origin)>>, frontier: &Frontier, problems: &mut Problems) {
    let size = frontier.size();
    let Some(roots) = signed.remove(&size) else { return };
    let found = frontier.root();
    for (root, origin) in roots.into_iter().filter(|(root, _)| *root != found) {
        match origin {
            Origin::Log => problems.add(
                "ledger.root",
                Some(size),
                format!("the first {size} entries give the root {found}, but {root} was signed"),
            ),
            Origin::Elsewhere => problems.add(
                "ledger.rewritten",
                Some(size),
                format!("the log was rewritten: its first {size} entries give {found}, the checkpoint that was kept elsewhere says {root}"),
            ),
        }
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, rule: &'static str, index: Option<u64>, detail: String) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(Problem { rule, index, detail });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use sealyard_core::FixedRng;

    use super::*;
    use crate::key::LedgerKey;

    fn key(seed: u64) -> LedgerKey {
        LedgerKey::generate("log.example", &FixedRng::seeded(seed)).unwrap()
    }

    fn log(count: u64) -> (Vec<Entry>, Vec<String>) {
        let mut frontier = Frontier::default();
        let mut entries = Vec::new();
        let mut checkpoints = Vec::new();
        for index in 0..count {
            let bytes = format!("event {index}").into_bytes();
            let leaf = leaf_hash(&bytes);
            frontier.push(leaf);
            entries.push(Entry { index, bytes, leaf });
            if index % 3 == 2 || index + 1 == count {
                checkpoints.push(Checkpoint::sign(frontier.size(), &frontier.root(), &key(1)));
            }
        }
        (entries, checkpoints)
    }

    fn rules(entries: &[Entry], checkpoints: &[String], external: Option<&str>) -> Vec<&'static str> {
        let entries = entries.iter().cloned().map(Ok::<_, Infallible>);
        let Ok(report) = verify(entries, checkpoints, &key(1).verifier(), external);
        assert_eq!(report.ok, report.problems.is_empty());
        report.problems.into_iter().map(|problem| problem.rule).collect()
    }

    #[test]
    fn a_good_log_is_good() {
        assert!(rules(&[], &[], None).is_empty());
        for count in 1..12 {
            let (entries, checkpoints) = log(count);
            for external in &checkpoints {
                assert!(rules(&entries, &checkpoints, Some(external)).is_empty());
            }
        }
    }

    #[test]
    fn a_changed_entry_is_seen() {
        let (mut entries, checkpoints) = log(10);
        entries[4].bytes = b"forged".to_vec();
        assert_eq!(
            rules(&entries, &checkpoints, None),
            ["ledger.leaf-hash", "ledger.root", "ledger.root", "ledger.root"]
        );
        entries[4].leaf = leaf_hash(b"forged");
        assert_eq!(rules(&entries, &checkpoints, None), ["ledger.root"; 3]);
    }

    #[test]
    fn a_removed_entry_is_seen_also_when_the_rest_is_renumbered() {
        let (mut entries, checkpoints) = log(9);
        entries.remove(7);
        assert_eq!(rules(&entries, &checkpoints, None), ["ledger.sequence", "ledger.root"]);
        entries[7].index = 7;
        assert_eq!(rules(&entries, &checkpoints, None), ["ledger.root"]);
        entries.truncate(7);
        assert_eq!(rules(&entries, &checkpoints, None), ["ledger.root"]);
    }

    #[test]
    fn a_swap_and_a_repetition_are_seen() {
        let (mut entries, checkpoints) = log(9);
        entries.swap(1, 2);
        assert!(rules(&entries, &checkpoints, None).contains(&"ledger.sequence"));
        let (mut entries, checkpoints) = log(9);
        entries.insert(3, entries[2].clone());
        assert!(rules(&entries, &checkpoints, None).contains(&"ledger.sequence"));
    }

    #[test]
    fn a_forged_checkpoint_is_seen() {
        let (entries, mut checkpoints) = log(4);
        checkpoints[0] = checkpoints[0].replace("\n3\n", "\n2\n");
        assert_eq!(rules(&entries, &checkpoints, None), ["ledger.checkpoint-signature"]);
        let mut frontier = Frontier::default();
        entries.iter().for_each(|entry| frontier.push(entry.leaf));
        let foreign = Checkpoint::sign(4, &frontier.root(), &key(2));
        assert_eq!(rules(&entries, &[foreign], None), ["ledger.checkpoint-signature", "ledger.uncovered"]);
    }

    #[test]
    fn entries_beyond_the_newest_checkpoint_are_seen() {
        let (entries, mut checkpoints) = log(4);
        checkpoints.pop();
        assert_eq!(rules(&entries, &checkpoints, None), ["ledger.uncovered"]);
    }

    #[test]
    fn a_rollback_is_seen_against_a_checkpoint_kept_elsewhere() {
        let (entries, checkpoints) = log(9);
        let kept = checkpoints[2].clone();
        let (mut short, mut fewer) = (entries.clone(), checkpoints.clone());
        short.truncate(6);
        fewer.truncate(2);
        assert!(rules(&short, &fewer, None).is_empty(), "nothing in the log itself shows it");
        assert_eq!(rules(&short, &fewer, Some(&kept)), ["ledger.rollback"]);

        let mut frontier = Frontier::default();
        for entry in &mut short {
            entry.bytes = b"rewritten".to_vec();
            entry.leaf = leaf_hash(&entry.bytes);
            frontier.push(entry.leaf);
        }
        let signed_again = [Checkpoint::sign(6, &frontier.root(), &key(1))];
        assert!(rules(&short, &signed_again, None).is_empty());
        assert_eq!(rules(&short, &signed_again, Some(&checkpoints[1])), ["ledger.rewritten"]);
        assert_eq!(rules(&entries, &checkpoints, Some("nonsense")), ["ledger.checkpoint-signature"]);
    }

    #[test]
    fn the_report_has_its_schema() {
        let (entries, checkpoints) = log(1);
        let entries = entries.into_iter().map(Ok::<_, Infallible>);
        let Ok(report) = verify(entries, checkpoints, &key(1).verifier(), None);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["schema"], "sealyard.ledger/1");
        assert_eq!((json["ok"].as_bool(), json["size"].as_u64()), (Some(true), Some(1)));
        assert!(json["root"].as_str().unwrap().starts_with("sha256:"));
    }
}
