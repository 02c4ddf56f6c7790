use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sealyard_core::Verdict;
use sealyard_scan_model::Scanner;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

/// What is scanned in one piece: a file, or a folder.
pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_rule_has_docs_and_fixtures_and_fires_alone() {
    let mut problems = Vec::new();
    for rule in Scanner::rules() {
        for heading in ["# What it does", "# Why it matters", "# What to do"] {
            if !rule.docs.contains(heading) {
                problems.push(format!("{}: its docs lack {heading:?}", rule.id));
            }
        }
        for kind in ["bad", "ok"] {
            let fixtures = entries(&root().join(rule.id).join(kind));
            if fixtures.is_empty() {
                problems.push(format!("{}: no {kind} fixture", rule.id));
            }
            for fixture in fixtures {
                let report = Scanner::new().scan_path(&fixture);
                let fired: BTreeSet<_> = report.findings().map(|finding| finding.rule.as_str()).collect();
                let expected = if kind == "bad" { BTreeSet::from([rule.id]) } else { BTreeSet::new() };
                if fired != expected {
                    problems.push(format!("{}: fired {fired:?}", fixture.display()));
                }
                if kind == "ok" && report.verdict() != Verdict::Safe {
                    let why: Vec<_> = report.not_assessed().collect();
                    problems.push(format!("{}: {} {why:?}", fixture.display(), report.verdict()));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_folder_of_the_corpus_belongs_to_a_rule() {
    for folder in entries(&root()) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(
            matches!(name, "benign" | "families") || Scanner::rules().any(|rule| rule.id == name),
            "{name} is no rule"
        );
    }
}

/// An attack that is caught now stays caught, and a harmless twin that is safe stays safe: only what `known-misses.txt`
/// names may be otherwise. `dev/bench/scan.py --write-known-misses` writes that list; it only ever gets shorter.
#[test]
fn attacks_of_all_families_are_caught_and_their_twins_are_safe() {
    let families = root().join("families");
    let known = fs::read_to_string(families.join("known-misses.txt")).unwrap();
    let known: BTreeSet<_> = known.lines().collect();
    let index: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(families.join("index.json")).unwrap()).unwrap();
    let attacks: Vec<_> = index["files"].as_array().unwrap().iter().map(|entry| &entry["file"]).collect();
    let twins: Vec<_> = index["benign"].as_array().unwrap().iter().collect();
    assert!(attacks.len() > 900 && twins.len() > 90, "{} {}", attacks.len(), twins.len());
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (file, bad) in attacks.into_iter().map(|file| (file, true)).chain(twins.into_iter().map(|file| (file, false))) {
        let file = file.as_str().unwrap();
        names.insert(file);
        assert!(families.join(file).exists(), "{file} is not there");
        let verdict = Scanner::new().scan_path(&families.join(file)).verdict();
        let right =
            if bad { matches!(verdict, Verdict::Unsafe | Verdict::Suspicious) } else { verdict == Verdict::Safe };
        match (right, known.contains(file)) {
            (false, false) => wrong.push(format!("{file}: {verdict}")),
            // Else it could become wrong again, and nobody would see it.
            (true, true) => wrong.push(format!("{file} is right now: take it out of known-misses.txt")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let gone: Vec<_> = known.difference(&names).collect();
    assert!(gone.is_empty(), "no longer in the corpus: {gone:?}");
}

#[test]
fn what_runs_code_is_unsafe() {
    for rule in
        ["pickle-dangerous-global", "pickle-unlisted-call", "pickle-dotted-traversal", "pickle-computed-callable"]
    {
        let fixtures = entries(&root().join(rule).join("bad"));
        assert!(!fixtures.is_empty(), "{rule}");
        for fixture in fixtures {
            let report = Scanner::new().scan_path(&fixture);
            assert_eq!(report.verdict(), Verdict::Unsafe, "{}", fixture.display());
        }
    }
}

#[test]
fn the_published_attack_is_told_as_what_it_does() {
    let report = Scanner::new().scan_path(&root().join("pickle-dangerous-global/bad/seed-003.joblib"));
    let finding = report.findings().next().unwrap();
    assert_eq!(finding.trace, ["posix.system('env > pwnd.txt')"]);
    assert_eq!(report.verdict(), Verdict::Unsafe);
}

#[test]
fn rules_are_sorted_and_the_rule_set_is_named() {
    let ids: Vec<_> = Scanner::rules().map(|rule| rule.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(Scanner::ruleset().starts_with(concat!(env!("CARGO_PKG_VERSION"), "+")));
}
