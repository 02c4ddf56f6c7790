use sealyard_core::ReadAt;
use sealyard_formats::tensorflow::{Root, text};

use super::tensorflow;
use crate::context::Context;

/// Longest text that is looked at.
const MAX_TEXT: u64 = 256 << 20;

/// A TensorFlow graph written as text, in any of the messages that hold one.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(bytes) = context.read(data, MAX_TEXT) else { return "tensorflow-text" };
    if !context.step(bytes.len() as u64 / 8) {
        return "tensorflow-text";
    }
    let mut is_known = false;
    for root in [Root::SavedModel, Root::MetaGraph, Root::GraphDef] {
        match text::encode(&bytes, root) {
            Ok(message) if message.is_empty() => {}
            Ok(message) => {
                is_known = true;
                tensorflow::look(&message, root, context, true);
            }
            Err(error) => {
                context.miss(format!("the graph can't be read: {error}"));
                return "tensorflow-text";
            }
        }
    }
    if !is_known {
        context.miss("it holds no graph of TensorFlow, but the marks of one");
    }
    "tensorflow-text"
}
