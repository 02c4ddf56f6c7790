use std::collections::BTreeSet;

use sealyard_evidence::oms;
use sealyard_evidence::predicate::ModelSignature;

use super::{Outcome, Piece};
use crate::request::Request;

pub(crate) const NAME: &str = "signature.covers-tree";

/// Every file signed and no other there; not even the ones signatures leave out, for nobody vouches for those.
pub(crate) fn check(piece: &Piece<'_, ModelSignature>, _: &BTreeSet<String>, request: &Request<'_>) -> Outcome {
    match oms::coverage(piece.evidence, request.tree) {
        Ok(coverage) if coverage.is_exact() => Ok(format!("all {} files are signed", request.tree.entries().len())),
        Ok(coverage) => Err(format!("the files are not the signed ones: {coverage}")),
        Err(error) => Err(error.to_string()),
    }
}
