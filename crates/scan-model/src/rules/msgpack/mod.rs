//! Rules of MessagePack: they look at the extensions.

pub(crate) use sealyard_formats::msgpack::Message as Artifact;

group! { Artifact;
    msgpack_extension,
}
