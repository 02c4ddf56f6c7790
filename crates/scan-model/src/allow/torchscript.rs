//! The operators of TorchScript.

use std::collections::HashSet;
use std::sync::LazyLock;

pub(super) const LIST: &str = include_str!("../../data/torchscript-operators.txt");

static OPERATORS: LazyLock<HashSet<(&'static str, &'static str)>> = LazyLock::new(|| {
    let lines = super::lines(LIST).filter_map(|line| line.split_once(' '));
    lines.flat_map(|(namespace, names)| names.split(' ').map(move |name| (namespace, name))).collect()
});

/// Whether an operator only computes.
pub(crate) fn is_operator(namespace: &str, name: &str) -> bool {
    OPERATORS.contains(&(namespace, name))
}

/// Whether an operator is known to read or write files, to reach other machines, or to run Python.
pub(crate) fn is_active_operator(namespace: &str, name: &str) -> bool {
    match namespace {
        "aten" => matches!(name, "save" | "from_file" | "load" | "_load_for_lite_interpreter"),
        "prim" => {
            name.starts_with("rpc_") || matches!(name, "PythonOp" | "IgnoredPythonOp" | "CallLegacyPythonFunction")
        }
        "debugprims"
        | "rpc"
        | "c10d"
        | "_c10d_functional"
        | "symm_mem"
        | "_test"
        | "_TorchScriptTesting"
        | "image"
        | "tensorrt"
        | "inductor"
        | "aoti_torch"
        | "custom_op"
        | "fb" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_listed_operator_reaches_out() {
        assert!(OPERATORS.len() > 1500);
        let active: Vec<_> = OPERATORS.iter().filter(|(namespace, name)| is_active_operator(namespace, name)).collect();
        assert!(active.is_empty(), "{active:?}");
        assert!(is_operator("aten", "conv2d") && !is_operator("aten", "save"));
    }
}
