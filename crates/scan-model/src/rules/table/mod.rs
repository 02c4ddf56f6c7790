//! Rules of tables in columns: they look at a footer.

pub(crate) use sealyard_formats::columnar::Table as Artifact;

group! { Artifact;
    arrow_pickled_type,
}
