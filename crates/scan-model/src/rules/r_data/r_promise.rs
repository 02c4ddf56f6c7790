use sealyard_core::Severity;
use sealyard_formats::rdata::CodeKind;
use sealyard_scan::rule;

use super::{Artifact, danger};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports promises of R that have no value yet: code that runs when the value is looked at. Among the variables that
    /// a function left behind they are normal, and are reported only if they call what runs programs or loads code.
    ///
    /// # Why it matters
    /// Before R 4.4.0 `readRDS` gives such a promise as if it were the value, and `load` still puts it into a variable.
    /// The first look at it runs whatever its author wrote.
    ///
    /// # What to do
    /// Do not load the file. Save the model again with `save(..., eval.promises = TRUE)` or `saveRDS`.
    id: "r-promise",
    name: "Promise in a file of R",
    severity: High,
    summary: "A file of R holds code that runs as soon as its value is looked at.",
    help: "Do not load the file. Let its author save the values themselves.",
    references: ["https://nvd.nist.gov/vuln/detail/CVE-2024-27322"],
}

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for code in &file.codes {
        let CodeKind::Promise { is_variable } = code.kind else { continue };
        let dangerous = danger::dangerous(code);
        let severity = match (is_variable, dangerous.is_empty()) {
            (true, true) => continue,
            (false, true) => Severity::High,
            (_, false) => Severity::Critical,
        };
        let mut message = "a promise runs when its value is looked at".to_owned();
        if !dangerous.is_empty() {
            message = format!("{message}; it calls {}", dangerous.join(", "));
        }
        sink.find(&METADATA, severity, code.offset, message, danger::trace(code));
    }
}
