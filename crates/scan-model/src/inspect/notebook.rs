use sealyard_core::ReadAt;
use sealyard_formats::json_bounds::JsonBounds;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::{python, script, text};
use crate::context::Context;
use crate::rules::notebook::{self, Artifact};

/// Largest notebook.
const MAX_BYTES: u64 = 64 << 20;
const BOUNDS: JsonBounds = JsonBounds { objects: 200_000, values: 4_000_000 };

/// A notebook of Jupyter: a person runs its cells one by one, none is run by opening it.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("notebook", data, context);
    let Some(bytes) = context.read(data, MAX_BYTES) else { return kind };
    if !BOUNDS.hold(&bytes) {
        context.miss("the notebook holds too much");
        return kind;
    }
    let Ok(document) = serde_json::from_slice::<Value>(&bytes) else {
        context.miss("the notebook is no JSON");
        return kind;
    };
    let (mut cells, mut code, mut commands) = (0_u64, String::new(), String::new());
    for cell in document.get("cells").and_then(Value::as_array).into_iter().flatten() {
        cells += 1;
        if cell.get("cell_type").and_then(Value::as_str) != Some("code") {
            continue;
        }
        outputs(cell, cells, context);
        let Some(source) = cell.get("source").and_then(text_of) else { continue };
        let is_shell =
            ["%%bash", "%%sh", "%%script", "%%cmd"].iter().any(|magic| source.trim_start().starts_with(magic));
        for line in source.lines() {
            let bare = line.trim_start();
            if is_shell || bare.starts_with(['!', '%', '?']) {
                commands.push_str(bare.trim_start_matches('!'));
                commands.push('\n');
                // A command in a body stands for a statement.
                code.extend([line.get(..line.len() - bare.len()).unwrap_or_default(), "pass\n"]);
            } else {
                code.extend([line, "\n"]);
            }
        }
    }
    context.fact(FactKind::Property, "cells", cells);
    if sealyard_formats::python::Source::read(&code).is_ok() {
        python::source(&code, true, context);
    }
    script::shell(&commands, context);
    kind
}

/// A text, or its lines.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => Some(lines.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

/// What a browser would show and run.
fn outputs(cell: &Value, number: u64, context: &mut Context) {
    for output in cell.get("outputs").and_then(Value::as_array).into_iter().flatten() {
        let Some(data) = output.get("data").and_then(Value::as_object) else { continue };
        for (kind, value) in data {
            let is_markup = matches!(kind.as_str(), "text/html" | "image/svg+xml");
            if !is_markup && kind != "application/javascript" {
                continue;
            }
            if let Some(text) = text_of(value)
                && context.step(text.len() as u64 / 4 + 1)
            {
                notebook::run(&Artifact { cell: number, is_markup, text: &text }, context.sink());
            }
        }
    }
}
