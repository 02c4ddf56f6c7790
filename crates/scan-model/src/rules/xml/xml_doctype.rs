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

/// What drawings, pages and lists of properties have begun with for decades: the parsers know them, and fetch nothing.
const KNOWN: &[&str] = &["plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\"", "svg PUBLIC \"-//W3C//DTD SVG 1."];

/// Whether a `DOCTYPE` only names a well-known form, and defines nothing itself.
fn is_known(content: &str) -> bool {
    let content = content.trim_start();
    let is_plain = !content.contains('[') && !content.contains("ENTITY");
    is_plain && (content == "html" || KNOWN.iter().any(|known| content.starts_with(known)))
}

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    for part in &document.parts {
        match part {
            Part::Doctype { content, .. } if is_known(content) => {}
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

#[cfg(test)]
mod tests {
    #[test]
    fn only_plain_names_of_known_forms_pass() {
        for content in [
            "svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\"",
            " plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"",
            "html",
        ] {
            assert!(super::is_known(content), "{content}");
        }
        for content in [
            "svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\" [<!ENTITY a \"b\">]",
            "svg SYSTEM \"http://host/x.dtd\"",
            "PMML",
            "html SYSTEM \"x\"",
        ] {
            assert!(!super::is_known(content), "{content}");
        }
    }
}
