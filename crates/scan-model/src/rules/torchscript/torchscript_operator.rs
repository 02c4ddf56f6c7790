use sealyard_core::Severity;
use sealyard_scan::rule;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Compares each operator that a TorchScript program uses with those of PyTorch that only compute. Operators that read
    /// or write files, reach other machines, or run Python are unsafe; those on no list, and names that hide which operator
    /// is meant, are suspicious.
    ///
    /// # Why it matters
    /// `torch.jit.load` makes the program part of the process, and calling the model runs it. Among the operators are
    /// `aten::save` and `aten::from_file`, which write and map any file.
    ///
    /// # What to do
    /// Do not load it. Script the model again from code that you have read.
    id: "torchscript-operator",
    name: "TorchScript operator that does more than compute",
    severity: High,
    summary: "A TorchScript program uses an operator that reaches out, or one on no list.",
    help: "Do not load it.",
    references: ["https://docs.pytorch.org/docs/stable/jit_language_reference.html"],
}

pub(super) fn check(name: &Artifact, sink: &mut Sink) {
    let (severity, message) = match name {
        Artifact::Active { name, .. } => {
            (Severity::High, format!("the program uses {name}, which reaches out of the model"))
        }
        Artifact::Unlisted { name, .. } => (Severity::Medium, format!("the program uses {name}, which is on no list")),
        Artifact::Hidden { name, .. } => {
            (Severity::Medium, format!("the program uses {name:?} in a way that hides which operator is meant"))
        }
    };
    sink.find(&METADATA, severity, name.offset(), message, []);
}
