//! What a query says, as far as this server takes it: operations with variables, fields with arguments. Fragments and
//! directives on fields are refused by the parser; MLflow's pages use neither.

/// A query as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub(super) operations: Vec<Operation>,
}

/// `query Name($a: T = 1) { … }`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
    pub(super) variables: Vec<Variable>,
    pub(super) selection: Vec<Field>,
}

/// What an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
}

/// `$name: T! = default`. The type is read and passed over: the endpoint below checks what it is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) default: Option<Value>,
}

/// `alias: name(argument: value) { … }`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) alias: Option<String>,
    pub(super) name: String,
    pub(super) arguments: Vec<(String, Value)>,
    pub(super) selection: Vec<Field>,
}

impl Field {
    /// The name it has in the answer.
    pub(super) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// A value in a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Variable(String),
    /// Numbers, texts, `true`, `false`, `null`; and names of enumerations, as texts.
    Plain(serde_json::Value),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}
