//! The rules: one file each, registered below.

mod concern;

use sealyard_formats::npy::Npy;
use sealyard_formats::skops::Skops;

use crate::inspect::{Mismatch, MlModel, PickleFile};
use crate::judge::Concern;
use crate::sink::Sink;

/// What a rule looks at.
#[derive(Debug)]
pub(crate) enum Artifact<'a> {
    /// An `MLmodel` file.
    MlModel(&'a MlModel),
    /// The streams of a pickle file.
    Pickle(&'a PickleFile<'a, 'a>),
    /// What no list covers in a pickle.
    Concerns(&'a [Concern]),
    /// What no list covers in a pickle that is a constant of another pickle.
    Nested(&'a [Concern]),
    /// The header of an array.
    Npy(&'a Npy),
    /// The schema of a skops file.
    Skops(&'a Skops),
    /// Something on which readers of a zip could differ.
    Zip(&'a Mismatch<'a>),
}

type Check = fn(&Artifact<'_>, &mut Sink);

sealyard_scan::rules! { Check;
    mlmodel_code_path,
    mlmodel_loader_module,
    mlmodel_outside_path,
    npy_object_array,
    pickle_broken_stream,
    pickle_build_on_unlisted,
    pickle_computed_callable,
    pickle_dangerous_global,
    pickle_dotted_traversal,
    pickle_extension_registry,
    pickle_nested_pickle,
    pickle_persistent_id,
    pickle_trailing_data,
    pickle_unlisted_call,
    pickle_unlisted_global,
    pickle_unpickler_difference,
    skops_function_node,
    skops_untrusted_type,
    zip_mismatch,
}

/// Lets every rule look at `artifact`.
pub(crate) fn run(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (_, check) in RULES {
        check(artifact, sink);
    }
}
