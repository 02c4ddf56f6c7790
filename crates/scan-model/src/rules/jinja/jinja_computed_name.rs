use sealyard_core::Severity;
use sealyard_formats::jinja::{Expression, Operator, Statement};
use sealyard_scan::{Finding, rule};

use super::{Artifact, is_internal, keys};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports templates that look attributes up by a name which they put together, by one of the tokenizer's tokens, or
    /// by the `attr` filter, that look anything up in a function or pass one on, and texts that are parts of Python's own
    /// names.
    ///
    /// # Why it matters
    /// Chat templates name the fields that they read. A name that is built while the template runs hides which attribute
    /// is meant, and that is how filters of words such as `__class__` are passed.
    ///
    /// # What to do
    /// Find out what the template reads there before it is rendered.
    id: "jinja-computed-name",
    name: "Computed name in a template",
    severity: Medium,
    summary: "A template looks attributes up by a name that it puts together.",
    help: "Find out what the template reads there before it is rendered.",
    references: ["https://jinja.palletsprojects.com/en/stable/templates/#jinja-filters.attr"],
}

pub(super) fn check(template: &Artifact<'_>, sink: &mut Sink) {
    let mut find = |offset: u64, severity: Severity, message: String| {
        let finding = Finding::new(&METADATA, sink.at(offset), message).severity(severity);
        if !sink.findings.contains(&finding) {
            sink.push(finding);
        }
    };
    for tag in &template.template.tags {
        if let Some(name) = renamed(&tag.statement, template) {
            find(tag.offset as u64, Severity::High, format!("the template passes the function {name} on"));
        }
    }
    template.walk(|expression, offset| {
        match expression {
            Expression::Filter(_, name, arguments) => {
                for text in template.bindings.texts(expression).iter().filter(|text| is_part(text)) {
                    find(offset, Severity::Medium, format!("the template makes the part of a name {text:?}"));
                }
                let is_attr = name == "attr"
                    || (name == "map" && arguments.iter().any(|argument| is_word(&argument.value, "attr")));
                let texts =
                    arguments.first().map(|argument| template.bindings.texts(&argument.value)).unwrap_or_default();
                if is_attr && texts.is_empty() {
                    find(offset, Severity::High, "the template reaches an attribute by a computed name".to_owned());
                } else if is_attr && !texts.iter().any(|text| is_internal(text)) {
                    find(
                        offset,
                        Severity::Medium,
                        format!(
                            "the template reaches the attribute {:?} by attr",
                            texts.first().map_or("", |text| text)
                        ),
                    );
                }
            }
            // What begins or ends such a name, or is all underscores, has no other use.
            Expression::Text(text) if is_part(text) => {
                find(offset, Severity::Medium, format!("the template has the part of a name {text:?}"));
            }
            Expression::Chain(..) | Expression::Call(..) => {
                for text in template.bindings.texts(expression).iter().filter(|text| is_part(text)) {
                    find(offset, Severity::Medium, format!("the template makes the part of a name {text:?}"));
                }
            }
            _ => {}
        }
        if let Some(name) = passed_on(expression, template) {
            find(offset, Severity::High, format!("the template passes the function {name} on"));
        }
        if let Expression::Item(value, key) = expression {
            // Its items are its attributes, of which no template needs any.
            let function = function(value, template);
            let is_plain = matches!(&**key, Expression::Text(_) | Expression::Integer(_) | Expression::Slice(_));
            if let (Some(name), false) = (function, is_plain) {
                find(offset, Severity::High, format!("the template reaches an item of the function {name}"));
            }
        }
        for key in keys(expression) {
            if template.bindings.reaches(key, is_token) {
                find(offset, Severity::High, "the template reaches an item by a token of the tokenizer".to_owned());
            }
        }
        for key in attributes(expression) {
            if template.bindings.texts(key).is_empty() && !matches!(key, Expression::Integer(_)) {
                find(offset, Severity::High, "the template reaches an attribute by a computed name".to_owned());
            }
        }
        for key in keys(expression) {
            if template.bindings.texts(key).is_empty() && builds_text(key) {
                find(offset, Severity::Medium, "the template reaches an item by a computed name".to_owned());
            }
        }
    });
}

/// Functions that loaders give, or Jinja itself, whose attributes lead to what Python has.
const GIVEN: &[&str] = &[
    "caller",
    "cycler",
    "dict",
    "joiner",
    "lipsum",
    "namespace",
    "raise_exception",
    "range",
    "strftime_now",
    "tojson",
];

/// The name of a function, be it given or a macro, that an expression may be.
fn function<'e>(expression: &'e Expression, template: &Artifact<'_>) -> Option<&'e str> {
    let name = match expression {
        Expression::Name(name) => name,
        Expression::Chain(first, rest) if rest.iter().all(|(operator, _)| *operator == Operator::Logic) => {
            let mut operands = rest.iter().map(|(_, operand)| operand);
            return function(first, template).or_else(|| operands.find_map(|operand| function(operand, template)));
        }
        _ => return None,
    };
    let bindings = &template.bindings;
    let is_function = if bindings.has(name) { bindings.is_macro(name) } else { GIVEN.contains(&name.as_str()) };
    is_function.then_some(name)
}

/// A function that is put where it can be taken from under another name: into a list, an argument or a filter.
fn passed_on<'e>(expression: &'e Expression, template: &Artifact<'_>) -> Option<&'e str> {
    let places: Vec<&Expression> = match expression {
        Expression::List(_) | Expression::Table(_) => expression.children(),
        Expression::Call(_, arguments) => arguments.iter().map(|argument| &argument.value).collect(),
        Expression::Filter(..) => expression.children(),
        Expression::Choice(parts) => match &parts[..] {
            [value, _, other] => vec![value, other],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    places.into_iter().find_map(|place| function(place, template))
}

/// A function that a tag gives another name.
fn renamed<'s>(statement: &'s Statement, template: &Artifact<'_>) -> Option<&'s str> {
    let values: Vec<&Expression> = match statement {
        Statement::Set { value, .. } => value.iter().collect(),
        Statement::Macro { parameters, .. } => parameters.iter().filter_map(|(_, default)| default.as_ref()).collect(),
        _ => Vec::new(),
    };
    // It may be set under its own name.
    let given = values.iter().find_map(|value| match value {
        Expression::Name(name) if GIVEN.contains(&name.as_str()) => Some(name.as_str()),
        _ => None,
    });
    given.or_else(|| values.into_iter().find_map(|value| function(value, template)))
}

/// Whether a name is that of a token, which the tokenizer's configuration gives a text that the template does not show.
fn is_token(name: &str) -> bool {
    name.ends_with("_token") || name.ends_with("_tokens")
}

/// Arguments of filters, but `attr`, that name an attribute.
fn attributes(expression: &Expression) -> Vec<&Expression> {
    let Expression::Filter(_, name, arguments) = expression else { return Vec::new() };
    let is_first = |place: usize| place == 0 && matches!(name.as_str(), "groupby" | "selectattr" | "rejectattr");
    let is_by_name = matches!(
        name.as_str(),
        "map" | "groupby" | "sort" | "sum" | "unique" | "max" | "min" | "selectattr" | "rejectattr" | "join"
    );
    let named = arguments.iter().enumerate().filter(|(place, argument)| match &argument.name {
        Some(name) => name == "attribute" && is_by_name,
        None => is_first(*place),
    });
    named.map(|(_, argument)| &argument.value).collect()
}

fn is_word(expression: &Expression, word: &str) -> bool {
    matches!(expression, Expression::Text(text) if text == word)
}

/// Whether a text is a piece of one of Python's own names, and not a whole one, which is worse, nor a line.
fn is_part(text: &str) -> bool {
    let bare = text.trim_matches('_');
    let is_word = bare.len() <= 20 && bare.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let is_whole = is_internal(text);
    is_word && !is_whole && (text.starts_with("__") || text.ends_with("__")) && text.len() <= 24
}

/// Whether texts are put together in an expression.
fn builds_text(expression: &Expression) -> bool {
    match expression {
        Expression::Chain(first, rest) => {
            let is_text = |operand: &Expression| matches!(operand, Expression::Text(_));
            rest.iter().any(|(operator, operand)| match operator {
                Operator::Join => true,
                Operator::Add | Operator::Percent | Operator::Times => is_text(operand) || is_text(first),
                _ => false,
            })
        }
        Expression::Filter(_, name, _) => {
            matches!(name.as_str(), "format" | "join" | "replace" | "reverse" | "string" | "urlencode")
        }
        Expression::Call(function, _) => match &**function {
            Expression::Attribute(_, name) => matches!(name.as_str(), "format" | "join" | "replace" | "decode"),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_words_are_no_parts_of_names() {
        for text in ["__cl", "ass__", "__", "____"] {
            assert!(is_part(text), "{text}");
        }
        for text in ["_", "", "____________________________", "__class__", "a__b", "__a line of text__"] {
            assert!(!is_part(text), "{text}");
        }
    }
}
