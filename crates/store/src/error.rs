/// Why the catalog did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such thing.
    #[error("{kind} {id:?} does not exist")]
    NotFound {
        /// What was looked for, such as `run`.
        kind: &'static str,
        /// How it was named.
        id: String,
    },
    /// There is one already.
    #[error("{kind} {id:?} already exists")]
    AlreadyExists {
        /// What was to be made.
        kind: &'static str,
        /// How it was named.
        id: String,
    },
    /// The state forbids it, such as changing a parameter's value or writing to a finalised model.
    #[error("{0}")]
    Conflict(String),
    /// A value that the catalog can't hold.
    #[error("{0}")]
    Invalid(String),
    /// The database was written by a newer release.
    #[error("the catalog has schema version {found}, this release knows up to {known}")]
    Newer {
        /// Version of the database.
        found: u32,
        /// Newest version this release knows.
        known: u32,
    },
    /// Too much work is waiting already.
    #[error("the catalog has too much work waiting; try again in a moment")]
    Busy,
    /// The database can't be reached, or was lost while it worked. What was under way is undone, or, where the commit itself was
    /// cut off, done as a whole without anybody having been told.
    #[error("the catalog's database can't be reached; try again in a moment")]
    Unavailable,
    /// There is no room on the disk; nothing of the work was written.
    #[error("the disk that the catalog lies on is full")]
    Full,
    /// A read took longer than it may, and was stopped.
    #[error("the catalog took too long to answer and stopped; hint: narrow the search")]
    TooLong,
    /// What the work wrote was undone, because it said so or because it panicked.
    #[error("the work on the catalog failed and was undone")]
    Undone,
    /// The log does not go together with what was signed; it is not extended.
    #[error("the ledger can't be extended: {0}; hint: look at it with `sealyard ledger verify`")]
    Ledger(String),
    /// The row is not as this server wrote it; it decides nothing.
    #[error("row {row} of {table} in the catalog was changed behind the server's back")]
    Damaged {
        /// The table it is in.
        table: &'static str,
        /// How it is named there.
        row: String,
    },
    /// The database has something that no release made, such as a trigger, or lacks something: what it makes of what is written is
    /// not known.
    #[error(
        "the schema of the catalog's database was changed behind the server's back: {0}; hint: undo that change, or put a backup back"
    )]
    Schema(String),
    /// The store was shut down.
    #[error("the catalog is shut down")]
    Stopped,
    /// The database failed.
    #[error("the catalog's database failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}
