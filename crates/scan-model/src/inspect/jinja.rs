use sealyard_core::ReadAt;
use sealyard_formats::jinja::{Bindings, MAX_TEMPLATE, Template};
use sealyard_scan::FactKind;

use super::text;
use crate::context::Context;
use crate::rules::jinja::{self, Artifact};

/// Whether the name is that of a template.
pub(super) fn is_named(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".jinja", ".jinja2", ".j2"].iter().any(|ending| path.ends_with(ending))
}

/// A template of Jinja, such as that of a chat.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("jinja", data, context);
    if kind == "jinja"
        && let Some(bytes) = context.read(data, MAX_TEMPLATE as u64)
    {
        template(&String::from_utf8_lossy(&bytes), context);
    }
    kind
}

/// Looks at a template wherever it was found.
pub(super) fn template(text: &str, context: &mut Context) {
    if !context.step(text.len() as u64 / 16 + 1) {
        return;
    }
    match Template::parse(text) {
        Ok(template) => {
            let bindings = Bindings::of(&template);
            jinja::run(&Artifact { template: &template, bindings }, context.sink());
            context.fact(FactKind::Property, "template tags", template.tags.len());
        }
        // Readers that take more than Jinja does may still run it.
        Err(error) => {
            jinja::unread(text, context.sink());
            context.miss(format!("the template can't be read: {error}"));
        }
    }
}
