use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports programs, libraries, links and compiled code among the files of a model: ELF, PE, Mach-O, WebAssembly, Java
    /// classes and Dalvik code, Windows shortcuts, scripts under the name of a model, compiled Python.
    ///
    /// # Why it matters
    /// A model is data. A program under the name of a model waits for a person or a script to start it; a library beside
    /// a model is loaded by custom operators.
    ///
    /// # What to do
    /// Remove the file, or find out which part of the model needs it and build it from its source.
    id: "executable-file",
    name: "Program in a model's place",
    severity: High,
    summary: "A file of a model is a program, a library or a script.",
    help: "Remove the file, or build what the model needs from its source.",
    references: ["https://attack.mitre.org/techniques/T1036/"],
}

/// Endings under which libraries and programs lie openly.
const OPEN: &[&str] = &[
    ".so",
    ".dylib",
    ".dll",
    ".pyd",
    ".wasm",
    ".class",
    ".llamafile",
    ".node",
    ".pyc",
    ".a",
    ".o",
    ".metallib",
    ".cubin",
];

pub(super) fn check(program: &Artifact<'_>, sink: &mut Sink) {
    let name = program.name.to_ascii_lowercase();
    let is_open = OPEN.iter().any(|ending| name.ends_with(ending)) || name.contains(".so.");
    let (severity, message) = if program.is_model {
        (Severity::Critical, format!("a file under the name of a model is {}", program.kind))
    } else if is_open {
        (Severity::Medium, format!("the model comes with {}", program.kind))
    } else {
        (Severity::High, format!("a file of the model is {}", program.kind))
    };
    sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
}
