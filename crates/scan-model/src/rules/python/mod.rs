//! Rules of Python source: they look at what it calls.

use sealyard_formats::python::Source;

/// A source, and whether something loads it by itself.
#[derive(Debug)]
pub(crate) struct Artifact<'s> {
    pub(crate) source: &'s Source,
    /// Whether it is a note that a person runs bit by bit, such as a notebook: only what no such note does counts there.
    pub(crate) is_notebook: bool,
}

group! { Artifact<'_>;
    python_harmful_call,
}
