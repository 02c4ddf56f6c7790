use sealyard_core::Severity;
use sealyard_formats::xml::Part;
use sealyard_scan::rule;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports a `DOCTYPE` in an XML document, and references to entities that it would define.
    ///
    /// # Why it matters
    /// A `DOCTYPE` may define entities that stand for files of the machine or addresses, or for so much text that it fills
    /// the memory. No model needs one.
    ///
    /// # What to do
    /// Remove the `DOCTYPE`.
    id: "xml-doctype",
    name: "DOCTYPE in an XML document",
    severity: Medium,
    summary: "An XML document has a DOCTYPE, which may pull in files and addresses.",
    help: "Remove the DOCTYPE.",
    references: ["https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html"],
}

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    for part in &document.parts {
        match part {
            Part::Doctype { content, offset } => {
                let is_worse = content.contains("SYSTEM") || content.contains("PUBLIC") || content.contains("<!ENTITY");
                let severity = if is_worse { Severity::High } else { METADATA.severity };
                let shown: String = content.chars().take(200).collect();
                sink.find(&METADATA, severity, *offset, "the document has a DOCTYPE", [shown]);
            }
            Part::Entity(name) => {
                let message = format!("the document refers to the entity {name}, which XML does not define");
                sink.find(&METADATA, METADATA.severity, 0, message, []);
            }
            _ => {}
        }
    }
}
