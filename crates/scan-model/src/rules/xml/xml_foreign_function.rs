use sealyard_formats::xml::Element;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports elements of an XML document that bring a program: scripts, programs of other languages, kernels of a
    /// device, and functions of PMML that name a class of Java itself.
    ///
    /// # Why it matters
    /// Some evaluators of PMML find a function with dots in its name as a class, and some readers of XML make objects or
    /// run scripts as the document says.
    ///
    /// # What to do
    /// Write the model with the functions that PMML defines.
    id: "xml-foreign-function",
    name: "Program in an XML document",
    severity: High,
    summary: "An XML document brings or names a program.",
    help: "Write the model with the functions that its format defines.",
    references: ["https://dmg.org/pmml/v4-4-1/Functions.html", "https://docs.openvino.ai/2024/documentation/openvino-extensibility.html"],
}

/// Elements that hold or start programs, wherever they are: extensions of XSLT, decoders of Java's beans, kernels.
const PROGRAMS: &[(&str, Option<&str>)] = &[
    ("CustomLayer", Some("type")),
    ("component", Some("implements-prefix")),
    ("java", Some("class")),
    ("object-factory", None),
    ("script", Some("language")),
    ("void", Some("method")),
];
/// Packages of Java that no function of PMML is in.
const JAVA: &[&str] = &["com.sun.", "java.", "javax.", "jdk.", "sun."];

pub(super) fn is_telling(element: &Element) -> bool {
    is_program(element) || java(element).is_some()
}

fn is_program(element: &Element) -> bool {
    PROGRAMS.iter().any(|(name, attribute)| {
        element.name == *name && attribute.is_none_or(|attribute| element.attribute(attribute).is_some())
    })
}

fn java(element: &Element) -> Option<&str> {
    let name = match element.name.as_str() {
        "Apply" => element.attribute("function")?,
        "DefineFunction" => element.attribute("name")?,
        _ => return None,
    };
    JAVA.iter().any(|package| name.starts_with(package)).then_some(name)
}

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    for element in &document.elements {
        let message = match java(element) {
            Some(name) => format!("an element {} names {name}", element.name),
            None if is_program(element) => format!("an element {} brings a program", element.name),
            None => continue,
        };
        let shown = element.attributes.iter().take(10).map(|(name, value)| format!("{name}={value:?}"));
        sink.push(Finding::new(&METADATA, sink.location(), message).trace(shown));
    }
}
