use sealyard_evidence::predicate::Provenance;

use super::{Outcome, Piece};
use crate::policy::ProvenanceRule;
use crate::request::Request;

pub(crate) const NAME: &str = "provenance.builder";

/// Builder ids are compared exactly: a prefix would let a look-alike pass.
pub(crate) fn check(piece: &Piece<'_, Provenance>, rule: &ProvenanceRule, _: &Request<'_>) -> Outcome {
    let id = &piece.predicate.run_details.builder.id;
    if rule.builders.contains(id) {
        Ok(format!("built by {id}"))
    } else {
        Err(format!("built by {id:?}, which the policy does not trust"))
    }
}
