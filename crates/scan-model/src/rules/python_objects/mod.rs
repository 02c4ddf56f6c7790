//! Rules of Python objects in JSON and MessagePack: they look at the keys of jsonpickle.

pub(crate) type Artifact = Vec<crate::inspect::PythonObject>;

group! { Artifact;
    json_python_object,
}
