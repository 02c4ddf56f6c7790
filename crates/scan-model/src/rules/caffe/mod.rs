//! Rules of Caffe: they look at the layers that are classes of Python.

pub(crate) type Artifact = Vec<crate::inspect::PythonLayer>;

group! { Artifact;
    caffe_python_layer,
}
