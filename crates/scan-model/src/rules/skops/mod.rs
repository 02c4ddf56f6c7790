//! Rules of skops files: they look at the schema.

pub(crate) use sealyard_formats::skops::Skops as Artifact;

group! { Artifact;
    skops_function_node,
    skops_untrusted_type,
}
