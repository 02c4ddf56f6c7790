use sealyard_formats::jinja::{Constant, Expression, Operator};
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports templates with a loop of more rounds, a text of more repetitions or a power of more digits than any
    /// conversation has.
    ///
    /// # Why it matters
    /// Rendering the template takes the server's time or memory until it stops.
    ///
    /// # What to do
    /// Do not render the template.
    id: "jinja-endless",
    name: "Template without an end",
    severity: Medium,
    summary: "A template loops or repeats without a sensible bound.",
    help: "Do not render the template.",
    references: ["https://jinja.palletsprojects.com/en/stable/sandbox/#security-considerations"],
}

/// Rounds and repetitions that a template may have; Jinja's own sandbox allows as many.
const MOST: i64 = 100_000;

/// Methods that make a text as wide as is asked for.
const WIDE: &[&str] = &["center", "expandtabs", "ljust", "rjust", "zfill"];

pub(super) fn check(template: &Artifact<'_>, sink: &mut Sink) {
    let most = |expression: &Expression| {
        let numbers = template.bindings.values(expression).into_iter();
        numbers
            .filter_map(|value| if let Constant::Integer(number) = value { Some(number) } else { None })
            .max()
            .unwrap_or(0)
    };
    template.walk(|expression, offset| {
        let what = match expression {
            Expression::Call(function, arguments)
                if matches!(&**function, Expression::Name(name) if name == "range" || name == "lipsum") =>
            {
                arguments.iter().any(|argument| most(&argument.value) > MOST).then_some("a loop")
            }
            Expression::Call(function, arguments)
                if matches!(&**function, Expression::Attribute(_, name) if WIDE.contains(&name.as_str())) =>
            {
                arguments.iter().any(|argument| most(&argument.value) > MOST).then_some("a text")
            }
            Expression::Chain(first, rest) => rest.iter().find_map(|(operator, operand)| match operator {
                Operator::Times => {
                    let is_text = |value: &Expression| matches!(value, Expression::Text(_) | Expression::List(_));
                    let is_many = |value: &Expression, count: &Expression| is_text(value) && most(count) > MOST;
                    (is_many(first, operand) || is_many(operand, first)).then_some("a text")
                }
                Operator::Power => (most(operand) > 1000).then_some("a power"),
                _ => None,
            }),
            Expression::Filter(_, name, arguments) if matches!(name.as_str(), "center" | "indent" | "batch" | "slice") => {
                arguments.iter().any(|argument| most(&argument.value) > MOST).then_some("a text")
            }
            _ => None,
        };
        if let Some(what) = what {
            sink.push(Finding::new(&METADATA, sink.at(offset), format!("the template has {what} that does not end")));
        }
    });
}
