use sealyard_core::ReadAt;
use sealyard_formats::sniff::Format;

use super::unsupported;
use crate::context::Context;

/// A class of Java, or objects whose reading runs methods of their classes.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    let name = if context.format() == Format::JavaClass { "java-class" } else { "java-objects" };
    unsupported(name, context)
}
