//! Rules of archives and compressed files of every form but zip, whose layout has rules of its own.

pub(crate) use crate::inspect::ArchiveConcern as Artifact;

group! { Artifact;
    archive_ambiguous,
    archive_encrypted,
    archive_opaque,
    archive_trailing_data,
    archive_unsafe_path,
}
