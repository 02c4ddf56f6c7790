use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::path::leaves;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Looks at the paths of files that an ONNX model keeps tensors in (`external_data`) and of contexts of execution
    /// providers (`EPContext`). Absolute paths, `..`, URLs and addresses in memory are findings.
    ///
    /// # Why it matters
    /// The loader reads the bytes there into a tensor. With a path that leaves the model's folder a model reads any file
    /// of the machine, and what it computes, or where it is saved again, gives the bytes away.
    ///
    /// # What to do
    /// Save the model again, with its tensors in the file or in files beside it.
    id: "onnx-outside-path",
    name: "Tensor outside of the model's folder",
    severity: High,
    summary: "An ONNX model takes a tensor from a file outside of its folder.",
    help: "Save the model again, with its tensors in the file or beside it.",
    references: [
        "https://onnx.ai/onnx/repo-docs/ExternalData.html",
        "https://nvd.nist.gov/vuln/detail/CVE-2022-25882",
        "https://nvd.nist.gov/vuln/detail/CVE-2024-27318",
    ],
}

/// The operator that holds what an execution provider has compiled, or the path of it.
pub(super) const CONTEXT: &str = "EPContext";

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (location, external) in &artifact.model.external {
        // ONNX Runtime takes these, which stand for tensors that a program has in memory, with an address as offset.
        let is_memory = location.contains("_MEM_ADDR_");
        if leaves(location) || is_memory {
            let what = if is_memory { "an address in memory" } else { "a file outside of the model's folder" };
            let message = format!("the tensor {:?} is taken from {what}: {location}", external.tensor);
            sink.push(Finding::new(&METADATA, sink.at(external.offset), message));
        }
    }
    for (key, offset) in artifact.model.odd_keys.iter().filter(|(key, _)| key.starts_with('_')) {
        let message =
            format!("an external tensor has {key:?}, which loaders of some versions set on an object of theirs");
        sink.push(Finding::new(&METADATA, sink.at(*offset), message).severity(Severity::Medium));
    }
    for node in artifact.model.nodes.iter().filter(|node| node.operator == CONTEXT) {
        let is_inside = node.attributes.iter().any(|(key, value)| key == "embed_mode" && value == "1");
        let path = node.attributes.iter().find(|(key, value)| key == "ep_cache_context" && leaves(value));
        if let (Some((_, path)), false) = (path, is_inside) {
            let message = format!("an execution provider loads what it has compiled from {path}");
            sink.push(Finding::new(&METADATA, sink.at(node.offset), message));
        }
    }
}
