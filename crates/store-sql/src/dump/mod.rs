//! The whole catalog as one stream of rows, the same for both databases: for backups.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `SYDUMP` 0 and the version, 1 |
//! | 4 + n | length, and JSON: `database`, and `schema`, how many steps of the schema the catalog has had |
//! | `T`, 4 + n | length, and JSON: a table's name, its columns, and the last number that it gave |
//! | `R` and its values | a row of it: for each column 0, or 1 and an integer of 8 bytes, 2 and a number's 8 bytes, 3 and a text, 4 and bytes, with a length of 4 bytes |
//! | `E`, 8 | the table's end and how many rows it had |
//! | `Z` | the end of all |
//!
//! Numbers are big-endian. A table comes after those that its rows refer to. It is loaded into a catalog of the schema it came
//! from, which then takes the steps that it lacks: so a later release reads what an earlier one wrote.

mod format;
mod load;
mod order;
mod read;
mod write;

pub use format::{DumpHeader, DumpTable, DumpValue};
pub use load::{load_postgres, load_sqlite};
pub use read::{DumpItem, DumpReader};
pub use write::DumpSummary;

/// Whether a table's name or a column's can stand in a statement between quotation marks.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Names between quotation marks, with commas.
fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
