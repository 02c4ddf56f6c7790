use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports calls of the result of another call, and imports whose module or name is no constant.
    ///
    /// # Why it matters
    /// Nobody can say what runs without running it. No library writes such files.
    ///
    /// # What to do
    /// Do not load it.
    id: "pickle-computed-callable",
    name: "Computed callable",
    severity: Critical,
    summary: "What a pickle imports or calls is computed while it loads.",
    help: "Do not load it.",
    references: ["https://docs.python.org/3/library/pickletools.html"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::ComputedCallable, &METADATA, artifact, sink);
}
