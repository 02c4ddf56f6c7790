use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// HDF5, as older versions of Keras write models.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("hdf5", context)
}
