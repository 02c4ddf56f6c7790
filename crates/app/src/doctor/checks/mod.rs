//! One file for each check, and the list of them.

mod access;
mod accounts;
mod audit;
mod container;
mod education;
mod encryption;
mod gates;
mod isolation;
mod least_privilege;
mod lineage;
mod network;
mod recovery;
mod scanning;
mod signing;
mod transport;
mod updates;

use super::Check;

/// Every check, in the order of the report.
pub(super) static ALL: &[Check] = &[
    transport::CHECK,
    accounts::CHECK,
    access::CHECK,
    audit::CHECK,
    network::CHECK,
    encryption::CHECK,
    recovery::CHECK,
    container::CHECK,
    updates::CHECK,
    least_privilege::CHECK,
    education::CHECK,
    isolation::CHECK,
    signing::CHECK,
    lineage::CHECK,
    scanning::CHECK,
    gates::CHECK,
];

/// Whether each published version has evidence of one of the types.
fn with_evidence(
    facts: &super::facts::Facts,
    findings: &mut super::Findings,
    types: &[&str],
    what: &str,
    advice: &str,
) {
    let lacks = |name: &str, version: u32| {
        let found = facts.evidence.get(&(name.to_owned(), version));
        !found.is_some_and(|found| types.iter().any(|one| found.contains(*one)))
    };
    let published: Vec<_> = facts.published().collect();
    let without: Vec<String> = published
        .iter()
        .filter(|version| lacks(&version.name, version.version))
        .map(|version| format!("models:/{}/{}", version.name, version.version))
        .collect();
    if published.is_empty() {
        findings.unknown("no version is published yet", "publish one, and ask again");
    } else if without.is_empty() {
        findings.good(format!("all {} published versions {what}", published.len()));
    } else {
        let shown: Vec<String> = without.iter().take(20).cloned().collect();
        findings.bad(
            format!("{} of {} published versions lack it: {}", without.len(), published.len(), shown.join(", ")),
            advice,
        );
    }
}
