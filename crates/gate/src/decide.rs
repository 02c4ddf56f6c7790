use sealyard_evidence::VerifiedEvidence;

use crate::decision::{Decision, Reason};
use crate::policy::{AttestationRule, Policy, Requirement, Section};
use crate::request::{Rejected, Request};
use crate::rules::{self, Bench, NOT_REQUIRED};

/// Decides whether `request`'s subject may move on: every rule of the stage must be content, or glass be broken, which the
/// policy has to let happen and which does not overrule everything.
///
/// `evidence` must have been verified with [`Policy::trusted_keys`]; `rejected` names what did not verify, so that the
/// decision can say so. The order of neither matters.
#[must_use]
pub fn decide(
    request: &Request<'_>,
    evidence: &[VerifiedEvidence],
    rejected: &[Rejected],
    policy: &Policy,
) -> Decision {
    let mut reasons = vec![rules::subject_tree_digest::check(request)];
    let section = policy.section(request.stage);
    reasons.push(rules::policy_stage::check(request, section));
    if let Some(section) = section {
        reasons.push(rules::policy_environment::check(request, section));
        reasons.extend(rules::separation_trained::check(request, policy));
        judge(section, &Bench { request, evidence, rejected }, &mut reasons);
    }
    reasons.extend(rules::break_glass::check(request, policy));
    let Request { subject, stage, context, .. } = request;
    Decision::new(subject.clone(), *stage, context.clone(), reasons, policy.digest(), rejected.to_vec())
}

fn judge(section: &Section, bench: &Bench<'_>, reasons: &mut Vec<Reason>) {
    reasons.extend(rules::signature::judge(&section.signed_by, bench));
    match &section.provenance {
        Requirement::Required(rule) => reasons.extend(rules::provenance::judge(rule, bench)),
        Requirement::NotRequired => reasons.extend(rules::provenance::NAMES.map(not_required)),
    }
    match &section.scan {
        Requirement::Required(rule) => reasons.extend(rules::scan::judge(rule, bench)),
        Requirement::NotRequired => reasons.extend(rules::scan::NAMES.map(not_required)),
    }
    match &section.attestation {
        AttestationRule::None => {}
        AttestationRule::Published(by) => reasons.extend(rules::publish_attestation::judge(by, bench)),
        AttestationRule::Deployed(by) => reasons.extend(rules::deployment_attestation::judge(by, bench)),
    }
}

fn not_required(rule: &'static str) -> Reason {
    Reason::new(rule, true, NOT_REQUIRED)
}
