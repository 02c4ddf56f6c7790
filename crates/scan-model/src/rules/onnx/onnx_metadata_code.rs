use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports properties of an ONNX model (`metadata_props`) that hold Python code or commands of a shell. What is a pickle
    /// in them is looked at as a file of its own.
    ///
    /// # Why it matters
    /// Programs around a model evaluate its properties: names of classes, for example, are often written as a Python
    /// dictionary. One that uses `eval` for that runs what the author wrote.
    ///
    /// # What to do
    /// Remove the property from the model.
    id: "onnx-metadata-code",
    name: "Code in a model's properties",
    severity: Medium,
    summary: "A property of an ONNX model holds code.",
    help: "Remove the property from the model.",
    references: ["https://onnx.ai/onnx/repo-docs/MetadataProps.html"],
}

/// Calls and programs that no description of a model has.
const CODE: &[&str] = &[
    "__import__(",
    "os.system(",
    "os.popen(",
    "os.exec",
    "subprocess.",
    "pty.spawn(",
    "socket.socket(",
    "pickle.loads(",
    "marshal.loads(",
    "b64decode(",
    "/bin/sh",
    "/bin/bash",
    "powershell",
    "__subclasses__",
    "__globals__",
    "__builtins__",
];
/// Calls by a word that methods have too.
const CALLS: &[&str] = &["eval(", "exec("];

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (key, value, offset) in &artifact.properties {
        if let Some(mark) = code(value) {
            let message = format!("the property {key:?} holds code: {mark}");
            sink.push(Finding::new(&METADATA, sink.at(*offset), message).trace([value.clone()]));
        }
    }
}

fn code(text: &str) -> Option<&'static str> {
    let is_call = |call: &str| {
        text.match_indices(call).any(|(place, _)| {
            let before = text.get(..place).and_then(|text| text.chars().next_back());
            let after = text.get(place + call.len()..).and_then(|text| text.chars().next());
            after != Some(')') && !before.is_some_and(|letter| letter.is_alphanumeric() || "._".contains(letter))
        })
    };
    let mark = CODE.iter().find(|mark| text.contains(**mark));
    mark.or_else(|| CALLS.iter().find(|call| is_call(call))).copied()
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn only_calls_are_code() {
        for text in ["{0: 'person', 1: 'car'}", "model.eval()", "retrieval(x)", "call eval() first", "os.path"] {
            assert_eq!(code(text), None, "{text}");
        }
        for text in ["__import__('os')", "x=eval(\"1\")", "exec(open('a').read())", "os.system('id')"] {
            assert!(code(text).is_some(), "{text}");
        }
    }
}
