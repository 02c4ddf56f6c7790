//! The rules, one file each, in a folder for each format. The format's `mod.rs` says what its rules look at (its
//! `Artifact`) and lists them; a new format is a line below. No rule sees what another format's rules look at.

use sealyard_scan::RuleMetadata;

/// Declares the rules of one format, and `run`, which lets each of them look at an artifact of the type named first.
/// Each module holds a `rule!` and a function `check`.
macro_rules! group {
    ($artifact:ty; $($module:ident),+ $(,)?) => {
        type Check = fn(&$artifact, &mut $crate::sink::Sink);

        ::sealyard_scan::rules! { Check; $($module),+ }

        /// Lets every rule of the format look at `artifact`.
        pub(crate) fn run(artifact: &$artifact, sink: &mut $crate::sink::Sink) {
            for (_, check) in RULES {
                check(artifact, sink);
            }
        }
    };
}

/// Declares the formats that have rules.
macro_rules! groups {
    ($($group:ident),+ $(,)?) => {
        $(pub(crate) mod $group;)+

        /// Every rule, in the order of the ids.
        pub(crate) fn all() -> Vec<&'static RuleMetadata> {
            let mut all: Vec<&'static RuleMetadata> = Vec::new();
            $(all.extend($group::RULES.iter().map(|(metadata, _)| *metadata));)+
            all.sort_by_key(|metadata| metadata.id);
            all
        }
    };
}

groups! {
    archive,
    caffe,
    coreml,
    executable,
    gguf,
    hdf5,
    hugging_face,
    jinja,
    keras,
    lengths,
    mar,
    mlmodel,
    msgpack,
    mxnet,
    nemo,
    notebook,
    npy,
    objects,
    onnx,
    pickle,
    python,
    python_objects,
    r_data,
    requirements,
    safetensors,
    script,
    skops,
    table,
    tensorflow,
    tflite,
    torchscript,
    xml,
    yaml,
    zip,
}
