//! Rules of programs in a model's place: they look at a file's kind and name.

/// A program.
#[derive(Debug)]
pub(crate) struct Artifact<'c> {
    /// What kind of program.
    pub(crate) kind: &'static str,
    /// The name of the file or member.
    pub(crate) name: &'c str,
    /// Whether a loader would be given the file as a model.
    pub(crate) is_model: bool,
}

group! { Artifact<'_>;
    executable_file,
}
