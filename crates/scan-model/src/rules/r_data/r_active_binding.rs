use sealyard_formats::rdata::CodeKind;
use sealyard_scan::rule;

use super::{Artifact, danger};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports active bindings, which are variables that run a function whenever they are looked at, if the function
    /// calls what runs programs, loads code, or reaches other files and hosts.
    ///
    /// # Why it matters
    /// Printing or listing the object that has the variable runs the function. Classes of R6 have active bindings too,
    /// but none that do this.
    ///
    /// # What to do
    /// Do not load the file.
    id: "r-active-binding",
    name: "Active binding that does harm",
    severity: High,
    summary: "A file of R holds a variable that runs harmful code whenever it is looked at.",
    help: "Do not load the file.",
    references: ["https://stat.ethz.ch/R-manual/R-devel/library/base/html/bindenv.html"],
}

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for code in file.codes.iter().filter(|code| code.kind == CodeKind::ActiveBinding) {
        let dangerous = danger::dangerous(code);
        if !dangerous.is_empty() {
            let message = format!("an active binding calls {}", dangerous.join(", "));
            sink.find(&METADATA, METADATA.severity, code.offset, message, danger::trace(code));
        }
    }
}
