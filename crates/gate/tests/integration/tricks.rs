//! Combinations of evidence that must not add up, and bad pieces that must not be in the way.

use proptest::prelude::*;
use sealyard_core::{Digest, Verdict};
use sealyard_evidence::verify;
use sealyard_gate::{Rejected, Stage, collect};

use crate::scenario::{POLICY, Scenario, key, now, policy, provenance, tree};

#[test]
fn the_right_signer_of_other_files_and_a_stranger_of_these_do_not_add_up() {
    let mut scenario = Scenario::good(Stage::Load);
    let files = scenario.tree.clone();
    scenario.signatures = vec![("release", tree(&[("MLmodel", "old")])), ("intern", files)];
    assert_eq!(scenario.failures(), ["signature.signer"]);
}

#[test]
fn provenance_of_others_and_by_others_does_not_add_up() {
    let mut scenario = Scenario::good(Stage::Load);
    let mut stranger = scenario.provenance[0].clone();
    stranger.by = "intern";
    scenario.provenance[0].about = Digest::of(b"another model");
    scenario.provenance.push(stranger);
    assert_eq!(scenario.failures(), ["provenance.signer"]);
    // The same with two properties that only two pieces have together.
    let mut scenario = Scenario::good(Stage::Load);
    let mut one = provenance();
    one.run_details.builder.id = "https://example.com".into();
    let mut two = provenance();
    two.build_definition.resolved_dependencies.clear();
    scenario.provenance =
        [one, two].into_iter().map(|what| crate::scenario::Said { what, ..scenario.provenance[0].clone() }).collect();
    assert_eq!(scenario.failures().len(), 1);
}

#[test]
fn a_good_piece_counts_among_bad_ones() {
    let mut scenario = Scenario::good(Stage::Load);
    scenario.signatures.push(("intern", tree(&[("x", "y")])));
    let mut other = scenario.provenance[0].clone();
    other.about = Digest::of(b"another model");
    scenario.provenance.push(other);
    let mut stranger = scenario.scans[0].clone();
    stranger.by = "intern";
    stranger.what.verdict = Verdict::Unsafe;
    stranger.what.scanned_at = now().plus_seconds(60);
    scenario.scans.push(stranger);
    scenario.rejected.push(Rejected { digest: Digest::of(b"junk"), reason: "it is junk".into() });
    let decision = scenario.decide();
    assert!(decision.allowed(), "{:?}", decision.failures().collect::<Vec<_>>());
    assert_eq!(decision.rejected().len(), 1);
}

#[test]
fn the_newest_scan_by_an_accepted_scanner_counts() {
    let mut scenario = Scenario::good(Stage::Load);
    let mut newer = scenario.scans[0].clone();
    newer.what.verdict = Verdict::Unsafe;
    newer.what.scanned_at = now().plus_seconds(60);
    scenario.scans.push(newer);
    assert_eq!(scenario.failures(), ["scan.verdict"]);
    // At the same moment the worse.
    scenario.scans[1].what.scanned_at = now();
    assert_eq!(scenario.failures(), ["scan.verdict"]);
    // A rule that was wrong and was put right.
    scenario.scans[1].what.scanned_at = now().plus_seconds(-60);
    assert!(scenario.decide().allowed());
}

#[test]
fn reasons_name_what_was_rejected_and_what_was_about_others() {
    let mut scenario = Scenario::good(Stage::Load);
    scenario.signatures.clear();
    scenario.rejected.push(Rejected { digest: Digest::of(b"junk"), reason: "the signature does not match".into() });
    scenario.provenance[0].about = Digest::of(b"another model");
    let decision = scenario.decide();
    let detail = |rule| decision.reasons().iter().find(|reason| reason.rule() == rule).unwrap().detail();
    assert!(detail("signature.signer").contains("rejected: the signature does not match"));
    assert!(detail("provenance.subject").contains("another subject"));
    assert!(detail("provenance.subject").contains("counts for nothing"));
}

#[test]
fn bundles_are_verified_one_by_one() {
    let scenario = Scenario::good(Stage::Load);
    let stranger = sealyard_evidence::oms::sign(&scenario.tree, "m", &key("stranger")).unwrap();
    let bundles = scenario.bundles();
    let mut bytes: Vec<&[u8]> = vec![b"junk", stranger.text().as_bytes(), b"\xff"];
    bytes.extend(bundles.iter().map(|bundle| bundle.text().as_bytes()));
    bytes.push(b"junk");
    let (evidence, rejected) = collect(bytes, policy(POLICY).trusted_keys());
    assert_eq!(evidence.len(), 5);
    let rejected: Vec<_> = rejected.into_iter().map(|rejected| (rejected.digest, rejected.reason)).collect();
    assert_eq!(rejected.len(), 3);
    assert_eq!(rejected[0].0, Digest::of(b"junk"));
    assert!(rejected[0].1.starts_with("the bundle is not well-formed: "), "{}", rejected[0].1);
    assert!(rejected[1].1.contains("not trusted"));
    assert!(scenario.decide_on(&evidence).allowed());
}

#[test]
fn keys_that_the_policy_does_not_know_do_not_verify() {
    let scenario = Scenario::good(Stage::Load);
    let bundle = sealyard_evidence::oms::sign(&scenario.tree, "m", &key("stranger")).unwrap();
    assert!(verify(&bundle, policy(POLICY).trusted_keys()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever part of the evidence is given, in whatever order: only all that is needed allows.
    #[test]
    fn only_all_of_the_evidence_allows(chosen in prop::sample::subsequence(vec![0, 1, 2, 3, 4], 0..=5).prop_shuffle()) {
        let scenario = Scenario::good(Stage::Load);
        let all = scenario.evidence();
        let given: Vec<_> = chosen.iter().map(|&position| all[position].clone()).collect();
        // The fourth is the publish attestation, which loading does not ask for.
        let needed = [0, 1, 2, 4].iter().all(|position| chosen.contains(position));
        prop_assert_eq!(scenario.decide_on(&given).allowed(), needed);
    }

    /// The order of evidence changes nothing in the decision.
    #[test]
    fn order_does_not_matter(order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle()) {
        let mut scenario = Scenario::good(Stage::Load);
        scenario.signatures.push(("intern", scenario.tree.clone()));
        scenario.signatures.push(("release", tree(&[("a", "b")])));
        let scan = scenario.scans[0].clone();
        scenario.scans.push(scan);
        let all = scenario.evidence();
        prop_assert_eq!(all.len(), 8);
        let shuffled: Vec<_> = order.iter().map(|&position| all[position].clone()).collect();
        prop_assert_eq!(scenario.decide_on(&shuffled), scenario.decide_on(&all));
    }
}
