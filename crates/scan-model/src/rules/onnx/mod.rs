//! Rules of ONNX files: they look at the operators, the files and the texts that a model names.

pub(crate) use sealyard_formats::onnx::Onnx;

/// What the rules look at.
pub(crate) struct Artifact<'o> {
    pub(crate) model: &'o Onnx,
    /// The author's properties: key, value and where it lies.
    pub(crate) properties: Vec<(String, String, u64)>,
}

group! { Artifact<'_>;
    onnx_code_operator,
    onnx_custom_operator,
    onnx_metadata_code,
    onnx_outside_path,
}

/// Whether the rules want to see the nodes of an operator with their attributes.
pub(crate) fn is_of_interest(_: &str, operator: &str) -> bool {
    operator == onnx_outside_path::CONTEXT
        || operator == onnx_code_operator::ATEN
        || onnx_code_operator::act(operator).is_some()
}
