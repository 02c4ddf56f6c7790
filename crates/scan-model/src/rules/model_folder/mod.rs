//! Rules of folders as Hugging Face's loaders read them.

pub(crate) use crate::inspect::Shard as Artifact;

group! { Artifact;
    folder_outside_shard,
}
