use sealyard_core::Severity;
use sealyard_formats::jinja::{Expression, Statement};
use sealyard_scan::{Finding, rule};

use super::{Artifact, internal_in, is_internal, keys};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports templates that reach for Python's own attributes (`__class__`, `__globals__`, `mro`, …), however the name
    /// is put together: as an attribute, a key, an argument of `attr` or `format`, joined from parts, reversed or
    /// escaped. It also reports what only helps there: `lipsum`, `cycler`, `joiner`, `self`, `request` and `config`.
    ///
    /// # Why it matters
    /// From any value these attributes lead to the interpreter's modules and so to a command. A loader that renders the
    /// template outside of a sandbox runs it with the first message; sandboxes have been left before.
    ///
    /// # What to do
    /// Do not render the template. Take one from the model's publisher.
    id: "jinja-python-internals",
    name: "Template that reaches Python's internals",
    severity: Critical,
    summary: "A template reaches for attributes that lead to the interpreter.",
    help: "Do not render the template; take one from the model's publisher.",
    references: [
        "https://jinja.palletsprojects.com/en/stable/sandbox/",
        "https://nvd.nist.gov/vuln/detail/CVE-2024-34359",
    ],
}

/// Objects of Jinja and of web frameworks whose only use beside their own is what they lead to.
const LEADS: &[&str] =
    &["config", "cycler", "get_flashed_messages", "g", "joiner", "lipsum", "request", "self", "session", "url_for"];

pub(super) fn check(template: &Artifact<'_>, sink: &mut Sink) {
    let mut find = |offset: u64, severity: Severity, message: String| {
        let finding = Finding::new(&METADATA, sink.at(offset), message).severity(severity);
        if !sink.findings.contains(&finding) {
            sink.push(finding);
        }
    };
    let is_lead = |value: &Expression| match value {
        Expression::Name(name) => {
            (LEADS.contains(&name.as_str()) && !template.bindings.has(name)).then(|| name.clone())
        }
        _ => None,
    };
    template.walk(|expression, offset| {
        match expression {
            Expression::Name(name) if is_internal(name) && !template.bindings.has(name) => {
                find(offset, Severity::Critical, format!("the template names {name}"));
            }
            Expression::Attribute(value, name) => {
                if is_internal(name) {
                    find(offset, Severity::Critical, format!("the template reaches the attribute {name}"));
                } else if name.starts_with('_') {
                    find(offset, Severity::Medium, format!("the template reaches the private attribute {name}"));
                } else if let Some(lead) = is_lead(value) {
                    find(offset, Severity::High, format!("the template reaches into {lead}"));
                }
            }
            Expression::Item(value, _) => {
                if let Some(lead) = is_lead(value) {
                    find(offset, Severity::High, format!("the template reaches into {lead}"));
                }
            }
            Expression::Call(_, arguments) | Expression::Filter(_, _, arguments) => {
                for name in arguments.iter().filter_map(|argument| argument.name.as_ref()) {
                    if name.starts_with("__") || name.ends_with("__") {
                        find(offset, Severity::High, format!("the template has an argument named {name}"));
                    }
                }
                if let Expression::Filter(Some(value), ..) = expression
                    && let Some(lead) = is_lead(value)
                {
                    find(offset, Severity::High, format!("the template reaches into {lead}"));
                }
            }
            _ => {}
        }
        let is_text = matches!(
            expression,
            Expression::Text(_)
                | Expression::Chain(..)
                | Expression::Filter(..)
                | Expression::Call(..)
                | Expression::Item(..)
        );
        if is_text {
            for text in template.bindings.texts(expression) {
                if let Some(name) = internal_in(&text) {
                    find(offset, Severity::Critical, format!("the template makes the name {name}"));
                }
            }
        }
        for key in keys(expression) {
            for text in template.bindings.texts(key) {
                if let Some(name) = text.split('.').find(|part| is_internal(part)) {
                    find(offset, Severity::Critical, format!("the template reaches {name} by a key"));
                } else if text.starts_with("__") || text.ends_with("__") {
                    find(offset, Severity::High, format!("the template reaches {text:?} by a key"));
                }
            }
        }
    });
    for tag in &template.template.tags {
        if let Statement::Set { targets, .. } = &tag.statement {
            for target in targets {
                if let Expression::Name(name) = target
                    && is_internal(name)
                {
                    find(tag.offset as u64, Severity::Medium, format!("the template sets {name}"));
                }
            }
        }
    }
}
