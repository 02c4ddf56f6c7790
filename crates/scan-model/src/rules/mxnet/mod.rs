//! Rules of MXNet: they look at the nodes of a graph that are not MXNet's own.

pub(crate) type Artifact = Vec<crate::inspect::CustomNode>;

pub(crate) use mxnet_custom_operator::is_custom;

group! { Artifact;
    mxnet_custom_operator,
}
