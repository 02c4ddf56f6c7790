use std::ops::ControlFlow;

use sealyard_core::ReadAt;
use sealyard_formats::sniff::{self, Format};
use sealyard_formats::sqlite;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::buried;
use crate::context::Context;

/// Shortest value that may be a pickle.
const MIN_VALUE: usize = 8;

/// A database of SQLite. Nothing in it runs; but caches and stores of any sort keep pickles and models in its cells.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let mut is_over = false;
    let read = sqlite::read(data, &mut |cell| {
        if !context.step(cell.bytes.len() as u64 / 16 + 1) {
            is_over = true;
            return ControlFlow::Break(());
        }
        if cell.bytes.len() >= MIN_VALUE {
            look(&cell, context);
        }
        ControlFlow::Continue(())
    });
    match read {
        Ok(database) => {
            context.fact(FactKind::Format, "sqlite", Value::Null);
            for table in &database.tables {
                context.fact(FactKind::Property, "table", table.as_str());
            }
            context.fact(FactKind::Property, "rows", database.rows);
            if database.is_cut {
                context.miss("a row of the database is longer than is looked at");
            }
        }
        Err(_) if is_over => {}
        Err(error) => context.miss(format!("the database can't be read: {error}")),
    }
    "sqlite"
}

fn look(cell: &sqlite::Cell<'_>, context: &mut Context) {
    let is_file = matches!(
        sniff::signature(&cell.bytes),
        Ok(Format::Zip | Format::Hdf5 | Format::SevenZip | Format::Compressed(_))
    );
    if is_file && !cell.is_text {
        context.nest(&format!("page {}", cell.page), &cell.bytes);
    } else {
        buried::value(cell.bytes, cell.offset, context);
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use crate::Scanner;

    #[test]
    fn what_is_no_database_is_not_assessed() {
        let file = b"SQLite format 3\0and no more than that".to_vec();
        assert_eq!(Scanner::new().scan_file("a.db", &file).verdict, Verdict::NotAssessed);
    }
}
