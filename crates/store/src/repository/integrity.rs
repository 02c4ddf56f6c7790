use crate::StoreError;

/// A row that decides something and is not as this server wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedRow {
    /// The table it is in.
    pub table: &'static str,
    /// How it is named there.
    pub row: String,
}

/// Which rows are sealed, and how, changes with releases; this is the present form.
pub const SEAL_FORM: u32 = 3;

/// Seals of the rows that decide something: users, tokens, second factors, sessions, grants, roles, groups, workspaces and their
/// keys, registered models, versions, aliases, evidence, and which bytes a file has. A backend whose rows have none says that none is
/// damaged.
pub trait Integrity {
    /// Seals every row as it is now that a catalog of an earlier form has without a seal, and counts the rows anew: once, when a
    /// catalog gets its key or comes from an earlier release. With the form 0 that is all of them, with the present one none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn seal_rows_since(&mut self, form: u32) -> Result<(), StoreError>;

    /// Looks whether the database has what the releases made and nothing else, in a transaction that may write.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where it has not.
    fn check_schema(&mut self) -> Result<(), StoreError>;

    /// Rows that were changed behind the server's back, up to `limit`. A table from which some were removed, or where some were put
    /// back as they once were, is told too. Of the tables that have a row for each file, one look sees a part, the next goes on.
    ///
    /// # Errors
    /// [`StoreError`].
    fn damaged_rows(&mut self, limit: u32) -> Result<Vec<DamagedRow>, StoreError>;
}
