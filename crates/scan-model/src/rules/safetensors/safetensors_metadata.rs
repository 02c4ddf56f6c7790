use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports free metadata of safetensors files that is Python code, a command of a shell or a pickle.
    ///
    /// # Why it matters
    /// The format runs nothing, and that is why people load it without a look. Code in its metadata waits for a program
    /// that evaluates it.
    ///
    /// # What to do
    /// Save the tensors again without this metadata.
    id: "safetensors-metadata",
    name: "Code in a safetensors file's metadata",
    severity: Medium,
    summary: "The metadata of a safetensors file holds code, a command or a pickle.",
    help: "Save the tensors again without this metadata.",
    references: ["https://huggingface.co/docs/safetensors/index#format"],
}

/// What no description of a model says.
const MARKS: &[&str] = &[
    "__builtins__",
    "__globals__",
    "__import__(",
    "__reduce__",
    "__subclasses__",
    "/bin/bash",
    "/bin/sh",
    "base64.b64decode",
    "bash -c",
    "cposix\n",
    "cos\n",
    "csubprocess\n",
    "eval(",
    "exec(",
    "import os",
    "import subprocess",
    "marshal.loads",
    "os.popen",
    "os.system",
    "pickle.loads",
    "powershell",
    "pty.spawn",
    "sh -c '",
    "sh -c \"",
    "socket.socket",
    "subprocess.",
    "<script",
];

pub(super) fn check(file: &Artifact, sink: &mut Sink) {
    for (name, text) in &file.metadata {
        if let Some(mark) = MARKS.iter().find(|mark| text.contains(**mark) || name.contains(**mark)) {
            let message = format!("the metadata {name:?} holds {:?}", mark.trim_end());
            sink.push(Finding::new(&METADATA, sink.location(), message));
        }
    }
}
