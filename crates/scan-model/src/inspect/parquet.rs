use sealyard_core::ReadAt;
use sealyard_formats::columnar::{Table, TableError};
use sealyard_scan::FactKind;

use super::buried;
use crate::context::Context;
use crate::rules;

/// A table in columns. Nothing in it is run by its readers but the types that pickles define; but people keep models in
/// its cells and beside its schema.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    tell(Table::parquet(data), context);
    cells(data, context);
    "parquet"
}

/// Looks at the bytes of the columns and of the metadata, unless what pickles it has is known.
pub(super) fn cells(data: &dyn ReadAt, context: &mut Context) {
    if context.sink().findings.is_empty() {
        buried::file(data, context);
    }
}

/// Tells what a footer says, and lets the rules look at it.
pub(super) fn tell(table: Result<Table, TableError>, context: &mut Context) {
    let table = match table {
        Ok(table) => table,
        Err(error) => return context.miss(format!("the table can't be read: {error}")),
    };
    for (name, count) in [("rows", table.rows), ("columns", table.columns)] {
        if let Some(count) = count {
            context.fact(FactKind::Property, name, count);
        }
    }
    if let Some(program) = &table.created_by {
        context.fact(FactKind::Framework, program, serde_json::Value::Null);
    }
    rules::table::run(&table, context.sink());
}
