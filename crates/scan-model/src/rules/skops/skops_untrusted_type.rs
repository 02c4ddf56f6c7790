use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::{Artifact, skops_function_node};
use crate::allow::{self, Shape};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Compares the type and the loader of each node in a skops file with the allow-lists.
    ///
    /// # Why it matters
    /// Whoever loads the file with these types trusted lets it import their modules and make instances of them.
    ///
    /// # What to do
    /// Check what the type is and whether the model needs it before it is trusted.
    id: "skops-untrusted-type",
    name: "Unlisted type in a skops file",
    severity: High,
    summary: "A skops file holds a type, or a kind of node, that no allow-list holds.",
    help: "Do not trust the type before you know what it does.",
    references: ["https://skops.readthedocs.io/en/stable/persistence.html"],
}

/// The nodes that skops 0.6 to 0.16 writes, without those of functions.
const LOADERS: &[&str] = &[
    "BytearrayNode",
    "BytesNode",
    "CachedNode",
    "ConstructorFromReduceNode",
    "DTypeNode",
    "DatetimeTimedeltaNode",
    "DefaultDictNode",
    "DictNode",
    "JsonNode",
    "ListNode",
    "LossNode",
    "MaskedArrayNode",
    "NdArrayNode",
    "ObjectNode",
    "RandomGeneratorNode",
    "RandomStateNode",
    "ReduceNode",
    "SGDNode",
    "SetNode",
    "SliceNode",
    "SparseMatrixNode",
    "TreeNode",
    "TupleNode",
    "TypeNode",
    "_DictWithDeprecatedKeysNode",
];

pub(super) fn check(schema: &Artifact, sink: &mut Sink) {
    for (place, node) in &schema.nodes {
        let loader = node.loader.as_str();
        if skops_function_node::LOADERS.contains(&loader) {
            continue;
        }
        if !LOADERS.contains(&loader) {
            let message = format!("the node {place} has the unknown kind {loader}");
            sink.push(Finding::new(&METADATA, sink.location(), message));
        } else if loader != "CachedNode" && !is_listed(loader, &node.module, &node.class) {
            let dangerous = allow::is_dangerous(&node.module, &node.class);
            let severity = if dangerous { Severity::Critical } else { Severity::High };
            let message = format!("the node {place} is a {loader} of {}", node.path());
            let finding = Finding::new(&METADATA, sink.location(), message).severity(severity);
            sink.push(finding.trace([format!("{loader}: {}", node.path())]));
        }
    }
}

/// Types that skops writes by other names than pickle does.
const ALSO: &[(&str, &str)] = &[
    ("builtins", "NoneType"),
    ("numpy.random.mtrand", "RandomState"),
    ("numpy.random._generator", "Generator"),
    ("numpy", "matrix"),
    ("numpy.ma", "MaskedArray"),
];

/// Nodes that make an instance: for them a name must be a class, not any listed function.
const MAKERS: &[&str] = &["LossNode", "ObjectNode", "ReduceNode", "SGDNode", "TreeNode"];

fn is_listed(loader: &str, module: &str, class: &str) -> bool {
    match allow::shape(module, class) {
        // It calls the class, where the others only give it a state.
        Some(shape) if loader == "ConstructorFromReduceNode" => matches!(shape, Shape::Values | Shape::Mapping),
        Some(shape) if MAKERS.contains(&loader) => shape.is_class(),
        Some(shape) => !shape.is_only_called(),
        None => ALSO.contains(&(module, class)),
    }
}
