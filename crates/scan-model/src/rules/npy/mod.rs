//! Rules of numpy's arrays: they look at an array's header.

pub(crate) use sealyard_formats::npy::Npy as Artifact;

group! { Artifact;
    npy_object_array,
}
