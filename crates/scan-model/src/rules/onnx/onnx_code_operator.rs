use sealyard_scan::{Finding, rule};

use sealyard_formats::onnx::Node;

use super::Artifact;
use crate::allow;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators that call Python (`PyOp`, `PythonOp`) or a service in the network (`AzureTextInvoker` and its
    /// kin), and operators of PyTorch's that read or write files (`ATen`).
    ///
    /// # Why it matters
    /// Their attributes name the module and class that run, or the address that the model's inputs are sent to. Whoever
    /// writes the model chooses them.
    ///
    /// # What to do
    /// Export the model without the operator.
    id: "onnx-code-operator",
    name: "Operator that calls Python or the network",
    severity: High,
    summary: "An ONNX model has an operator that calls Python or a service.",
    help: "Export the model without the operator.",
    references: [
        "https://onnxruntime.ai/docs/extensions/",
        "https://onnxruntime.ai/docs/extensions/azure/",
    ],
}

/// Stands for an operator of PyTorch's.
pub(super) const ATEN: &str = "ATen";

/// What an operator does, if it is one of these.
pub(super) fn act(operator: &str) -> Option<&'static str> {
    match operator {
        "PyOp" | "PythonOp" | "PythonOpGrad" | "PyCustomOp" | "PyCustomOpDef" => Some("calls Python"),
        "AzureAudioInvoker" | "AzureTextInvoker" | "AzureTritonInvoker" | "OpenAIAudioToText" | "AzureTextToText" => {
            Some("sends its inputs to a service")
        }
        _ => None,
    }
}

/// What an operator of PyTorch's does that ONNX names by an attribute.
fn aten(node: &Node) -> Option<&'static str> {
    let mut names = node.attributes.iter().filter(|(key, _)| key == "operator").map(|(_, name)| name.as_str());
    (node.operator == ATEN && names.any(|name| allow::is_active_operator("aten", name)))
        .then_some("reads or writes files")
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for node in &artifact.model.nodes {
        let Some(act) = act(&node.operator).or_else(|| aten(node)) else { continue };
        let message = format!("the node {:?} ({}) {act}", node.name, node.operator);
        let trace = node.attributes.iter().map(|(key, value)| format!("{}: {key} = {value:?}", node.operator));
        sink.push(Finding::new(&METADATA, sink.at(node.offset), message).trace(trace));
    }
}
