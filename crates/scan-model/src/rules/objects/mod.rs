//! Rules of serialized objects of other languages than Python: they look at the names in a stream.

/// Whose objects they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Java,
    Ruby,
    Php,
    Torch7,
    Matlab,
}

/// What a stream names.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) form: Form,
    pub(crate) classes: Vec<(u64, String)>,
    pub(crate) functions: Vec<u64>,
}

group! { Artifact;
    serialized_object,
}
