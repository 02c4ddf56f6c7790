//! Rules of binary forms with lengths: they look at what their readers found to be false.

/// What is false in a file, and where.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) form: &'static str,
    pub(crate) flaws: Vec<(u64, String)>,
}

group! { Artifact;
    false_length,
}
