use super::NodeId;

/// What was done to one object after it was made. Only for objects whose type is not a builtin one: lists, dicts and
/// sets hold their items themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// States given to `BUILD`, in order.
    pub states: Vec<NodeId>,
    /// Key and value of each `SETITEM` or `SETITEMS`, in order.
    pub items: Vec<(NodeId, NodeId)>,
    /// Values of `APPEND` and `APPENDS`, in order.
    pub appended: Vec<NodeId>,
    /// Values of `ADDITEMS`, in order.
    pub added: Vec<NodeId>,
}
