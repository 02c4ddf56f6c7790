//! Rules of zip archives: they look at what readers of one could differ on.

pub(crate) use crate::inspect::Mismatch as Artifact;

group! { Artifact<'_>;
    zip_mismatch,
}
