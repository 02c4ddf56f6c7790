use sealyard_core::ReadAt;
use sealyard_formats::columnar::{Table, TableError};
use sealyard_scan::FactKind;

use crate::context::Context;
use crate::rules;

/// A table in columns. Nothing in it is ever run but the types that pickles define.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    tell(Table::parquet(data), context);
    "parquet"
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
