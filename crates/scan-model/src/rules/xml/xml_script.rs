use sealyard_formats::xml::{Element, Part};
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports extensions of PMML that hold a program: they name a language, or their text calls what runs programs.
    ///
    /// # Why it matters
    /// PMML leaves it to each reader what an extension means. Some run scripts in them.
    ///
    /// # What to do
    /// Remove the extension.
    id: "xml-script",
    name: "Script in an extension of PMML",
    severity: Medium,
    summary: "An extension of a PMML model holds a program.",
    help: "Remove the extension.",
    references: ["https://dmg.org/pmml/v4-4-1/GeneralStructure.html"],
}

/// Names of languages, as an extension says what it holds.
const LANGUAGES: &[&str] =
    &["bash", "code", "groovy", "java", "javascript", "js", "python", "r-script", "ruby", "script", "sh", "shell"];
/// What only a program has in its text.
const CALLS: &[&str] = &[
    "ProcessBuilder",
    "Runtime.getRuntime",
    "ScriptEngine",
    "__import__",
    "eval(",
    "exec(",
    "import os",
    "os.system",
    "subprocess",
    "system(",
];

pub(super) fn is_telling(element: &Element) -> bool {
    let is_language = |value: &str| LANGUAGES.contains(&value.to_ascii_lowercase().as_str());
    element.name == "Extension" && element.attributes.iter().any(|(_, value)| is_language(value) || has_call(value))
}

pub(super) fn is_telling_text(element: &str, text: &str) -> bool {
    element == "Extension" && has_call(text)
}

fn has_call(text: &str) -> bool {
    CALLS.iter().any(|call| text.contains(call))
}

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    for element in document.elements.iter().filter(|element| is_telling(element)) {
        let shown = element.attributes.iter().take(10).map(|(name, value)| format!("{name}={value:?}"));
        sink.push(Finding::new(&METADATA, sink.location(), "an extension says that it is a program").trace(shown));
    }
    for part in &document.parts {
        if let Part::Text { element, content, offset } = part
            && is_telling_text(element, content)
        {
            let shown: String = content.chars().take(200).collect();
            sink.find(&METADATA, METADATA.severity, *offset, "the text of an extension is a program", [shown]);
        }
    }
}
