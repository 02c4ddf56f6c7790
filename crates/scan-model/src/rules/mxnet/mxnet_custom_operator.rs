use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports nodes of MXNet's graphs that run code from outside of MXNet: `Custom`, which calls Python, and the old
    /// `_Native` and `_NDArray`, whose attribute is a pointer.
    ///
    /// # Why it matters
    /// The graph decides which of the registered functions runs, and with what; a pointer from a file makes MXNet jump
    /// to wherever the file says.
    ///
    /// # What to do
    /// Find out which code registers the operator, and read it.
    id: "mxnet-custom-operator",
    name: "Custom operator in a graph of MXNet",
    severity: Medium,
    summary: "A graph of MXNet calls code from outside of MXNet.",
    help: "Find out which code registers the operator, and read it.",
    references: ["https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/extend/customop.html"],
}

const POINTERS: &[&str] = &["_Native", "_NDArray"];

/// Whether an operator is not MXNet's own code.
pub(crate) fn is_custom(operator: &str) -> bool {
    matches!(operator, "Custom" | "_CustomFunction") || POINTERS.contains(&operator)
}

pub(super) fn check(nodes: &Artifact, sink: &mut Sink) {
    for node in nodes {
        let is_pointer = POINTERS.contains(&node.operator.as_str());
        let kind = node.kind.as_deref().unwrap_or(&node.operator);
        let message = format!("the node {} calls the operator {kind}", node.name);
        let severity = if is_pointer { Severity::High } else { Severity::Medium };
        sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
    }
}
