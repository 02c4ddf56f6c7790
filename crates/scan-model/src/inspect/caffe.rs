use sealyard_scan::FactKind;

use crate::context::Context;
use crate::rules::caffe;

/// A layer of Caffe that is a class of Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonLayer {
    /// What stands in the brackets, cut short.
    pub(crate) parameters: String,
    /// The line of it.
    pub(crate) line: u64,
}

/// Longest text that is told of a layer.
const MAX_TOLD: usize = 200;

/// Fields of a net that stand at its beginning.
const FIELDS: &[&str] =
    &["debug_info", "force_backward", "input", "input_dim", "input_shape", "layer", "layers", "name", "state"];

/// Whether text is a net of Caffe in protobuf's text form.
pub(super) fn is_net(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(first) = lines.next() else { return false };
    let end = first.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(first.len());
    let (field, rest) = first.split_at(end);
    let is_layer = |line: &str| {
        let rest = line.strip_prefix("layers").or_else(|| line.strip_prefix("layer"));
        rest.is_some_and(|rest| rest.trim_start().trim_start_matches(':').trim_start().starts_with('{'))
    };
    FIELDS.contains(&field) && rest.trim_start().starts_with([':', '{']) && (is_layer(first) || lines.any(is_layer))
}

/// A net of Caffe as text: layers that are classes of Python are imported when the net is made.
pub(super) fn inspect(text: &str, context: &mut Context) -> &'static str {
    let mut layers = Vec::new();
    let (mut line_number, mut counted) = (1, 0);
    for (place, word) in text.match_indices("python_param") {
        let before = text.get(..place).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let rest = text.get(place + word.len()..).unwrap_or_default().trim_start();
        let Some(inner) = rest.strip_prefix(':').unwrap_or(rest).trim_start().strip_prefix(['{', '<']) else {
            continue;
        };
        // Inside a comment, or the end of a longer word.
        if line.trim_start().starts_with('#')
            || line.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
        {
            continue;
        }
        let inner = inner.split(['}', '>']).next().unwrap_or_default();
        let parameters: Vec<&str> = inner.split_whitespace().collect();
        let parameters: String = parameters.join(" ").chars().take(MAX_TOLD).collect();
        line_number += text.get(counted..place).unwrap_or_default().matches('\n').count() as u64;
        counted = place;
        layers.push(PythonLayer { parameters, line: line_number });
        if layers.len() >= MAX_TOLD {
            break;
        }
    }
    context.fact(FactKind::Framework, "caffe", serde_json::Value::Null);
    caffe::run(&layers, context.sink());
    "caffe"
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    fn verdict(text: &str) -> Verdict {
        let mut context = Context::new("deploy.prototxt");
        let kind = crate::inspect::content(&text.as_bytes(), &mut context);
        context.finish("deploy.prototxt", kind).verdict
    }

    #[test]
    fn only_layers_of_python_are_found() {
        let net =
            |layer: &str| format!("# a net\nname: \"net\"\ninput: \"data\"\nlayer {{\n  name: \"a\"\n  {layer}\n}}\n");
        assert_eq!(verdict(&net("type: \"Python\" python_param { module: 'm' layer: 'L' }")), Verdict::Suspicious);
        assert_eq!(
            verdict(&net("type: \"Python\"\n python_param: <\n module: 'os' layer: 'system' >")),
            Verdict::Unsafe
        );
        for layer in ["type: \"ReLU\"", "type: \"ReLU\"\n # python_param { module: 'os' }", "type: \"python_param\""] {
            assert_eq!(verdict(&net(layer)), Verdict::Safe, "{layer}");
        }
        assert_eq!(verdict("name: notes\n\nA layer {x} of prose, python_param { module: 'os' }.\n"), Verdict::Safe);
    }
}
