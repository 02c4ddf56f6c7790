use crate::StoreError;

/// A row that decides something and is not as this server wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedRow {
    /// The table it is in.
    pub table: &'static str,
    /// How it is named there.
    pub row: String,
}

/// Seals of the rows that decide something: users, tokens, sessions, grants, roles, groups, versions, aliases, evidence. A backend
/// whose rows have none says that none is damaged.
pub trait Integrity {
    /// Seals every row as it is now: once, when a catalog gets its key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn seal_all_rows(&mut self) -> Result<(), StoreError>;

    /// Rows that were changed behind the server's back, up to `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn damaged_rows(&mut self, limit: u32) -> Result<Vec<DamagedRow>, StoreError>;
}
