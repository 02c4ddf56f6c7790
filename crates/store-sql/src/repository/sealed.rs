use std::borrow::Cow;

use sealyard_store::{SealedColumn, SealedValue, SealedValues, StoreError};

use crate::doors::ALL;
use crate::seals::ALL_SEALED;
use crate::session::Session;
use crate::sql::{Value, ValueRef};

impl SealedValues for Session<'_> {
    fn sealed_values(
        &mut self,
        column: &SealedColumn,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SealedValue>, StoreError> {
        let SealedColumn { table, row, column: sealed, text, .. } = column;
        // Beside sealed texts a column may have others: a setting is sealed or not.
        let sealed_only = if *text { format!("AND {sealed} LIKE 'sealed:%'") } else { String::new() };
        let sql = format!(
            "{ALL} SELECT CAST({row} AS TEXT), {sealed} FROM {table}
             WHERE {sealed} IS NOT NULL AND CAST({row} AS TEXT) > ?1 {sealed_only} ORDER BY 1 LIMIT ?2"
        );
        self.all(&sql, (after, i64::from(limit)), |found| {
            let value = match found.value(1)? {
                ValueRef::Text(text) => text.as_bytes().to_vec(),
                ValueRef::Blob(bytes) => bytes.to_vec(),
                _ => return Err(crate::error::corrupt("sealed column")),
            };
            Ok((found.get(0)?, value))
        })
    }

    fn replace_sealed(&mut self, column: &SealedColumn, row: &str, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let SealedColumn { table, row: name, column: sealed, text, .. } = column;
        let sql = format!("{ALL} UPDATE {table} SET {sealed} = ?3 WHERE CAST({name} AS TEXT) = ?1 AND {sealed} = ?2");
        // A row with a seal of its own gets the one that goes with the new value, unless it has no right one now.
        if let Some(of) = ALL_SEALED.iter().find(|of| of.name == *table && of.columns.contains(sealed)) {
            let keys = of.keys();
            let sql = format!("{ALL} SELECT {keys} FROM {table} WHERE CAST({name} AS TEXT) = ?1 AND {sealed} = ?2");
            let found = self.optional(&sql, (row, Value::Blob(Cow::Borrowed(old))), |found| found.get::<i64>(0))?;
            let Some(number) = found else { return Ok(false) };
            match self.change(of, [number], &[(sealed, Value::Blob(Cow::Borrowed(new)))]) {
                Err(StoreError::Damaged { .. }) => {}
                outcome => return outcome,
            }
        }
        let as_text = |bytes| str::from_utf8(bytes).map_err(|_| crate::error::corrupt("sealed column"));
        let value =
            |bytes| Ok::<_, StoreError>(if *text { as_text(bytes)?.into() } else { Value::Blob(Cow::Borrowed(bytes)) });
        Ok(self.execute(&sql, (row, value(old)?, value(new)?))? > 0)
    }
}
