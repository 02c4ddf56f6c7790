use sealyard_scan::RuleMetadata;

use super::Artifact;
use crate::judge::Wrong;
use crate::sink::Sink;

/// Reports every concern of one kind as a finding of `rule`.
pub(super) fn report(wrong: Wrong, rule: &RuleMetadata, artifact: &Artifact<'_>, sink: &mut Sink) {
    let Artifact::Concerns(concerns) = artifact else { return };
    for concern in concerns.iter().filter(|concern| concern.wrong == wrong) {
        sink.find(rule, concern.severity, concern.offset, &concern.message, concern.trace.iter().cloned());
    }
}
