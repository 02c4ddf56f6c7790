//! What the pickles of TorchScript and of PyTorch's oldest form have besides what every model has.

use sealyard_formats::pickle::{Graph, Node, NodeId};

use crate::allow::Shape;

/// The shape of what they name.
pub(super) fn shape(module: &str, name: &str) -> Option<Shape> {
    match (module, name) {
        // Each gives back what it is given; checked by hand against PyTorch 2.15.
        (
            "torch.jit._pickle",
            "build_intlist"
            | "build_tensorlist"
            | "build_doublelist"
            | "build_boollist"
            | "build_tensor_from_id"
            | "restore_type_tag",
        ) => Some(Shape::Values),
        ("torch._utils", "_rebuild_qtensor") => Some(Shape::Values),
        (
            "torch",
            "QInt8Storage"
            | "QUInt8Storage"
            | "QInt32Storage"
            | "QUInt4x2Storage"
            | "QUInt2x4Storage"
            | "per_tensor_affine"
            | "per_channel_affine"
            | "per_tensor_symmetric"
            | "per_channel_symmetric"
            | "per_channel_affine_float_qparams",
        ) => Some(Shape::Reference),
        // Kinds of tensors, of PyTorch's oldest form.
        (
            "torch",
            "FloatTensor" | "DoubleTensor" | "HalfTensor" | "BFloat16Tensor" | "ByteTensor" | "CharTensor"
            | "ShortTensor" | "IntTensor" | "LongTensor" | "BoolTensor",
        ) => Some(Shape::Reference),
        // A class of the program that the archive brings. Python has no module of that name.
        (module, name) if module.split('.').next() == Some("__torch__") && !name.contains('.') => Some(Shape::Instance),
        _ => None,
    }
}

/// Whether the object is one of a TorchScript program, whose own method takes the state. Python has no such classes.
pub(super) fn is_of_program(graph: &Graph<'_>, target: NodeId) -> bool {
    graph.called(target).is_some_and(|(module, _)| module.split('.').next() == Some("__torch__"))
}

/// Whether the persistent id at `node` is an integer, as such or in decimal digits.
pub(super) fn is_number(graph: &Graph<'_>, node: NodeId) -> bool {
    let Node::Persistent(id) = graph.get(node) else { return false };
    let id = *id;
    match graph.get(id) {
        Node::Int(_) => true,
        Node::Str(_) => graph.str(id).is_some_and(|text| text.len() <= 20 && text.parse::<u64>().is_ok()),
        _ => false,
    }
}
