use sealyard_formats::rdata::CodeKind;
use sealyard_scan::rule;

use super::{Artifact, danger};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports functions, formulas and calls in a file of R that run programs, load code, or reach other files and
    /// hosts: `system`, `source`, `download.file`, `eval(parse(...))` and others.
    ///
    /// # Why it matters
    /// Many models of R hold functions, such as the link of a `glm`. To predict with the model, to print or to update it
    /// runs them. None of them needs to do this.
    ///
    /// # What to do
    /// Read the function before the model is used.
    id: "r-dangerous-call",
    name: "Function of R that does harm",
    severity: Medium,
    summary: "A file of R holds code that runs programs, loads code, or reaches other files and hosts.",
    help: "Read the function before you use the model.",
    references: ["https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats"],
}

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for code in file.codes.iter().filter(|code| matches!(code.kind, CodeKind::Function | CodeKind::Language)) {
        let dangerous = danger::dangerous(code);
        if !dangerous.is_empty() {
            let what = if code.kind == CodeKind::Function { "a function" } else { "a call that is kept as a value" };
            let message = format!("{what} calls {}", dangerous.join(", "));
            sink.find(&METADATA, METADATA.severity, code.offset, message, danger::trace(code));
        }
    }
}
