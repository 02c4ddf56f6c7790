//! What archives of several forms have in common.

/// What is wrong with an archive or a compressed file as such.
#[derive(Debug)]
pub(crate) enum ArchiveConcern {
    /// It can't be read without a password.
    Encrypted,
    /// It has a model's name, and is of a form that no library reads.
    Opaque(&'static str),
    /// So many bytes follow its end.
    Trailing(u64),
    /// Readers could see different members.
    Ambiguous(String),
    /// A member leads out of the folder that is unpacked to.
    UnsafePath(String),
}
