use sealyard_core::ReadAt;
use sealyard_formats::sniff::Format;

use super::unsupported;
use crate::context::Context;

/// A program or library.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    let name = match context.format() {
        Format::Elf => "elf",
        Format::MachO => "mach-o",
        Format::Llamafile => "llamafile",
        Format::Wasm => "wasm",
        _ => "pe",
    };
    unsupported(name, context)
}
