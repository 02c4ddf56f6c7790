//! Rules of safetensors files: they look at the header.

/// What a header says beside good tensors.
#[derive(Debug, Default)]
pub(crate) struct Artifact {
    /// What is wrong with it.
    pub(crate) flaws: Vec<String>,
    /// Names and texts of the free metadata.
    pub(crate) metadata: Vec<(String, String)>,
}

group! { Artifact;
    safetensors_layout,
    safetensors_metadata,
}
