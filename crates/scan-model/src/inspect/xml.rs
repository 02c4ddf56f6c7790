use sealyard_core::ReadAt;

use crate::context::Context;

/// XML: PMML, OpenVINO, and any other.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    context.miss("models in XML are not supported");
    "xml"
}
