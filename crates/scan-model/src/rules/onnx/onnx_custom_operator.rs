use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators of a domain that neither ONNX nor its known runtimes and exporters have, unless the model defines
    /// the operator itself, as a function.
    ///
    /// # Why it matters
    /// Such an operator runs only with a native library that is loaded for it (`register_custom_ops_library`). Whoever
    /// gives the model gives that library too, and it runs as soon as it is loaded.
    ///
    /// # What to do
    /// Find out which library the operator is from, and take that from a source of your own.
    id: "onnx-custom-operator",
    name: "Operator of an unknown domain",
    severity: Medium,
    summary: "An ONNX model needs a native library for an operator of an unknown domain.",
    help: "Find out which library the operator is from before you load one for it.",
    references: ["https://onnxruntime.ai/docs/reference/operators/add-custom-op.html"],
}

/// Domains of ONNX, of its runtimes and of exporters.
const KNOWN: &[&str] = &[
    "",
    "ai.onnx.contrib",
    "ai.onnx.ml",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft",
    "com.microsoft.dml",
    "com.microsoft.experimental",
    "com.microsoft.extensions",
    "com.microsoft.mlfeaturizers",
    "com.microsoft.nchwc",
    "com.ms.internal.nhwc",
    "org.pytorch._caffe2",
    "org.pytorch.aten",
    "org.pytorch.prim",
];

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (name, uses) in &artifact.model.operators {
        let (domain, operator) = name;
        if KNOWN.binary_search(&domain.as_str()).is_ok() || artifact.model.functions.contains(name) {
            continue;
        }
        let message = format!("{} nodes are {operator} of the domain {domain}", uses.count);
        sink.push(Finding::new(&METADATA, sink.at(uses.offset), message));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::KNOWN.is_sorted());
    }
}
