//! Rules of Python source: they look at what it calls.

use sealyard_formats::python::Source;

/// A source, and whether something loads it by itself.
#[derive(Debug)]
pub(crate) struct Artifact<'s> {
    pub(crate) source: &'s Source,
    /// Whether it is a note that a person runs bit by bit, such as a notebook: only what no such note does counts there.
    pub(crate) is_notebook: bool,
}

/// Functions whose texts are read as sources of their own.
const READERS: &[&str] = &[
    "exec",
    "eval",
    "compile",
    "timeit.timeit",
    "timeit.repeat",
    "timeit.Timer",
    "cProfile.run",
    "cProfile.runctx",
    "profile.run",
    "profile.runctx",
    "code.InteractiveConsole().push",
    "code.InteractiveConsole().runsource",
    "code.InteractiveConsole().runcode",
    "code.InteractiveInterpreter().runsource",
    "code.InteractiveInterpreter().runcode",
];

/// Whether a call runs its texts as code.
pub(crate) fn is_reader(path: &str) -> bool {
    READERS.contains(&path)
}

group! { Artifact<'_>;
    python_harmful_call,
}
