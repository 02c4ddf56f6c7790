use sealyard_evidence::predicate::Provenance;

use super::{Outcome, Piece};
use crate::policy::ProvenanceRule;
use crate::request::Request;

pub(crate) const NAME: &str = "provenance.dependencies";

/// What went in must be said, and pinned by digest: all of it.
pub(crate) fn check(piece: &Piece<'_, Provenance>, _: &ProvenanceRule, _: &Request<'_>) -> Outcome {
    let dependencies = &piece.predicate.build_definition.resolved_dependencies;
    if dependencies.is_empty() {
        return Err("it names no dependencies, so nobody can tell what went in".to_owned());
    }
    match dependencies.iter().find(|dependency| !dependency.is_pinned()) {
        None => Ok(format!("all {} dependencies are pinned by digest", dependencies.len())),
        Some(loose) => Err(format!("the dependency {:?} is not pinned by a digest", loose.label())),
    }
}
