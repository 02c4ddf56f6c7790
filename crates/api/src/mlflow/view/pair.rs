use sealyard_store::model::Pair;
use serde::Deserialize;

/// A tag or parameter of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct PairInput {
    key: String,
    value: String,
}

/// As the catalog has them.
pub(in crate::mlflow) fn pairs(given: Vec<PairInput>) -> Vec<Pair> {
    given.into_iter().map(|PairInput { key, value }| Pair { key, value }).collect()
}
