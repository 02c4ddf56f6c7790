use sealyard_formats::json_bounds::JsonBounds;
use sealyard_scan::FactKind;
use serde_json::Value;

use crate::context::Context;

/// Longest document of which more than its keys is read, and most that it may hold.
const MAX_BYTES: usize = 64 << 20;
const BOUNDS: JsonBounds = JsonBounds { objects: 200_000, values: 20_000_000 };

/// A model of XGBoost as JSON: numbers and names.
pub(super) fn inspect(document: &[u8], context: &mut Context) -> &'static str {
    if document.len() > MAX_BYTES || !BOUNDS.hold(document) {
        return "xgboost";
    }
    let Ok(document) = serde_json::from_slice::<Value>(document) else {
        context.miss("the model of XGBoost is no JSON");
        return "xgboost";
    };
    tell(
        |path| {
            let value = path.split('.').try_fold(&document, |value, key| value.get(key))?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        },
        context,
    );
    let numbers: Vec<String> =
        document.get("version").and_then(Value::as_array).into_iter().flatten().map(Value::to_string).collect();
    version(&numbers.iter().map(String::as_str).collect::<Vec<_>>(), context);
    "xgboost"
}

/// Tells what a model says of itself; `get` gives the value of a path.
pub(super) fn tell(get: impl Fn(&str) -> Option<String>, context: &mut Context) {
    let trees = get("learner.gradient_booster.model.gbtree_model_param.num_trees")
        .or_else(|| get("learner.gradient_booster.gbtree.model.gbtree_model_param.num_trees"));
    for (kind, name, value) in [
        (FactKind::Estimator, "booster", get("learner.gradient_booster.name")),
        (FactKind::Hyperparameter, "objective", get("learner.objective.name")),
        (FactKind::Hyperparameter, "features", get("learner.learner_model_param.num_feature")),
        (FactKind::Hyperparameter, "classes", get("learner.learner_model_param.num_class")),
        (FactKind::Layer, "trees", trees),
    ] {
        if let Some(value) = value {
            context.fact(kind, name, value);
        }
    }
}

/// Tells the version of XGBoost by its numbers.
pub(super) fn version(numbers: &[&str], context: &mut Context) {
    if !numbers.is_empty() {
        context.fact(FactKind::Framework, "xgboost", numbers.join("."));
    }
}
