use sealyard_core::Severity;
use sealyard_scan::rule;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Follows byte strings inside a pickle that are pickles themselves, and reports those that call, or refer to,
    /// what no allow-list holds. The same is done with values of databases, tables, metadata and configurations, and
    /// with what follows a model in its file.
    ///
    /// # Why it matters
    /// The inner pickle runs when some code loads it later: a hook, a cache, or a loader that another opcode reaches.
    /// Scanners that look at the outer stream only see a constant.
    ///
    /// # What to do
    /// Find out what the bytes are for. No supported library stores a model like that.
    id: "pickle-nested-pickle",
    name: "Pickle inside a pickle",
    severity: Medium,
    summary: "A byte string in a pickle is a pickle that reaches something on no list.",
    help: "Find out what the bytes are for, and save the model without them.",
    references: ["https://docs.python.org/3/library/pickle.html"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    let Artifact::Nested(concerns) = artifact else { return };
    for concern in *concerns {
        let message = format!("bytes in it are a pickle: {}", concern.message);
        sink.find(&METADATA, Severity::Medium, concern.offset, message, concern.trace.iter().cloned());
    }
}
