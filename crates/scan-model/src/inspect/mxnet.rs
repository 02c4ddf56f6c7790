use serde_json::Value;

use super::python_json;
use crate::context::Context;
use crate::rules::mxnet;
use sealyard_scan::FactKind;

/// Longest document that is parsed, and most nodes that are looked at.
const MAX_BYTES: usize = 64 << 20;
const MAX_NODES: u64 = 1_000_000;

/// A node that runs code from outside of MXNet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomNode {
    pub(crate) operator: String,
    pub(crate) name: String,
    /// The name under which Python code has registered it.
    pub(crate) kind: Option<String>,
}

/// A graph of MXNet as JSON: nodes with operators.
pub(super) fn inspect(document: &[u8], context: &mut Context) -> &'static str {
    let parsed =
        if document.len() > MAX_BYTES { Err("it is too long".to_owned()) } else { python_json::parse(document) };
    let document = match parsed {
        Ok(document) => document,
        Err(error) => {
            context.miss(format!("the graph of MXNet can't be read: {error}"));
            return "mxnet";
        }
    };
    let nodes = document.get("nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if nodes.len() as u64 > MAX_NODES || !context.step(nodes.len() as u64) {
        context.miss("the graph of MXNet has more nodes than are looked at");
        return "mxnet";
    }
    let mut custom = Vec::new();
    for node in nodes {
        let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let operator = text("op");
        if mxnet::is_custom(&operator) {
            // Versions differ in where attributes lie.
            let attributes = ["attrs", "param", "attr"].iter().filter_map(|key| node.get(*key));
            let kind = attributes.filter_map(|table| table.get("op_type")?.as_str()).next().map(str::to_owned);
            custom.push(CustomNode { operator, name: text("name"), kind });
        }
    }
    context.fact(FactKind::Framework, "mxnet", Value::Null);
    context.fact(FactKind::Property, "nodes", nodes.len());
    mxnet::run(&custom, context.sink());
    "mxnet"
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    #[test]
    fn operators_from_outside_are_found() {
        let verdict = |operator: &str| {
            let text = format!(
                r#"{{"nodes": [{{"op": "null", "name": "a"}}, {{"op": "{operator}", "name": "b"}}], "arg_nodes": [0], "heads": []}}"#
            );
            let mut context = Context::new("model-symbol.json");
            let kind = crate::inspect::content(&text.as_bytes(), &mut context);
            assert_eq!(kind, "mxnet");
            context.finish("model-symbol.json", kind).verdict
        };
        assert_eq!(verdict("FullyConnected"), Verdict::Safe);
        assert_eq!(verdict("Custom"), Verdict::Suspicious);
        assert_eq!(verdict("_NDArray"), Verdict::Unsafe);
    }
}
