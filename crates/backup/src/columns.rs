use sealyard_store_sql::{DumpTable, DumpValue};

/// Where the columns of a table are.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) table: String,
    columns: Vec<String>,
}

impl Columns {
    pub(crate) fn of(table: &DumpTable) -> Self {
        Self { table: table.table.clone(), columns: table.columns.clone() }
    }

    pub(crate) fn value<'r>(&self, row: &'r [DumpValue], name: &str) -> Option<&'r DumpValue> {
        row.get(self.columns.iter().position(|column| column == name)?)
    }

    pub(crate) fn text(&self, row: &[DumpValue], name: &str) -> Option<String> {
        match self.value(row, name)? {
            DumpValue::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(crate) fn blob<'r>(&self, row: &'r [DumpValue], name: &str) -> Option<&'r [u8]> {
        match self.value(row, name)? {
            DumpValue::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn integer(&self, row: &[DumpValue], name: &str) -> Option<i64> {
        match self.value(row, name)? {
            DumpValue::Integer(number) => Some(*number),
            _ => None,
        }
    }
}
