//! Rules of GGUF and GGML files: they look at the flaws of the head.

/// What is wrong with a file, and where.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) flaws: Vec<(u64, String)>,
}

group! { Artifact;
    gguf_layout,
}
