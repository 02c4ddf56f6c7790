use sealyard_core::ReadAt;

use super::text;
use crate::context::Context;

/// A notebook of Jupyter.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("notebook", data, context)
}
