//! Rules of YAML: they look at its tags.

pub(crate) type Artifact = Vec<crate::inspect::PythonTag>;

group! { Artifact;
    yaml_python_tag,
}
