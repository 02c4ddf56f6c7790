//! Rules of TorchScript: they look at what its program does.

pub(crate) use crate::inspect::ProgramName as Artifact;

group! { Artifact;
    torchscript_operator,
}
