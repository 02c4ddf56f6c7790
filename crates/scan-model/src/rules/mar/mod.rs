//! Rules of TorchServe's archives: they look at the code and the files that their manifest names.

pub(crate) use crate::inspect::MarConcern as Artifact;

group! { Artifact;
    mar_code,
    mar_manifest,
}
