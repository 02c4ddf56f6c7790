use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::allow;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports nodes of a skops file that stand for functions, methods, partials and operators, unless they name a
    /// listed mathematical function.
    ///
    /// # Why it matters
    /// These nodes make skops import and return, or call, what the file names. Several of them have let files run code
    /// although every type that was shown to the user looked harmless.
    ///
    /// # What to do
    /// Do not add the type to the trusted ones; remove the function from the model.
    id: "skops-function-node",
    name: "Function in a skops file",
    severity: High,
    summary: "A skops file names a function, method or operator that no allow-list holds.",
    help: "Do not trust the type. Remove the function from the model and save it again.",
    references: ["https://skops.readthedocs.io/en/stable/persistence.html", "https://nvd.nist.gov/vuln/detail/CVE-2025-54886"],
}

/// Nodes that import or call what they name.
pub(super) const LOADERS: &[&str] = &["FunctionNode", "MethodNode", "PartialNode", "OperatorFuncNode"];

pub(super) fn check(schema: &Artifact, sink: &mut Sink) {
    for (place, node) in &schema.nodes {
        if !LOADERS.contains(&node.loader.as_str()) {
            continue;
        }
        let shape = allow::shape(&node.module, &node.class);
        let listed = node.loader == "FunctionNode" && shape.is_some_and(|shape| !shape.is_only_called());
        if !listed {
            let dangerous = allow::is_dangerous(&node.module, &node.class);
            let severity = if dangerous { Severity::Critical } else { Severity::High };
            let message = format!("the node {place} is a {} of {}", node.loader, node.path());
            let finding = Finding::new(&METADATA, sink.location(), message).severity(severity);
            sink.push(finding.trace([format!("{}: {}", node.loader, node.path())]));
        }
    }
}
