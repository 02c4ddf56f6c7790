use std::io::Write;

use sealyard_store::StoreError;

use super::format::{DumpHeader, DumpTable, END, LAST, MAGIC, ROW, TABLE, write_json, write_value};
use super::{order, quoted};
use crate::doors::ALL;
use crate::error::backend;
use crate::offline::LedgerReader;
use crate::session::Session;
use crate::sql::{Dialect, Row};

/// Rows that PostgreSQL hands over at a time: some are megabytes.
const AT_ONCE: usize = 100;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpSummary {
    /// What the dump says of itself.
    pub header: DumpHeader,
    /// Tables.
    pub tables: usize,
    /// Rows in all.
    pub rows: u64,
}

impl LedgerReader {
    /// Writes the whole catalog, as it was when this was opened.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database can't be read or `out` not written.
    pub fn dump(&self, out: &mut dyn Write) -> Result<DumpSummary, StoreError> {
        let session = self.session();
        let database = if session.dialect() == Dialect::Sqlite { "sqlite" } else { "postgresql" };
        let header = DumpHeader { database: database.to_owned(), schema: self.schema()? };
        out.write_all(MAGIC).map_err(backend)?;
        write_json(out, &header).map_err(backend)?;
        let last = order::last_numbers(&session)?;
        let tables = order::tables(&session)?;
        let mut sum = DumpSummary { header, tables: tables.len(), rows: 0 };
        for table in tables {
            let last = last.get(&table.name).copied();
            let head = DumpTable { table: table.name.clone(), columns: table.columns.clone(), last };
            out.write_all(&[TABLE]).map_err(backend)?;
            write_json(out, &head).map_err(backend)?;
            let rows = each_row(&session, &table, &mut |row| {
                out.write_all(&[ROW]).map_err(backend)?;
                for index in 0..row.columns() {
                    write_value(out, row.value(index)?).map_err(backend)?;
                }
                Ok(())
            })?;
            out.write_all(&[END]).map_err(backend)?;
            out.write_all(&rows.to_be_bytes()).map_err(backend)?;
            sum.rows += rows;
        }
        out.write_all(&[LAST]).map_err(backend)?;
        Ok(sum)
    }

    /// The stored objects that something refers to, each with the digest and size of its content; the vault has bytes of its own
    /// for each. In the order of their names.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    pub fn each_stored_object(
        &self,
        visit: &mut dyn FnMut(String, sealyard_core::Digest, u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        use crate::repository::Columns as _;
        let mut after = String::new();
        loop {
            let some = self.session().all(
                "SELECT object, digest, size FROM stored_objects
                 WHERE object > ?1 AND state NOT IN ('shared', 'retired') ORDER BY object LIMIT 1000",
                [&after],
                |row| Ok((row.get::<String>(0)?, row.digest(1)?, row.get::<u64>(2)?)),
            )?;
            let Some((last, ..)) = some.last() else { return Ok(()) };
            after.clone_from(last);
            for (object, digest, size) in some {
                visit(object, digest, size)?;
            }
        }
    }
}

fn each_row(
    session: &Session<'_>,
    table: &order::Table,
    take: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let (name, columns) = (&table.name, quoted(&table.columns));
    // Who verifies the log reads it in its order.
    let order = match name.as_str() {
        "ledger_entries" => " ORDER BY position",
        "ledger_checkpoints" => " ORDER BY size",
        _ => "",
    };
    let select = format!("SELECT {columns} FROM \"{name}\"{order}");
    let mut rows = 0;
    if session.dialect() == Dialect::Sqlite {
        session.all(&format!("{ALL} {select}"), [], |row| {
            rows += 1;
            take(row)
        })?;
        return Ok(rows);
    }
    session.execute(&format!("{ALL} DECLARE \"dump_{name}\" CURSOR FOR {select}"), [])?;
    loop {
        let found = session.all(&format!("{ALL} FETCH {AT_ONCE} FROM \"dump_{name}\""), [], |row| take(row))?;
        rows += found.len() as u64;
        if found.len() < AT_ONCE {
            session.execute(&format!("{ALL} CLOSE \"dump_{name}\""), [])?;
            return Ok(rows);
        }
    }
}
