use sealyard_evidence::predicate::ScanReport;

use super::{Outcome, Piece, about_subject};
use crate::policy::ScanRule;
use crate::request::Request;

pub(crate) const NAME: &str = "scan.subject";

pub(crate) fn check(piece: &Piece<'_, ScanReport>, _: &ScanRule, request: &Request<'_>) -> Outcome {
    about_subject(piece.evidence, request)
}
