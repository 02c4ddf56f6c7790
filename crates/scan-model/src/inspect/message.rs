//! What the formats made of protobuf messages have in common. A message has no name in the file, and readers step over
//! fields that they do not know: one file can be a model for several of them. So each looks at each such file.

use sealyard_core::ReadAt;
use sealyard_formats::message::Limits;
use sealyard_formats::sniff::Format;
use sealyard_formats::tensorflow::Root;

use super::{buried, coreml, onnx, tensorflow};
use crate::context::Context;

/// How much of a file one reader looks at.
pub(super) fn limits(context: &mut Context) -> Limits {
    let limits = Limits::default();
    Limits { fields: limits.fields.min(context.budget().steps), ..limits }
}

/// Looks at a file as every reader but that of its own format does. What is no such message for one of them says nothing.
pub(super) fn others(data: &dyn ReadAt, context: &mut Context) {
    // Readers end at what is no field, and some at any end.
    buried::tail(data, context);
    let format = context.format();
    if format != Format::Onnx {
        onnx::look(data, context, false);
    }
    if format != Format::CoreMl {
        coreml::look(data, context, false);
    }
    for (root, own) in [
        (Root::SavedModel, Format::SavedModel),
        (Root::MetaGraph, Format::MetaGraph),
        (Root::GraphDef, Format::GraphDef),
        (Root::KerasMetadata, Format::KerasMetadata),
    ] {
        if format != own {
            tensorflow::look(data, root, context, false);
        }
    }
    // Readings of nested files may have changed it.
    context.set_format(format);
}
