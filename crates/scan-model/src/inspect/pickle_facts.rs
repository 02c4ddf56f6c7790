use std::collections::BTreeMap;

use sealyard_formats::pickle::{Callee, Graph, Node, NodeId, Pickle};
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use crate::context::Context;

/// Packages whose classes are told, the name of their library, and what their classes are.
const LIBRARIES: &[(&str, &str, FactKind)] = &[
    ("catboost", "catboost", FactKind::Estimator),
    ("imblearn", "imbalanced-learn", FactKind::Estimator),
    ("keras", "keras", FactKind::Layer),
    ("lightgbm", "lightgbm", FactKind::Estimator),
    ("sklearn", "scikit-learn", FactKind::Estimator),
    ("statsmodels", "statsmodels", FactKind::Estimator),
    ("torch", "torch", FactKind::Layer),
    ("transformers", "transformers", FactKind::Layer),
    ("xgboost", "xgboost", FactKind::Estimator),
];
/// Different classes that are told.
const MAX_CLASSES: usize = 100;
/// Objects whose parameters are told, and the entries of their state that are looked at.
const MAX_OBJECTS: usize = 32;
const MAX_ENTRIES: usize = 200;

/// Tells the libraries, classes, parameters and arrays of a pickle, as it names them.
pub(super) fn tell(pickle: &Pickle<'_>, context: &mut Context) {
    let graph = &pickle.graph;
    let mut libraries: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    let mut classes: BTreeMap<String, (FactKind, u64)> = BTreeMap::new();
    let mut arrays: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut parameters = Vec::new();
    let mut objects = 0;
    for (id, node) in graph.iter() {
        match node {
            Node::Call { args, .. } => {
                let Some((module, name)) = class(graph, id, *args) else { continue };
                let top = module.split('.').next().unwrap_or_default();
                let Some((_, library, kind)) = LIBRARIES.iter().find(|(package, _, _)| *package == top) else {
                    continue;
                };
                let version = libraries.entry(library).or_default();
                if !name.trim_start_matches('_').starts_with(|first: char| first.is_uppercase()) {
                    continue;
                }
                let path = format!("{module}.{name}");
                if classes.len() < MAX_CLASSES || classes.contains_key(&path) {
                    classes.entry(path).or_insert((*kind, 0)).1 += 1;
                }
                if objects < MAX_OBJECTS
                    && let Some(state) = graph.state(id)
                {
                    objects += 1;
                    let entries = entries(graph, state);
                    for (key, value) in &entries {
                        if *key == "_sklearn_version" {
                            *version = graph.str(*value);
                        } else if *kind == FactKind::Estimator
                            && !key.starts_with('_')
                            && !key.ends_with('_')
                            && let Some(value) = scalar(graph, *value)
                        {
                            parameters.push((format!("{name}.{key}"), value));
                        }
                    }
                }
            }
            Node::Array(array) => {
                let numbers = array.shape.iter().fold(1_u64, |count, size| count.saturating_mul(*size));
                let dtype = array.dtype.as_str().unwrap_or_default();
                if arrays.len() < MAX_CLASSES || arrays.contains_key(dtype) {
                    let (tensors, total) = arrays.entry(dtype.to_owned()).or_default();
                    (*tensors, *total) = (*tensors + 1, total.saturating_add(numbers));
                }
            }
            _ => {}
        }
    }
    for (library, version) in libraries {
        context.fact(FactKind::Framework, library, version.map_or(Value::Null, Value::from));
    }
    for (class, (kind, count)) in classes {
        context.fact(kind, &class, count);
    }
    for (name, value) in parameters {
        context.fact(FactKind::Hyperparameter, &name, value);
    }
    for (dtype, (tensors, numbers)) in arrays {
        context.fact(FactKind::Tensors, &dtype, json!({"tensors": tensors, "numbers": numbers}));
    }
}

/// The class that a call makes an object of: what it calls, or what the oldest protocols pass to `copyreg`.
fn class<'g>(graph: &'g Graph<'_>, id: NodeId, args: NodeId) -> Option<(&'g str, &'g str)> {
    let Some(Callee::Global(global)) = graph.callee(id) else { return None };
    match global.resolved()? {
        ("copyreg", "_reconstructor") => graph.global(*graph.sequence(args)?.first()?)?.resolved(),
        called => Some(called),
    }
}

/// The state's entries that have a text for a key.
fn entries<'g>(graph: &'g Graph<'_>, state: NodeId) -> Vec<(&'g str, NodeId)> {
    let Node::Dict(entries) = graph.get(state) else { return Vec::new() };
    entries.iter().take(MAX_ENTRIES).filter_map(|(key, value)| Some((graph.str(*key)?, *value))).collect()
}

fn scalar(graph: &Graph<'_>, id: NodeId) -> Option<Value> {
    Some(match graph.get(id) {
        Node::None => Value::Null,
        Node::Bool(value) => (*value).into(),
        Node::Int(value) => (*value).into(),
        Node::Float(value) => (*value).into(),
        Node::Str(text) => text.as_str()?.into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_model_is_told() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/benign/scikit-learn-1.2.2/ridge.joblib");
        let mut context = Context::new("ridge.joblib");
        crate::inspect::content(&std::fs::read(path).unwrap(), &mut context);
        let facts = &context.sink().facts;
        let value = |kind: FactKind, name: &str| {
            facts.iter().find(|fact| fact.kind == kind && fact.name == name).map(|fact| fact.value.clone())
        };
        assert_eq!(value(FactKind::Framework, "scikit-learn"), Some(json!("1.2.2")), "{facts:?}");
        assert_eq!(value(FactKind::Estimator, "sklearn.linear_model._ridge.Ridge"), Some(json!(1)));
        assert_eq!(value(FactKind::Hyperparameter, "Ridge.alpha"), Some(json!(0.03)));
        assert!(
            value(FactKind::Tensors, "<f8").is_some() || value(FactKind::Tensors, "float64").is_some(),
            "{facts:?}"
        );
    }
}
