//! One file a format: reads a file, hands what it holds to the format's rules, tells facts, and says what could not be
//! read.
//!
//! To add a format: a variant and a test of its content in `sealyard_formats::sniff`, a file here with
//! `inspect(&dyn ReadAt, &mut Context) -> &'static str`, which gives the name of what the content is, and a line in
//! `inspectors!`. What is recognised but not supported says so with [`unsupported`]. A library's own kind of zip is a
//! file in `zip/`, what only the files of a folder together can tell is a function in `folder.rs`'s list.

mod archive;
mod buried;
mod caffe;
mod commands;
mod folder;
mod hf_config;
mod hf_folder;
mod keras_json;
mod message;
mod mxnet;
mod nested;
mod pickle_facts;
mod python_json;
mod python_objects;
mod raw_tensors;
mod readme;
mod tensorflow;
mod xgboost;
mod yaml;

use sealyard_core::ReadAt;
use sealyard_formats::sniff::{self, Format};
use sealyard_scan::SubjectReport;

use crate::context::Context;

pub(crate) use self::archive::ArchiveConcern;
pub(crate) use self::caffe::PythonLayer;
pub(crate) use self::keras_json::{Form, KerasModel, KerasObject};
pub(crate) use self::mlmodel::{Beside, MlModel};
pub(crate) use self::mxnet::CustomNode;
pub(crate) use self::pickle::PickleFile;
pub(crate) use self::python_objects::PythonObject;
pub(crate) use self::tar::Target;
pub(crate) use self::xml::XmlDocument;
pub(crate) use self::yaml::PythonTag;
pub(crate) use self::zip::{MarConcern, Mismatch, ProgramName};
pub(crate) use folder::{Folder, folder};

/// Looks at content of one format; gives its name.
type Inspect = fn(&dyn ReadAt, &mut Context) -> &'static str;

/// Declares the modules of the formats, and `inspector`, which finds the one for a format.
macro_rules! inspectors {
    ($($module:ident: $format:pat,)+) => {
        $(mod $module;)+

        fn inspector(format: Format) -> Inspect {
            match format {
                $($format => $module::inspect,)+
                _ => unknown::inspect,
            }
        }
    };
}

inspectors! {
    arrow: Format::Arrow,
    catboost: Format::CatBoost,
    compressed: Format::Compressed(_),
    conda: Format::CondaEnvironment,
    coreml: Format::CoreMl,
    empty: Format::Empty,
    executable: Format::Elf
        | Format::Pe
        | Format::MachO
        | Format::Llamafile
        | Format::Wasm
        | Format::JavaClass
        | Format::PythonBytecode
        | Format::Dex
        | Format::ShellLink,
    fingerprint: Format::Fingerprint,
    ggml: Format::Ggml,
    gguf: Format::Gguf,
    graph_def: Format::GraphDef,
    graph_text: Format::GraphText,
    hdf5: Format::Hdf5,
    html: Format::Html,
    image: Format::Png | Format::Jpeg | Format::Gif | Format::Webp,
    jinja: Format::Jinja,
    json: Format::Json,
    keras_metadata: Format::KerasMetadata,
    light_gbm: Format::LightGbm,
    mat: Format::Mat,
    mlmodel: Format::MlModel,
    msgpack: Format::Msgpack,
    notebook: Format::Notebook,
    npy: Format::Npy,
    objects: Format::JavaObjects | Format::RubyObjects | Format::PhpObjects | Format::Torch7,
    onnx: Format::Onnx,
    parquet: Format::Parquet,
    pickle: Format::Pickle,
    python: Format::Python,
    r_data: Format::RData,
    rar: Format::Rar,
    requirements: Format::Requirements,
    safetensors: Format::Safetensors,
    saved_model: Format::SavedModel | Format::MetaGraph,
    script: Format::Script,
    sentencepiece: Format::SentencePiece | Format::Vocabulary,
    seven_zip: Format::SevenZip,
    site_file: Format::SiteFile,
    sqlite: Format::Sqlite,
    tar: Format::Tar | Format::Nemo,
    tensor_index: Format::TensorIndex,
    text: Format::Text,
    tflite: Format::Tflite,
    ubjson: Format::Ubjson,
    unknown: Format::Unknown,
    xgboost_binary: Format::XgboostBinary,
    xml: Format::Xml | Format::Pmml,
    zip: Format::Zip,
    zstd: Format::Zstd,
}

/// Looks at one file.
pub(crate) fn file(path: &str, data: &dyn ReadAt) -> SubjectReport {
    let mut context = Context::new(path);
    let kind = content(data, &mut context);
    context.finish(path, kind)
}

/// Looks at a file's content as every reader that could be given it would; gives the name of what it is.
pub(crate) fn content(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let format = match sniff::signature(data) {
        Ok(format) => format,
        Err(error) => {
            context.miss(format!("could not be read: {error}"));
            return "unknown";
        }
    };
    context.set_format(format);
    let is_hdf5_behind = match sniff::has_hdf5_behind(data) {
        Ok(is_behind) => is_behind,
        Err(error) => {
            context.miss(format!("could not be read: {error}"));
            false
        }
    };
    // Matlab begins its files with such a block of its own.
    let kind = if format == Format::Unknown && is_hdf5_behind && !as_pickle(data, context) {
        "hdf5"
    } else {
        by_format(format, data, context)
    };
    // Readers of archives begin at the end, those of HDF5 behind a block of anything.
    if format != Format::Zip && zip::is_behind(data) && !archive::has_zip_within(format, data) {
        context.set_format(Format::Zip);
        if format == Format::Tflite {
            zip::inspect_behind(data, context)
        } else {
            zip::inspect(data, context)
        };
    }
    if is_hdf5_behind {
        context.set_format(Format::Hdf5);
        hdf5::inspect(data, context);
    }
    kind
}

fn by_format(format: Format, data: &dyn ReadAt, context: &mut Context) -> &'static str {
    // Letters are opcodes, and the signatures of many formats are too: `GIF89a..` is a float, a tensor file's length may
    // be a string. Only these begin with bytes that end an unpickler at once, or look at opcodes themselves.
    let is_pickle = match format {
        Format::Empty | Format::Pickle | Format::Compressed(_) | Format::Zip | Format::Npy | Format::Hdf5 => false,
        _ => as_pickle(data, context),
    };
    context.set_pickle(is_pickle);
    let is_weak = format.is_text() || format == Format::Unknown;
    if is_pickle && is_weak {
        return "pickle";
    }
    let name = context.name();
    let named = NAMED.iter().find(|named| (format.is_text() || format == Format::Unknown) && (named.is)(name));
    let kind = match named.filter(|named| format.is_text() || (named.instead)(format)) {
        Some(named) => {
            // A beginning that tells another format must not keep from a look what its name gives to a reader.
            if !(named.instead)(format) {
                inspector(format)(data, context);
            }
            (named.inspect)(data, context)
        }
        None if !is_pickle && is_no_model(format) && is_named_as_model(name) => {
            executable::script(format, context);
            if format == Format::Python {
                python::inspect(data, context);
            }
            context.miss("its name is that of a model file, but its content is not");
            "mismatch"
        }
        None => inspector(format)(data, context),
    };
    if is_pickle { "pickle" } else { kind }
}

/// A reader that is given a text because of its name.
struct Named {
    is: fn(&str) -> bool,
    inspect: Inspect,
    /// For which formats it is the only one: they look like what it reads, or it looks at them as well.
    instead: fn(Format) -> bool,
}

static NAMED: &[Named] = &[
    Named { is: site_file::is_named, inspect: site_file::inspect, instead: Format::is_text },
    Named {
        is: jinja::is_named,
        inspect: jinja::inspect,
        instead: |format| matches!(format, Format::Text | Format::Html | Format::Xml | Format::Json | Format::Jinja),
    },
    Named {
        is: python::is_named,
        inspect: python::inspect,
        instead: |format| {
            matches!(format, Format::Text | Format::SiteFile | Format::Requirements | Format::Unknown | Format::Python)
        },
    },
    Named {
        is: requirements::is_named,
        inspect: requirements::inspect,
        instead: |format| matches!(format, Format::Text | Format::SiteFile | Format::Requirements),
    },
    Named {
        is: script::is_named,
        inspect: script::inspect,
        instead: |format| matches!(format, Format::Text | Format::Requirements | Format::Script),
    },
    Named {
        is: |name| commands::kind(name).is_some(),
        inspect: |data, context| match commands::kind(context.name()) {
            Some(kind) => commands::inspect(kind, data, context),
            None => text::inspect(data, context),
        },
        instead: Format::is_text,
    },
    Named { is: mlmodel::is_named, inspect: mlmodel::inspect, instead: Format::is_text },
];

/// Looks at content that may be a pickle as well; gives whether it is.
fn as_pickle(data: &dyn ReadAt, context: &mut Context) -> bool {
    pickle::inspect_if_pickle(data, context).unwrap_or_else(|error| {
        context.miss(format!("could not be read: {error}"));
        false
    })
}

/// Says that a format is known and not assessed.
fn unsupported(name: &'static str, context: &mut Context) -> &'static str {
    context.miss(format!("the format {name} is not supported"));
    name
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

/// Whether no library writes a model like that.
fn is_no_model(format: Format) -> bool {
    let is_image = matches!(format, Format::Png | Format::Jpeg | Format::Gif | Format::Webp);
    is_image || (format.is_text() && format != Format::LightGbm)
}

/// Kinds of files that hold no model, whatever names them as one.
const NO_MODELS: &[&str] = &[
    "conda",
    "csv",
    "empty",
    "gif",
    "html",
    "jinja",
    "jpeg",
    "json",
    "notebook",
    "png",
    "python",
    "requirements",
    "script",
    "text",
    "webp",
    "yaml",
];

/// Whether content of that kind is no model.
fn is_no_model_kind(kind: &str) -> bool {
    NO_MODELS.contains(&kind)
}
