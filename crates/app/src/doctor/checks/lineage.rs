use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "lineage", title: "It is known what a model was made of", controls: &["C3"], look };

/// Types of evidence that say what a model was made of.
const PROVENANCE: [&str; 2] = ["https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"];

fn look(facts: &Facts, findings: &mut Findings) {
    let advice = "train them with `sealyard run`, which records code, data, parameters and every wheel";
    super::with_evidence(facts, findings, &PROVENANCE, "have provenance", advice);
}
