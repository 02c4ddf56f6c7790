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
    /// A logged model's latest value of a metric on one of these data sets; without a key, of any metric.
    MetricOn(Option<String>, Vec<DatasetRef>),
    /// A parameter.
    Parameter(String),
    /// A tag.
    Tag(String),
    /// `name`, `digest` or `context` of a data set input.
    Dataset(&'static str),
}

/// A data set by its name, and by its digest if that is given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DatasetRef {
    pub name: String,
    pub digest: Option<String>,
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
    /// A regular expression that occurs in the text.
    RLike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
    /// There is no such tag or parameter of this value: another value will do, and none.
    Without,
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
    /// What the next page comes after, if there is one.
    pub next: Option<Cursor>,
}

/// A place in an order: the values by which the last thing before it is sorted, the last of them unique. What is added or
/// removed elsewhere does not move it, and going on from it costs the same wherever it is. It means something only together
/// with the query that gave it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cursor(pub Vec<CursorValue>);

/// One value of a [`Cursor`].
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CursorValue {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}
