use sealyard_core::Severity;
use sealyard_formats::jinja::{Expression, Operator};
use sealyard_scan::{Finding, rule};

use super::{Artifact, is_internal, keys};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports templates that look attributes up by a name which they put together, or by the `attr` filter, and texts
    /// that are parts of Python's own names.
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
        for key in keys(expression) {
            if template.bindings.texts(key).is_empty() && builds_text(key) {
                find(offset, Severity::Medium, "the template reaches an item by a computed name".to_owned());
            }
        }
    });
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
