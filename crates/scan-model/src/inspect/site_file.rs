use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// Whether Python's `site` would read the file from a directory of packages.
pub(super) fn is_named(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".pth")
}

/// A site file of Python, whose lines that begin with `import` are run whenever Python starts.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("site-file", context)
}
