//! Rules of NeMo's archives: they look at what the configuration has imported and called.

pub(crate) use crate::inspect::Target as Artifact;

group! { Artifact;
    nemo_target,
}
