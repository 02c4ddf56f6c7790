use sealyard_core::ReadAt;
use sealyard_scan::FactKind;

use super::text;
use crate::context::Context;

/// How much of a model is read for what it says of itself.
const HEAD: u64 = 1 << 20;

/// LightGBM's model as text: numbers and names.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("lightgbm", data, context);
    let Some(head) = context.head(data, HEAD) else { return kind };
    let head = String::from_utf8_lossy(&head);
    let value = |key: &str| head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    if value("num_class").is_none() || value("max_feature_idx").is_none() {
        context.miss("the model of LightGBM has no head");
    }
    context.fact(FactKind::Framework, "lightgbm", value("version").unwrap_or_default());
    for (kind, name, key) in [
        (FactKind::Hyperparameter, "objective", "objective"),
        (FactKind::Hyperparameter, "classes", "num_class"),
        (FactKind::Hyperparameter, "last feature", "max_feature_idx"),
    ] {
        if let Some(value) = value(key) {
            context.fact(kind, name, value);
        }
    }
    if let Some(sizes) = value("tree_sizes") {
        context.fact(FactKind::Layer, "trees", sizes.split_whitespace().count());
    }
    kind
}
