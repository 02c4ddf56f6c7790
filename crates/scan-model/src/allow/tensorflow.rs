//! The operators of TensorFlow.

use std::collections::HashSet;
use std::sync::LazyLock;

pub(super) const LIST: &str = include_str!("../../data/tensorflow-operators.txt");

static OPERATORS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| super::lines(LIST).flat_map(|line| line.split(' ')).collect());

/// Whether TensorFlow itself has the operator.
pub(crate) fn is_tensorflow_operator(name: &str) -> bool {
    OPERATORS.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_exactly() {
        assert!(OPERATORS.len() > 1500);
        assert!(is_tensorflow_operator("MatMul") && is_tensorflow_operator("SaveV2"));
        assert!(!is_tensorflow_operator("matmul") && !is_tensorflow_operator("RunShellCommand"));
    }
}
