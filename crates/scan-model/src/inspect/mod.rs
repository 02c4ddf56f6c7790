//! One file a format: reads a file, hands what it holds to the rules, and says what could not be read.

mod compressed;
mod json;
mod mlmodel;
mod npy;
mod pickle;
mod safetensors;
mod text;
mod zip;

use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath};
use sealyard_scan::SubjectReport;

use crate::kind::Kind;
use crate::sink::Sink;

pub(crate) use mlmodel::MlModel;
pub(crate) use pickle::PickleFile;
pub(crate) use zip::Mismatch;

/// Looks at one file.
pub(crate) fn file(path: &str, data: &dyn ReadAt) -> SubjectReport {
    let mut sink = Sink::new(path);
    let kind = match Kind::of(data) {
        Ok(kind) => content(kind, path, data, &mut sink),
        Err(error) => {
            sink.miss(format!("could not be read: {error}"));
            "unknown"
        }
    };
    SubjectReport::new(path, kind, sink.findings, sink.not_assessed)
}

/// Looks at what only the files together can tell: the `MLmodel` files of the folder.
pub(crate) fn folder(files: &[(TreePath, Arc<dyn ReadAt>)], subjects: &mut [SubjectReport]) {
    mlmodel::folder(files, subjects);
}

/// Looks at content of a known kind, and at what else it may be for other readers; gives the kind's name.
fn content(kind: Kind, path: &str, data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    let name = format(kind, path, data, sink);
    // Readers of archives begin at the end, those of HDF5 behind a block of anything.
    if kind != Kind::Zip && zip::is_behind(data) {
        zip::inspect(data, sink);
    }
    match crate::kind::has_hdf5_behind(data) {
        Ok(true) => sink.miss("it is also an HDF5 file, which is not supported"),
        Ok(false) => {}
        Err(error) => sink.miss(format!("could not be read: {error}")),
    }
    name
}

fn format(kind: Kind, path: &str, data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    match kind {
        Kind::Empty => "empty",
        Kind::Pickle => pickle::inspect(data, sink),
        Kind::Zip => zip::inspect(data, sink),
        Kind::Npy => npy::inspect(data, sink),
        Kind::Compressed => compressed::inspect(path, data, sink),
        Kind::Unsupported(name) => {
            sink.miss(format!("the format {name} is not supported"));
            name
        }
        // The first bytes of these are opcodes too, or may be: `GIF89a..` is a float, and a tensor file's length a string.
        Kind::Harmless(_) | Kind::Safetensors | Kind::Text | Kind::Unknown => {
            match (pickle::inspect_if_pickle(data, sink), kind) {
                (Ok(true), _) => "pickle",
                (Ok(false), Kind::Harmless(_) | Kind::Text) if is_named_as_model(path) => {
                    sink.miss("its name is that of a model file, but its content is not");
                    "mismatch"
                }
                (Ok(false), Kind::Harmless(name)) => name,
                (Ok(false), Kind::Safetensors) => safetensors::inspect(data, sink),
                (Ok(false), Kind::Text) => text::inspect(path, data, sink),
                (Ok(false), _) => {
                    sink.miss("the format is unknown");
                    "unknown"
                }
                (Err(error), _) => {
                    sink.miss(format!("could not be read: {error}"));
                    "unknown"
                }
            }
        }
    }
}

/// Endings of model files. Content decides what a file is; a name can only make it worse.
const MODEL_ENDINGS: &[&str] = &[
    ".bin",
    ".ckpt",
    ".gguf",
    ".h5",
    ".hdf5",
    ".joblib",
    ".keras",
    ".npy",
    ".npz",
    ".onnx",
    ".pickle",
    ".pkl",
    ".pt",
    ".pth",
    ".safetensors",
    ".sav",
    ".skops",
    ".tflite",
];

/// Whether a loader would be given the file as a model.
fn is_named_as_model(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    MODEL_ENDINGS.iter().any(|ending| path.ends_with(ending))
}
