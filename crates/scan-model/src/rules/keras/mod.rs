//! Rules of Keras: they look at the description of a model.

mod modules;

pub(crate) use crate::inspect::KerasModel as Artifact;

group! { Artifact<'_>;
    keras_foreign_module,
    keras_lambda_code,
    keras_outside_file,
    keras_torch_module,
    keras_unsafe_function,
}
