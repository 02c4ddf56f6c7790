use serde::Serialize;

use crate::decompress::Codec;

/// A file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// No bytes at all.
    Empty,

    /// A pickle, joblib's uncompressed files included.
    Pickle,
    /// A compressed stream, as joblib writes them.
    Compressed(Codec),
    /// A zip of PyTorch: it holds a `data.pkl`.
    TorchZip,
    /// A zip of PyTorch that holds a program as well.
    TorchScript,
    /// A zip of skops: it holds a `schema.json`.
    Skops,
    /// A zip of arrays.
    Npz,
    /// A zip of Keras: it holds `config.json` and `metadata.json`.
    Keras,
    /// A zip of TorchServe: it holds `MAR-INF/MANIFEST.json`.
    Mar,
    /// Another zip.
    Zip,

    /// A numpy array.
    Npy,
    /// safetensors.
    Safetensors,
    /// GGUF.
    Gguf,
    /// What llama.cpp read before GGUF: GGML, GGMF, GGJT, GGLA.
    Ggml,
    /// HDF5.
    Hdf5,
    /// An ONNX `ModelProto`.
    Onnx,
    /// A TensorFlow `SavedModel`.
    SavedModel,
    /// A TensorFlow `MetaGraphDef`: the `.meta` file of a checkpoint.
    MetaGraph,
    /// A TensorFlow `GraphDef`: a frozen graph.
    GraphDef,
    /// TensorFlow graphs as text.
    GraphText,
    /// The `keras_metadata.pb` of a `SavedModel`.
    KerasMetadata,
    /// Core ML.
    CoreMl,
    /// A TensorFlow Lite flat buffer.
    Tflite,
    /// MessagePack with a table at its root, as Flax writes it.
    Msgpack,
    /// Universal Binary JSON with a table at its root, as XGBoost writes it.
    Ubjson,
    /// XGBoost's binary form from before 1.0.
    XgboostBinary,
    /// CatBoost.
    CatBoost,
    /// LightGBM's text.
    LightGbm,
    /// What R writes with `save` or `saveRDS`.
    RData,

    /// A tar archive.
    Tar,
    /// A tar archive of NeMo: it holds a `model_config.yaml`.
    Nemo,
    /// A 7z archive.
    SevenZip,
    /// A rar archive.
    Rar,
    /// A Zstandard stream.
    Zstd,

    /// Parquet.
    Parquet,
    /// Arrow's file form, which is Feather's second version.
    Arrow,
    /// A sorted table of LevelDB's, as the `.index` of a TensorFlow checkpoint is one.
    TensorIndex,
    /// SQLite.
    Sqlite,
    /// A model of SentencePiece.
    SentencePiece,
    /// A protobuf table of words with numbers.
    Vocabulary,
    /// The `fingerprint.pb` of a `SavedModel`.
    Fingerprint,
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,

    /// A program or library of Linux and other systems.
    Elf,
    /// A program or library of Windows.
    Pe,
    /// A program or library of macOS.
    MachO,
    /// A program that runs on several systems, as llamafile is one.
    Llamafile,
    /// A Java class.
    JavaClass,
    /// Serialized Java objects.
    JavaObjects,
    /// What Ruby's `Marshal` wrote.
    RubyObjects,
    /// What PHP's `serialize` wrote.
    PhpObjects,
    /// What Torch 7 wrote in binary.
    Torch7,
    /// A file of MATLAB of version 5.
    Mat,
    /// Code of Android.
    Dex,
    /// A shortcut of Windows.
    ShellLink,
    /// WebAssembly.
    Wasm,
    /// Compiled Python: a file of it, or a code object that `marshal` wrote.
    PythonBytecode,
    /// Text that begins with `#!`.
    Script,

    /// JSON.
    Json,
    /// A notebook of Jupyter.
    Notebook,
    /// PMML.
    Pmml,
    /// HTML.
    Html,
    /// Other XML.
    Xml,
    /// Python source.
    Python,
    /// A site file of Python (`.pth`) that runs code.
    SiteFile,
    /// A template of Jinja.
    Jinja,
    /// An `MLmodel` file of MLflow.
    MlModel,
    /// An environment of conda.
    CondaEnvironment,
    /// Requirements of pip.
    Requirements,
    /// Other text.
    Text,

    /// None of these.
    Unknown,
}

impl Format {
    /// Whether it is text, of whatever meaning.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::Script
                | Self::Json
                | Self::Notebook
                | Self::Pmml
                | Self::Html
                | Self::Xml
                | Self::Python
                | Self::SiteFile
                | Self::Jinja
                | Self::MlModel
                | Self::CondaEnvironment
                | Self::Requirements
                | Self::GraphText
                | Self::LightGbm
                | Self::Text
        )
    }

    /// Whether it is a zip, of whatever content.
    #[must_use]
    pub const fn is_zip(self) -> bool {
        matches!(
            self,
            Self::TorchZip | Self::TorchScript | Self::Skops | Self::Npz | Self::Keras | Self::Mar | Self::Zip
        )
    }
}
