use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check = Check { id: "signing", title: "Models are signed", controls: &["C2"], look };

/// Types of evidence that are a signature of a model's files.
const SIGNATURES: [&str; 1] = ["https://model_signing/signature/v1.0"];

fn look(facts: &Facts, findings: &mut Findings) {
    super::with_evidence(facts, findings, &SIGNATURES, "are signed", "sign them: `sealyard sign`, and publish again");
}
