use sealyard_formats::rdata::CodeKind;
use sealyard_scan::rule;

use super::{Artifact, danger};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports workspaces with a function that R runs by itself: `.First`, `.First.sys`, `.Last`, `.Last.sys`.
    ///
    /// # Why it matters
    /// R loads a workspace named `.RData` when it starts in its folder, then runs `.First`; `.Last` runs at the end of
    /// any session that has loaded the file.
    ///
    /// # What to do
    /// Do not load the file. Save only the model, with `saveRDS`.
    id: "r-startup-function",
    name: "Function that R runs by itself",
    severity: High,
    summary: "A workspace of R holds a function that runs when a session starts or ends.",
    help: "Do not load the file. Save only the model, with saveRDS.",
    references: ["https://stat.ethz.ch/R-manual/R-devel/library/base/html/Startup.html"],
}

const RUN: &[&str] = &[".First", ".First.sys", ".Last", ".Last.sys"];

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for code in &file.codes {
        if code.kind == CodeKind::Function && RUN.contains(&code.variable.as_str()) {
            let message = format!("R runs the function {} by itself", code.variable);
            sink.find(&METADATA, METADATA.severity, code.offset, message, danger::trace(code));
        }
    }
}
