use sealyard_core::ReadAt;

use super::text;
use crate::context::Context;

/// A template of Jinja, such as that of a chat.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("jinja", data, context)
}
