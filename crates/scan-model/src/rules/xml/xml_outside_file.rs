use sealyard_formats::xml::{Element, Part};
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports what makes a reader of an XML document open something else: an inclusion, a style sheet, and paths out of
    /// the model's folder or libraries in a model of OpenVINO.
    ///
    /// # Why it matters
    /// What is opened has not been scanned. It may be a file of the machine that becomes a part of the model, an address
    /// that learns who loads it, or a library that is run.
    ///
    /// # What to do
    /// Put everything that the model needs into its folder, and write plain names.
    id: "xml-outside-file",
    name: "XML document that opens a file",
    severity: High,
    summary: "An XML document makes its reader open another file or address.",
    help: "Put everything that the model needs into its folder.",
    references: ["https://www.w3.org/TR/xinclude/", "https://www.w3.org/TR/xml-stylesheet/"],
}

/// Attributes that OpenVINO, or a plug-in of it, takes for paths.
const PATHS: &[&str] = &[
    "bin",
    "extension",
    "extensions",
    "file",
    "filename",
    "kernel",
    "library",
    "lib",
    "location",
    "path",
    "plugin",
    "src",
    "weights",
    "weights_path",
];

pub(super) fn is_telling(element: &Element) -> bool {
    opened(element).is_some()
}

/// What an element makes a reader open.
fn opened(element: &Element) -> Option<&str> {
    let is_prefixed = |names: &[&str]| element.prefix.as_deref().is_some_and(|prefix| names.contains(&prefix));
    if element.name == "include" && (is_prefixed(&["xi", "xinclude"]) || element.attribute("href").is_some()) {
        return element.attribute("href").or(Some(""));
    }
    if is_prefixed(&["xsl", "xslt"]) && matches!(element.name.as_str(), "import" | "include") {
        return element.attribute("href").or(Some(""));
    }
    let mut attributes = element.attributes.iter().filter(|(name, _)| PATHS.contains(&name.as_str()));
    attributes.find(|(_, value)| is_outside(value)).map(|(_, value)| value.as_str())
}

/// An address, an absolute path, one that steps upward, or a library.
fn is_outside(path: &str) -> bool {
    let is_drive = path.get(1..3).is_some_and(|rest| matches!(rest, ":\\" | ":/"));
    let is_library = [".so", ".dll", ".dylib"].iter().any(|ending| path.to_ascii_lowercase().ends_with(ending));
    is_drive
        || is_library
        || path.contains("://")
        || path.starts_with(['/', '\\', '~'])
        || path.split(['/', '\\']).any(|part| part == "..")
}

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    for part in &document.parts {
        if let Part::Instruction { content, offset } = part
            && (content.starts_with("xml-stylesheet") || content.starts_with("xml-model"))
            && content.contains("href")
        {
            let shown: String = content.chars().take(200).collect();
            sink.find(&METADATA, METADATA.severity, *offset, "the document names a style sheet or schema", [shown]);
        }
    }
    for element in &document.elements {
        if let Some(target) = opened(element) {
            let message = format!("an element {} opens {target:?}", element.name);
            sink.push(Finding::new(&METADATA, sink.location(), message));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_leaves_is_outside() {
        for path in ["/tmp/x.bin", "..\\x", "http://h/x", "C:/x", "libevil.so", "~/x"] {
            assert!(super::is_outside(path), "{path}");
        }
        for path in ["model.bin", "weights/x.bin", "3.5", ""] {
            assert!(!super::is_outside(path), "{path}");
        }
    }
}
