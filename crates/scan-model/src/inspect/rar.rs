use sealyard_core::ReadAt;

use super::archive::ArchiveConcern;
use super::{is_named_as_model, unsupported};
use crate::context::Context;
use crate::rules;

/// A rar archive. There is no free reader of its compression, and no library that reads models from one.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    if is_named_as_model(context.name()) {
        rules::archive::run(&ArchiveConcern::Opaque("rar"), context.sink());
    }
    unsupported("rar", context)
}
