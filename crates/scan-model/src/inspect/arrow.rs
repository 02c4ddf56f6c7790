use sealyard_core::ReadAt;
use sealyard_formats::columnar::Table;

use super::parquet;
use crate::context::Context;

/// Arrow's file form, which is Feather's second version too.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    parquet::tell(Table::arrow(data), context);
    parquet::cells(data, context);
    "arrow"
}
