use sealyard_core::ReadAt;
use sealyard_formats::sniff::Format;
use sealyard_scan::FactKind;

use super::is_named_as_model;
use crate::context::Context;
use crate::rules::executable::{self, Artifact};

/// A program or library.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let (name, kind) = match context.format() {
        Format::Elf => ("elf", "a program or library of Linux"),
        Format::MachO => ("mach-o", "a program or library of macOS"),
        Format::Llamafile => ("llamafile", "a program that runs on several systems"),
        Format::Wasm => ("wasm", "WebAssembly"),
        Format::Dex => ("dex", "code of Android"),
        Format::ShellLink => ("shell-link", "a shortcut of Windows, which starts what it names"),
        Format::JavaClass => ("java-class", "a class of Java"),
        Format::PythonBytecode => ("python-bytecode", "compiled Python"),
        _ => ("pe", "a program or library of Windows"),
    };
    tell(kind, context);
    context.fact(FactKind::Format, name, data.size());
    name
}

/// Text that a person or program could run, under the name of a model.
pub(super) fn script(format: Format, context: &mut Context) {
    let kind = match format {
        Format::Python => "Python source",
        Format::SiteFile => "a site file of Python",
        Format::Script => "a script",
        Format::Html => "a page of HTML",
        _ => return,
    };
    tell(kind, context);
}

fn tell(kind: &'static str, context: &mut Context) {
    let name = context.name().to_owned();
    let is_model = is_named_as_model(&name);
    executable::run(&Artifact { kind, name: &name, is_model }, context.sink());
}
