//! Rules of Jinja templates: they look at what the tags say and at what the names in them stand for.

use sealyard_formats::jinja::{Argument, Bindings, Expression, Template};
use sealyard_scan::Finding;

use crate::sink::Sink;

/// A template with its names.
#[derive(Debug)]
pub(crate) struct Artifact<'t> {
    pub(crate) template: &'t Template,
    pub(crate) bindings: Bindings<'t>,
}

group! { Artifact<'_>;
    jinja_computed_name,
    jinja_endless,
    jinja_other_template,
    jinja_python_internals,
    jinja_unlisted_call,
}

/// Python's names that lead from any value to the interpreter, without their underscores where they have such.
const INTERNALS: &[&str] = &[
    "ag_frame",
    "co_code",
    "cr_frame",
    "f_back",
    "f_builtins",
    "f_code",
    "f_globals",
    "f_locals",
    "func_closure",
    "func_code",
    "func_globals",
    "gi_code",
    "gi_frame",
    "im_class",
    "im_func",
    "im_self",
    "mro",
    "tb_frame",
    "tb_next",
];

impl Artifact<'_> {
    /// Calls `look` for each expression, with the place of its tag.
    pub(crate) fn walk(&self, mut look: impl FnMut(&Expression, u64)) {
        for tag in &self.template.tags {
            for expression in tag.statement.expressions() {
                expression.walk(&mut |inner| look(inner, tag.offset as u64));
            }
        }
    }
}

/// Looks at a template that can't be read: Python's own names show what it is for all the same.
pub(crate) fn unread(text: &str, sink: &mut Sink) {
    if let Some(name) = internal_in(text) {
        let message = format!("the template, which can't be read, names {name}");
        sink.push(Finding::new(&jinja_python_internals::METADATA, sink.location(), message));
    }
}

/// Whether a name is one of Python's own.
pub(crate) fn is_internal(name: &str) -> bool {
    is_dunder(name) || INTERNALS.contains(&name)
}

/// Whether a name begins and ends with two underscores.
fn is_dunder(name: &str) -> bool {
    name.len() > 4
        && name.starts_with("__")
        && name.ends_with("__")
        && name.trim_matches('_').chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !name.trim_matches('_').is_empty()
}

/// The first of Python's own names within a text.
pub(crate) fn internal_in(text: &str) -> Option<&str> {
    let mut words = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    words.find(|word| is_dunder(word))
}

/// Expressions that name an attribute by a value: keys, and the arguments of the filters that look attributes up.
fn keys(expression: &Expression) -> Vec<&Expression> {
    const BY_ATTRIBUTE: &[&str] =
        &["attr", "groupby", "map", "rejectattr", "selectattr", "sort", "sum", "unique", "max", "min"];
    match expression {
        Expression::Item(_, key) => match &**key {
            Expression::Slice(_) => Vec::new(),
            key => vec![key],
        },
        Expression::Filter(_, name, arguments) if BY_ATTRIBUTE.contains(&name.as_str()) => {
            arguments.iter().filter(|argument| is_attribute(name, argument)).map(|argument| &argument.value).collect()
        }
        _ => Vec::new(),
    }
}

fn is_attribute(filter: &str, argument: &Argument) -> bool {
    match &argument.name {
        Some(name) => name == "attribute",
        None => matches!(filter, "attr" | "groupby" | "rejectattr" | "selectattr" | "map"),
    }
}
