//! Rules of what pip and conda are told to install: they look at single lines.

/// Lines with their numbers, from 1; those of pip wherever they stand.
#[derive(Debug, Default)]
pub(crate) struct Artifact {
    pub(crate) lines: Vec<(u64, String)>,
    /// Conda's channels.
    pub(crate) channels: Vec<(u64, String)>,
}

group! { Artifact;
    requirements_source,
}
