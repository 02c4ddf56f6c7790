//! Rules of HDF5: they look at the structure of a file.

pub(crate) use sealyard_formats::hdf5::Hdf5 as Artifact;

group! { Artifact<'_>;
    hdf5_outside_data,
    hdf5_shape_bomb,
}
