//! Rules of `MLmodel` files.

pub(crate) use crate::inspect::MlModel as Artifact;

group! { Artifact;
    mlmodel_code_path,
    mlmodel_environment,
    mlmodel_imported_module,
    mlmodel_loader_module,
    mlmodel_outside_path,
}
