use std::error::Error;

use sealyard_core::{Digest, with_causes};
use sealyard_evidence::{Bundle, TrustedKeys, VerifiedEvidence, verify};

use crate::request::Rejected;

/// Verifies bundles one by one, so that a bad one is in nobody's way: what [`decide`](crate::decide()) takes.
/// A bundle that is given twice counts once.
#[must_use]
pub fn collect<'a>(
    bundles: impl IntoIterator<Item = &'a [u8]>,
    trust: &TrustedKeys,
) -> (Vec<VerifiedEvidence>, Vec<Rejected>) {
    let (mut evidence, mut rejected) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for bytes in bundles {
        let digest = Digest::of(bytes);
        if !seen.insert(digest) {
            continue;
        }
        let reject = |error: &dyn Error| Rejected { digest, reason: reason(error) };
        match Bundle::parse(bytes) {
            Ok(bundle) => match verify(&bundle, trust) {
                Ok(verified) => evidence.push(verified),
                Err(error) => rejected.push(reject(&error)),
            },
            Err(error) => rejected.push(reject(&error)),
        }
    }
    (evidence, rejected)
}

fn reason(error: &dyn Error) -> String {
    with_causes(error).chars().filter(|character| !character.is_control()).take(500).collect()
}
