//! One rule, one file; files of a kind of evidence share a `judge`, which picks the one piece they all look at.
//!
//! Rules about a kind of evidence look at *one* piece of it. Were each to look for any piece it likes, a signature by
//! the right signer over other files and one over these files by a stranger would pass together.

use std::collections::BTreeSet;

use sealyard_core::Timestamp;
use sealyard_evidence::VerifiedEvidence;

use crate::decision::Reason;
use crate::request::{Rejected, Request};

pub(crate) mod break_glass;
pub(crate) mod deployment_attestation;
pub(crate) mod policy_environment;
pub(crate) mod policy_stage;
pub(crate) mod provenance;
mod provenance_builder;
mod provenance_dependencies;
mod provenance_signer;
mod provenance_subject;
pub(crate) mod publish_attestation;
pub(crate) mod scan;
mod scan_signer;
mod scan_subject;
mod scan_verdict;
pub(crate) mod separation_trained;
pub(crate) mod signature;
mod signature_covers_tree;
mod signature_signer;
pub(crate) mod subject_tree_digest;

/// The name of every rule, in the order of decisions.
pub const RULES: [&str; 16] = [
    subject_tree_digest::NAME,
    policy_stage::NAME,
    policy_environment::NAME,
    separation_trained::NAME,
    signature_signer::NAME,
    signature_covers_tree::NAME,
    provenance_signer::NAME,
    provenance_subject::NAME,
    provenance_builder::NAME,
    provenance_dependencies::NAME,
    scan_signer::NAME,
    scan_subject::NAME,
    scan_verdict::NAME,
    publish_attestation::NAME,
    deployment_attestation::NAME,
    break_glass::NAME,
];

/// What breaking glass does not overrule: that it is about these files, that the policy has such a stage and environment at
/// all, and that somebody else than who trained it looks at it.
pub(crate) const UNBREAKABLE: [&str; 4] =
    [subject_tree_digest::NAME, policy_stage::NAME, policy_environment::NAME, separation_trained::NAME];

pub(crate) const NOT_REQUIRED: &str = "the policy says that none is required";

/// A clock that runs ahead by this much is still believed.
const CLOCK_SKEW_SECONDS: i64 = 300;

const SECONDS_PER_DAY: i64 = 86_400;

/// What lies before the rules.
pub(crate) struct Bench<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) evidence: &'a [VerifiedEvidence],
    pub(crate) rejected: &'a [Rejected],
}

/// A piece of evidence of one kind.
pub(crate) struct Piece<'a, P> {
    pub(crate) evidence: &'a VerifiedEvidence,
    pub(crate) predicate: &'a P,
}

// Derived `Clone` would ask `P: Clone`.
impl<P> Clone for Piece<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Piece<'_, P> {}

/// Content, or not, and why in words.
pub(crate) type Outcome = Result<String, String>;

/// A rule about one kind of evidence and what the policy says about that kind.
pub(crate) struct Rule<P, C: ?Sized> {
    pub(crate) name: &'static str,
    pub(crate) check: fn(&Piece<'_, P>, &C, &Request<'_>) -> Outcome,
}

/// Lets the first rule, which ties a piece to the subject, and the others look at the piece that pleases most of
/// them. A piece that pleases all of them always wins.
pub(crate) fn judge_pieces<P, C: ?Sized>(
    kind: &str,
    pieces: &[Piece<'_, P>],
    rules: &[Rule<P, C>],
    config: &C,
    bench: &Bench<'_>,
) -> Vec<Reason> {
    let outcomes = pieces.iter().map(|piece| {
        let outcomes: Vec<Outcome> = rules.iter().map(|rule| (rule.check)(piece, config, bench.request)).collect();
        let content = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let tied = outcomes.first().is_some_and(Outcome::is_ok);
        let about = piece.evidence.is_about(&bench.request.subject.digest);
        ((tied, content, about), piece.evidence.bundle_digest(), outcomes)
    });
    // Of equals the one with the least digest, so that the order of evidence does not matter.
    let best = outcomes.max_by_key(|(rank, digest, _)| (*rank, std::cmp::Reverse(*digest)));
    match best {
        Some((_, digest, outcomes)) => {
            let reason = |(rule, outcome): (&Rule<P, C>, Outcome)| {
                let ok = outcome.is_ok();
                let detail = outcome.unwrap_or_else(|why| why);
                Reason::new(rule.name, ok, detail).resting_on(Some(digest))
            };
            rules.iter().zip(outcomes).map(reason).collect()
        }
        None => {
            let detail = format!("there is no {kind}{}", describe_rejected(bench.rejected));
            rules.iter().map(|rule| Reason::new(rule.name, false, detail.clone())).collect()
        }
    }
}

fn describe_rejected(rejected: &[Rejected]) -> String {
    match rejected {
        [] => String::new(),
        [only] => format!(" that verifies (one piece of evidence was rejected: {})", only.reason),
        [first, ..] => {
            format!(" that verifies ({} pieces of evidence were rejected, the first: {})", rejected.len(), first.reason)
        }
    }
}

/// Whether a key that the policy names signed.
pub(crate) fn signed_by(evidence: &VerifiedEvidence, accepted: &BTreeSet<String>) -> Outcome {
    let names = || accepted.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
    match evidence.signer_name() {
        Some(name) if accepted.contains(name) => Ok(format!("signed by {name}")),
        _ => Err(format!("signed by {}, the policy asks for {}", evidence.signer(), names())),
    }
}

/// Whether the statement is about the subject that is decided on.
pub(crate) fn about_subject(evidence: &VerifiedEvidence, request: &Request<'_>) -> Outcome {
    let digest = request.subject.digest;
    if evidence.is_about(&digest) {
        return Ok(format!("about {digest}"));
    }
    let other = evidence.subjects().first().map_or_else(String::new, |subject| subject.digest.to_string());
    Err(format!("about another subject, {other}, so it counts for nothing here; expected {digest}"))
}

/// Whether something that claims to be made at `time` was made by now, and not too long ago.
pub(crate) fn timely(
    what: &str,
    time: Timestamp,
    max_age_days: Option<u32>,
    request: &Request<'_>,
) -> Result<(), String> {
    let now = request.context.now;
    if time > now.plus_seconds(CLOCK_SKEW_SECONDS) {
        return Err(format!("{what} is dated {time}, in the future of {now}"));
    }
    match max_age_days {
        Some(days) if time.plus_seconds(i64::from(days).saturating_mul(SECONDS_PER_DAY)) < now => {
            Err(format!("{what} of {time} is older than the {days} days the policy allows"))
        }
        _ => Ok(()),
    }
}
