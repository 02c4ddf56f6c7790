use sealyard_core::Severity;
use sealyard_formats::pickle::Stop;
use sealyard_scan::rule;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports a pickle whose first stream ends in an error.
    ///
    /// # Why it matters
    /// The unpickler runs everything up to the error. A stream is broken on purpose to make scanners give up: what it
    /// did before has been judged here as well.
    ///
    /// # What to do
    /// Get the file again from its source, or do not load it.
    id: "pickle-broken-stream",
    name: "Broken stream",
    severity: Medium,
    summary: "A pickle ends in an error, after everything before it has run.",
    help: "Get the file again from its source, or do not load it.",
    references: ["https://docs.python.org/3/library/pickle.html"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    let Artifact::File(file) = artifact else { return };
    let Some(Stop::Fault { offset, fault, .. }) = file.pickle.streams.first().map(|stream| &stream.stop) else {
        return;
    };
    sink.find(&METADATA, Severity::Medium, *offset, format!("the stream breaks: {fault}"), []);
}
