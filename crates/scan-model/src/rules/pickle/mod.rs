//! Rules of pickles.

mod concern;

use crate::inspect::PickleFile;
use crate::judge::Concern;

/// What a rule looks at.
#[derive(Debug)]
pub(crate) enum Artifact<'a> {
    /// The streams of a file.
    File(&'a PickleFile<'a, 'a>),
    /// What no list covers in it.
    Concerns(&'a [Concern]),
    /// What no list covers in a pickle that is a constant of another pickle.
    Nested(&'a [Concern]),
}

group! { Artifact<'_>;
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
}
