//! Rules of Core ML files: they look at the classes and files that a model names.

pub(crate) use sealyard_formats::coreml::CoreMl as Artifact;

group! { Artifact;
    coreml_custom_class,
    coreml_outside_path,
}
