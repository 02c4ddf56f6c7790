//! Templates of Jinja, as chat models carry them: read into what their tags say, without running anything.
//!
//! The language is described at <https://jinja.palletsprojects.com/en/stable/templates/>; `generation`, `break` and
//! `continue` are tags that chat templates use besides. A template becomes a flat list of statements: which tag closes
//! which makes no difference to what the expressions in them can reach.

mod constant;
mod entity;
mod lexer;
mod parser;
mod shape;

pub use constant::{Bindings, Constant};

/// Longest template that is read.
pub const MAX_TEMPLATE: usize = 4 << 20;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A text, its escapes resolved.
    Text(String),
    /// A whole number; one that does not fit is the largest.
    Integer(i64),
    /// A number with a fraction, true, false or none.
    Other,
    /// A variable.
    Name(String),
    /// A list or tuple.
    List(Vec<Expression>),
    /// A table.
    Table(Vec<(Expression, Expression)>),
    /// `value.name`.
    Attribute(Box<Expression>, String),
    /// `value[key]`.
    Item(Box<Expression>, Box<Expression>),
    /// `from:to:step` within brackets.
    Slice(Vec<Option<Expression>>),
    /// `function(arguments)`.
    Call(Box<Expression>, Vec<Argument>),
    /// `value | name(arguments)`; the value of a filter block is none.
    Filter(Option<Box<Expression>>, String, Vec<Argument>),
    /// `value is name(arguments)`.
    Test(Box<Expression>, String, Vec<Argument>),
    /// Operands of one precedence, from left to right.
    Chain(Box<Expression>, Vec<(Operator, Expression)>),
    /// `not value`, `-value`, `+value`.
    Unary(Box<Expression>),
    /// `value if condition else other`: these three, as far as there are such.
    Choice(Vec<Expression>),
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `or`, `and`, and all comparisons.
    Logic,
    /// `+`.
    Add,
    /// `-`, `/` and `//`.
    Other,
    /// `~`, which joins texts.
    Join,
    /// `*`.
    Times,
    /// `%`, which formats where its left side is a text.
    Percent,
    /// `**`.
    Power,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its value.
    pub value: Expression,
}

/// What one tag says.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// Expressions that are printed, tested or passed on.
    Use(Vec<Expression>),
    /// Names that get a value.
    Set {
        /// Names, or attributes of namespaces.
        targets: Vec<Expression>,
        /// Their value; none where it is what follows, up to the tag's end.
        value: Option<Expression>,
    },
    /// A loop.
    For {
        /// The names of one round.
        targets: Vec<Expression>,
        /// What it goes over.
        over: Expression,
        /// Which rounds count.
        condition: Option<Expression>,
    },
    /// A macro with its parameters.
    Macro {
        /// Its name; none for the body of a `call`.
        name: Option<String>,
        /// Parameters and their defaults.
        parameters: Vec<(String, Option<Expression>)>,
        /// What a `call` calls.
        calls: Option<Expression>,
    },
    /// `include`, `import`, `from` or `extends`: another template is read.
    Template(Expression),
}

/// A statement and the place of its tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Bytes from the template's start.
    pub offset: usize,
    /// What it says.
    pub statement: Statement,
}

/// A template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    /// The tags in order, without those that only end others.
    pub tags: Vec<Tag>,
}

/// A text that is no template, or one of more than is read.
#[derive(Debug, thiserror::Error)]
#[error("at byte {offset} {what}")]
pub struct TemplateError {
    /// Where it stops to be one.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Where Jinja would raise one, and past the bounds of length and depth.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError { offset: MAX_TEMPLATE, what: "it is too long" });
        }
        parser::template(&lexer::tags(text)?)
    }
}

impl Statement {
    /// The expressions in it.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Use(all) => all.iter().collect(),
            Self::Set { targets, value } => targets.iter().chain(value).collect(),
            Self::For { targets, over, condition } => targets.iter().chain([over]).chain(condition).collect(),
            Self::Macro { parameters, calls, .. } => {
                parameters.iter().filter_map(|(_, default)| default.as_ref()).chain(calls).collect()
            }
            Self::Template(expression) => vec![expression],
        }
    }
}

impl Expression {
    /// The expressions directly inside it.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        let mut all: Vec<&Self> = Vec::new();
        match self {
            Self::Text(_) | Self::Integer(_) | Self::Other | Self::Name(_) => {}
            Self::List(items) | Self::Choice(items) => all.extend(items),
            Self::Table(entries) => all.extend(entries.iter().flat_map(|(key, value)| [key, value])),
            Self::Attribute(value, _) | Self::Unary(value) => all.push(value),
            Self::Item(value, key) => all.extend([&**value, &**key]),
            Self::Slice(parts) => all.extend(parts.iter().flatten()),
            Self::Call(value, arguments) | Self::Test(value, _, arguments) => {
                all.push(value);
                all.extend(arguments.iter().map(|argument| &argument.value));
            }
            Self::Filter(value, _, arguments) => {
                all.extend(value.as_deref());
                all.extend(arguments.iter().map(|argument| &argument.value));
            }
            Self::Chain(first, rest) => {
                all.push(first);
                all.extend(rest.iter().map(|(_, operand)| operand));
            }
        }
        all
    }

    /// Calls `look` for it and for everything inside it.
    pub fn walk<'e>(&'e self, look: &mut dyn FnMut(&'e Self)) {
        look(self);
        for child in self.children() {
            child.walk(look);
        }
    }
}

#[cfg(test)]
mod tests;
