/// One condition of a search; all of a search's conditions must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is compared.
    pub field: Field,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub operand: Operand,
}

/// What a condition or an order speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A column, by MLflow's name of it (`status`, `start_time`, `name`, …); the parser lets only known ones through.
    Attribute(&'static str),
    /// A metric's latest value.
    Metric(String),
    /// A parameter.
    Parameter(String),
    /// A tag.
    Tag(String),
    /// `name`, `digest` or `context` of a data set input.
    Dataset(&'static str),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    ILike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

/// The right side of a condition.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operand {
    None,
    Number(f64),
    Text(String),
    List(Vec<String>),
}

/// One key of a sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// What is compared.
    pub field: Field,
    /// Smallest first.
    pub ascending: bool,
}

/// Part of a result.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}
