//! From bytes to an [`Estimator`]. Classes and attributes are looked up in data; nothing is imported or called.

mod linear;
mod sklearn_graph;
mod skops;

use sealyard_core::{Digest, TreePath};
use sealyard_formats::joblib;
use sealyard_formats::numeric::Dense;
use sealyard_formats::pickle::{Act, Options, Pickle, interpret};
use sealyard_formats::sniff::{Format, sniff};
use sealyard_formats::zip::{Archive, ZipLimits};

use crate::ir::Estimator;

/// Bytes that a compressed model file may expand to.
const MAX_EXPANDED: u64 = 2 << 30;

/// How far from a file's end readers look for the end record of an archive.
const ARCHIVE_END: usize = 0xffff + 22;

/// A model that is not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file has not the digest that the verified manifest lists.
    #[error("the file {path} was changed after it was verified: expected {expected}, found {found}")]
    FileDigest {
        /// The file.
        path: TreePath,
        /// What the manifest says.
        expected: Digest,
        /// What was read, at most one byte more than the listed size.
        found: Digest,
    },
    /// The manifest lists a file that is not there.
    #[error("the file {0} is listed in the verified manifest but is not there")]
    Missing(TreePath),
    /// The model names a file that the manifest does not list.
    #[error("the file {0} is not in the verified manifest, so it is not read")]
    NotInManifest(TreePath),
    /// A file is larger than what is read into memory.
    #[error("the file {path} is too large to load: {size} bytes")]
    TooLarge {
        /// The file.
        path: TreePath,
        /// Its size in bytes.
        size: u64,
    },
    /// The disk or store said no.
    #[error("could not read {path}")]
    Read {
        /// The file.
        path: TreePath,
        /// Why.
        source: std::io::Error,
    },
    /// `MLmodel` can't be understood.
    #[error("the MLmodel file can't be used: {0}")]
    Description(String),
    /// The model file is broken or of a form that is not read.
    #[error("the model file can't be read: {0}")]
    Format(String),
    /// An attribute of the estimator is missing or makes no sense.
    #[error("the model's attribute {name} {why}")]
    Attribute {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl LoadError {
    /// The rule to name in a decision, where the error is one against the verified manifest.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::FileDigest { .. } | Self::Missing(_) | Self::NotInManifest(_) => Some("load.file-digest"),
            _ => None,
        }
    }
}

/// What a model file turned out to be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Loaded {
    /// A model that is evaluated here.
    Native {
        /// It.
        estimator: Estimator,
        /// `module.class` as the file says.
        class: String,
        /// Names of the features it was fitted with, if it was fitted with named ones.
        feature_names: Option<Vec<String>>,
    },
    /// A model that only its own framework can run.
    NotNative {
        /// `module.class` as the file says.
        class: String,
    },
}

/// An attribute of an object in a model file.
pub(crate) enum Attribute {
    /// There is none of that name, or it is `None`.
    Absent,
    /// Numbers or texts.
    Dense(Dense),
    /// Constant text.
    Text(String),
    /// Anything else.
    Other,
}

/// An object in a model file, whatever the format.
pub(crate) trait Object {
    /// Module and class.
    fn class(&self) -> (String, String);
    /// An attribute by its name; an error text if it is an array that can't be read.
    fn attribute(&self, name: &str) -> Result<Attribute, String>;
    /// An attribute that is itself an object.
    fn object(&self, name: &str) -> Option<Box<dyn Object + '_>>;
}

/// Reads a model file of scikit-learn, whatever form it has.
///
/// # Errors
/// [`LoadError::Format`] when the file is broken or of another form, [`LoadError::Attribute`] when a known class does
/// not have the attributes it needs.
pub fn read(bytes: Vec<u8>) -> Result<Loaded, LoadError> {
    let broken = |error: &dyn std::fmt::Display| LoadError::Format(error.to_string());
    match sniff(&bytes).map_err(|error| broken(&error))? {
        Format::Skops => {
            let archive = Archive::open(&bytes, &ZipLimits::default()).map_err(|error| broken(&error))?;
            if let Some(anomaly) = archive.anomalies().first() {
                return Err(LoadError::Format(format!("the archive is not plain: {anomaly:?}")));
            }
            let schema = sealyard_formats::skops::Skops::open(&archive).map_err(|error| broken(&error))?;
            let root = skops::SkopsObject { archive: &archive, schema: &schema, node: schema.root.clone() };
            let loaded = linear::build(&root)?;
            if matches!(loaded, Loaded::Native { .. }) {
                skops::check_ids(&schema.root)?;
            }
            Ok(loaded)
        }
        Format::Pickle | Format::Compressed(_) => {
            let unwrapped = joblib::unwrap(&bytes, MAX_EXPANDED);
            if !unwrapped.is_whole() {
                return Err(LoadError::Format("the compressed stream is broken or followed by other bytes".to_owned()));
            }
            let options = Options::default();
            let pickle = interpret(&unwrapped.bytes, &options);
            refuse_other_readings(&unwrapped.bytes, &pickle)?;
            from_pickle(&pickle, unwrapped.bytes.len() as u64)
        }
        format => Err(LoadError::Format(format!("its content is {format:?}, expected a pickle, joblib or skops file"))),
    }
}

fn from_pickle(pickle: &Pickle<'_>, size: u64) -> Result<Loaded, LoadError> {
    if !pickle.is_clean(size) {
        return Err(LoadError::Format("the pickle is broken, or other bytes follow it".to_owned()));
    }
    // Where unpicklers differ, the numbers read here might not be those that Python would read.
    if let Some(note) = pickle.notes.first() {
        return Err(LoadError::Format(format!("the pickle is ambiguous at byte {}: {:?}", note.offset, note.kind)));
    }
    let object = pickle.value().and_then(|id| sklearn_graph::PickleObject::new(&pickle.graph, id));
    let object = object.ok_or_else(|| LoadError::Format("the pickle holds no plain object".to_owned()))?;
    linear::build(&object)
}

/// The loader that the description asks for may not be the one that the content suggests: a file that is a model for
/// two of them could be another model for each.
fn refuse_other_readings(bytes: &[u8], pickle: &Pickle<'_>) -> Result<(), LoadError> {
    if pickle.events.iter().any(|event| matches!(event.act, Act::ArrayRead(_))) {
        let options = Options { joblib: false, ..Options::default() };
        let plain = interpret(bytes, &options);
        // What is read of an ordinary joblib file before raw bytes stop it: an array, or what stands for one.
        let is_array = |id| {
            let called = plain.graph.called(id);
            called.is_some_and(|(_, name)| matches!(name, "_reconstruct" | "NumpyArrayWrapper"))
        };
        if plain.value().is_some_and(|id| !is_array(id)) {
            return Err(LoadError::Format("pickle and joblib would read it differently".to_owned()));
        }
    }
    let tail = bytes.get(bytes.len().saturating_sub(ARCHIVE_END)..).unwrap_or_default();
    let ends = tail.windows(4).any(|window| window == b"PK\x05\x06");
    // The copy is made for a forged file, or for one of many thousand.
    if ends && Archive::open(&bytes.to_vec(), &ZipLimits::default()).is_ok_and(|archive| !archive.members().is_empty())
    {
        return Err(LoadError::Format("it is a pickle and an archive at once".to_owned()));
    }
    Ok(())
}
