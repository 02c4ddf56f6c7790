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
        Ok(kind) => {
            let name = content(kind, path, data, &mut sink);
            if kind != Kind::Zip && zip::is_behind(data) {
                // A polyglot: readers of archives begin at the end.
                zip::inspect(data, &mut sink);
            }
            name
        }
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

/// Looks at content of a known kind; gives the kind's name.
fn content(kind: Kind, path: &str, data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    match kind {
        Kind::Empty => "empty",
        Kind::Harmless(name) => name,
        Kind::Pickle => pickle::inspect(data, sink),
        Kind::Zip => zip::inspect(data, sink),
        Kind::Npy => npy::inspect(data, sink),
        Kind::Safetensors => safetensors::inspect(data, sink),
        Kind::Compressed => compressed::inspect(path, data, sink),
        Kind::Text | Kind::Unknown => match pickle::inspect_if_pickle(data, sink) {
            Ok(true) => "pickle",
            Ok(false) if kind == Kind::Text => text::inspect(path, data, sink),
            Ok(false) => {
                sink.miss("the format is unknown");
                "unknown"
            }
            Err(error) => {
                sink.miss(format!("could not be read: {error}"));
                "unknown"
            }
        },
        Kind::Unsupported(name) => {
            sink.miss(format!("the format {name} is not supported"));
            name
        }
    }
}
