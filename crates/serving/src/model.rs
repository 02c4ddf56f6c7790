use sealyard_core::{Subject, TreePath};
use sealyard_gate::VerifiedModel;

use crate::files::{self, FileSource, MAX_FILE_BYTES};
use crate::ir::Estimator;
use crate::load::{self, LoadError, Loaded};
use crate::mlflow_model::{DESCRIPTION, MAX_BYTES, MlflowModel, Signature};

/// A model in memory, ready to answer.
#[derive(Debug, Clone)]
pub struct Model {
    subject: Subject,
    signature: Option<Signature>,
    feature_names: Option<Vec<String>>,
    runtime: Runtime,
}

/// What evaluates a [`Model`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Runtime {
    /// We do.
    Native {
        /// It.
        estimator: Estimator,
        /// `module.class` as the model file says.
        class: String,
    },
    /// Only its own framework can.
    NotNative {
        /// `module.class`, or the loader that the description asks for.
        class: String,
    },
}

impl Model {
    /// Loads a model that the load gate let through. Only files of its manifest are read, and each is compared with
    /// the manifest while it is read.
    ///
    /// # Errors
    /// [`LoadError`]; [`LoadError::rule`] names the rule when a file is not what was verified.
    pub fn load(verified: &VerifiedModel, files: &dyn FileSource) -> Result<Self, LoadError> {
        let tree = verified.tree();
        let path = TreePath::new(DESCRIPTION).map_err(|error| LoadError::Description(error.to_string()))?;
        let description = MlflowModel::parse(&files::read(tree, files, &path, MAX_BYTES)?)?;
        let (runtime, feature_names) = match description.sklearn {
            None => (Runtime::NotNative { class: description.loader }, None),
            Some(flavor) => match load::read(files::read(tree, files, &flavor.path, MAX_FILE_BYTES)?)? {
                Loaded::Native { estimator, class, feature_names } => {
                    (Runtime::Native { estimator, class }, feature_names)
                }
                Loaded::NotNative { class } => (Runtime::NotNative { class }, None),
            },
        };
        Ok(Self { subject: verified.subject().clone(), signature: description.signature, feature_names, runtime })
    }

    /// What it is.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What it takes, if its description says.
    #[must_use]
    pub const fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    /// Names of the features it was fitted with, if it was fitted with named ones.
    #[must_use]
    pub fn feature_names(&self) -> Option<&[String]> {
        self.feature_names.as_deref()
    }

    /// What evaluates it.
    #[must_use]
    pub const fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}
