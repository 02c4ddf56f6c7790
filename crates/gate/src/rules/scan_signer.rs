use sealyard_evidence::predicate::ScanReport;

use super::{Outcome, Piece, signed_by};
use crate::policy::ScanRule;
use crate::request::Request;

pub(crate) const NAME: &str = "scan.signer";

pub(crate) fn check(piece: &Piece<'_, ScanReport>, rule: &ScanRule, _: &Request<'_>) -> Outcome {
    signed_by(piece.evidence, &rule.signed_by)
}
