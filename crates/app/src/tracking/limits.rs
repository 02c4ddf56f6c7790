//! The bounds of what clients may send, as MLflow documents them.

use sealyard_store::model::{DatasetInput, Metric, Pair, RunBatch};

use crate::AppError;

/// Bytes of one `runs/log-batch` request.
pub const MAX_BATCH_BYTES: usize = 1_000_000;
/// Runs on one page of a search.
pub const RUNS_PER_PAGE: u32 = 50_000;
/// Registered models on one page of a search.
pub const REGISTERED_MODELS_PER_PAGE: u32 = 1000;
/// Model versions on one page of a search.
pub const MODEL_VERSIONS_PER_PAGE: u32 = 10_000;
/// Logged models on one page of a search.
pub const LOGGED_MODELS_PER_PAGE: u32 = 1000;
/// Values on one page of a metric's history.
pub(super) const HISTORY_PER_PAGE: u32 = 25_000;
/// Experiments on one page of a search.
pub(super) const EXPERIMENTS_PER_PAGE: u32 = 50_000;

const METRICS_PER_BATCH: usize = 1000;
const PAIRS_PER_BATCH: usize = 100;
const ENTITIES_PER_BATCH: usize = 1000;
const KEY_BYTES: usize = 250;
const PARAM_VALUE_CHARS: usize = 6000;
const TAG_VALUE_CHARS: usize = 8000;
const REGISTRY_TAG_VALUE_CHARS: usize = 100_000;
const NAME_CHARS: usize = 500;
const DESCRIPTION_CHARS: usize = 100_000;

fn invalid(message: String) -> AppError {
    AppError::Invalid(message)
}

fn shown(text: &str) -> String {
    let mut beginning: String = text.chars().take(80).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    beginning
}

/// A key of a metric, parameter or tag: MLflow's characters, and no path that means another one.
fn key(what: &str, key: &str) -> Result<(), AppError> {
    if key.is_empty() {
        return Err(invalid(format!(
            "Missing value for required parameter '{what}.key'. A key name must be provided."
        )));
    }
    if key.len() > KEY_BYTES {
        return Err(invalid(format!("'{what}.key' exceeds the maximum length of {KEY_BYTES} characters")));
    }
    let plain = |character: char| character.is_alphanumeric() || "/_.- :".contains(character);
    if !key.chars().all(plain) {
        return Err(invalid(format!(
            "Invalid value {:?} for parameter '{what}.key' supplied: Names may only contain alphanumerics, underscores (_), \
             dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
            shown(key)
        )));
    }
    if key.split('/').any(|step| matches!(step, "" | "." | "..")) {
        return Err(invalid(format!(
            "Invalid value {:?} for parameter '{what}.key' supplied: Names may be treated as files in certain cases, and \
             must not resolve to other names when treated as such.",
            shown(key)
        )));
    }
    Ok(())
}

fn value(what: &str, key: &str, value: &str, limit: usize) -> Result<(), AppError> {
    let length = value.chars().count();
    if length > limit {
        return Err(invalid(format!(
            "{what} value for key {:?} had length {length}, which exceeded length limit of {limit}",
            shown(key)
        )));
    }
    Ok(())
}

pub(super) fn name(what: &str, name: &str) -> Result<(), AppError> {
    if name.trim().is_empty() {
        return Err(invalid(format!("Missing value for required parameter '{what}'.")));
    }
    if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(invalid(format!(
            "Invalid value {:?} for parameter '{what}' supplied: at most {NAME_CHARS} characters, none of them a control \
             character",
            shown(name)
        )));
    }
    Ok(())
}

pub(super) fn description(text: &str) -> Result<(), AppError> {
    if text.chars().count() > DESCRIPTION_CHARS {
        return Err(invalid(format!("a description has at most {DESCRIPTION_CHARS} characters")));
    }
    Ok(())
}

fn count(what: &str, found: usize, limit: usize) -> Result<(), AppError> {
    if found > limit {
        return Err(invalid(format!(
            "A batch logging request can contain at most {limit} {what}. Got {found} {what}. Please split up {what} across \
             multiple requests and try again."
        )));
    }
    Ok(())
}

pub(super) fn tags(tags: &[Pair]) -> Result<(), AppError> {
    count("tags", tags.len(), ENTITIES_PER_BATCH)?;
    for tag in tags {
        key("tag", &tag.key)?;
        value("Tag", &tag.key, &tag.value, TAG_VALUE_CHARS)?;
    }
    Ok(())
}

pub(super) fn registry_tags(tags: &[Pair]) -> Result<(), AppError> {
    count("tags", tags.len(), ENTITIES_PER_BATCH)?;
    for tag in tags {
        key("tag", &tag.key)?;
        value("Tag", &tag.key, &tag.value, REGISTRY_TAG_VALUE_CHARS)?;
    }
    Ok(())
}

pub(super) fn params(params: &[Pair]) -> Result<(), AppError> {
    for (position, param) in params.iter().enumerate() {
        key("param", &param.key)?;
        value("Param", &param.key, &param.value, PARAM_VALUE_CHARS)?;
        let earlier = params.iter().take(position).find(|earlier| earlier.key == param.key);
        if earlier.is_some_and(|earlier| earlier.value != param.value) {
            return Err(invalid(format!("Duplicate parameter keys have been submitted: {:?}", shown(&param.key))));
        }
    }
    Ok(())
}

/// Parameters of a logged model: its run's, which can be many more than one batch.
pub(super) fn model_params(given: &[Pair]) -> Result<(), AppError> {
    count("params", given.len(), 10 * ENTITIES_PER_BATCH)?;
    for param in given {
        key("param", &param.key)?;
        value("Param", &param.key, &param.value, PARAM_VALUE_CHARS)?;
    }
    Ok(())
}

pub(super) fn batch(batch: &RunBatch) -> Result<(), AppError> {
    count("metrics", batch.metrics.len(), METRICS_PER_BATCH)?;
    count("params", batch.params.len(), PAIRS_PER_BATCH)?;
    count("tags", batch.tags.len(), PAIRS_PER_BATCH)?;
    let all = batch.metrics.len() + batch.params.len() + batch.tags.len();
    count("metrics, params, and tags", all, ENTITIES_PER_BATCH)?;
    batch.metrics.iter().try_for_each(metric)?;
    params(&batch.params)?;
    tags(&batch.tags)
}

fn metric(metric: &Metric) -> Result<(), AppError> {
    key("metric", &metric.key)?;
    if metric.timestamp < 0 {
        return Err(invalid(format!(
            "Invalid value {} for parameter 'timestamp' supplied: metric {:?} was measured before 1970",
            metric.timestamp,
            shown(&metric.key)
        )));
    }
    Ok(())
}

pub(super) fn datasets(datasets: &[DatasetInput]) -> Result<(), AppError> {
    count("datasets", datasets.len(), ENTITIES_PER_BATCH)?;
    for dataset in datasets {
        let bounds = [
            ("name", dataset.name.len(), 500),
            ("digest", dataset.digest.len(), 128),
            ("source_type", dataset.source_type.len(), 500),
            ("source", dataset.source.len(), 65_535),
            ("schema", dataset.schema.as_ref().map_or(0, String::len), 1_048_575),
            ("profile", dataset.profile.as_ref().map_or(0, String::len), 16_777_215),
        ];
        for (field, length, limit) in bounds {
            if length > limit {
                return Err(invalid(format!("'dataset.{field}' exceeds the maximum length of {limit} characters")));
            }
        }
        if dataset.name.is_empty() || dataset.digest.is_empty() {
            return Err(invalid("Missing value for required parameter 'dataset.name' or 'dataset.digest'.".to_owned()));
        }
        count("dataset tags", dataset.tags.len(), PAIRS_PER_BATCH)?;
        for tag in &dataset.tags {
            key("dataset.tag", &tag.key)?;
            value("Dataset tag", &tag.key, &tag.value, 500)?;
        }
    }
    Ok(())
}

/// What a page holds: as asked for, within bounds; refused above them, as MLflow does.
pub(super) fn page(asked: Option<i64>, default: u32, limit: u32) -> Result<u32, AppError> {
    match asked {
        None => Ok(default),
        Some(asked) => u32::try_from(asked).ok().filter(|asked| (1..=limit).contains(asked)).ok_or_else(|| {
            invalid(format!(
                "Invalid value {asked} for parameter 'max_results' supplied: It must be between 1 and {limit}"
            ))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_mean_another_path_or_hold_odd_characters_are_refused() {
        for bad in ["", ".", "..", "a/../b", "/a", "a//b", "a\0", "a\n", "<b>", "a\\b", &"k".repeat(251)] {
            assert!(key("metric", bad).is_err(), "{bad:?}");
        }
        for good in ["rmse", "val/loss", "mlflow.runName", "a b:c-d", "größe"] {
            assert!(key("metric", good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn batches_are_bounded() {
        let pairs = |count: usize| (0..count).map(|n| Pair::new(format!("k{n}"), "v")).collect::<Vec<_>>();
        assert!(batch(&RunBatch { params: pairs(100), tags: pairs(100), ..RunBatch::default() }).is_ok());
        assert!(batch(&RunBatch { params: pairs(101), ..RunBatch::default() }).is_err());
        assert!(batch(&RunBatch { tags: pairs(101), ..RunBatch::default() }).is_err());
        let long = vec![Pair::new("k", "x".repeat(6001))];
        assert!(batch(&RunBatch { params: long, ..RunBatch::default() }).is_err());
        let twice = vec![Pair::new("k", "1"), Pair::new("k", "2")];
        assert!(batch(&RunBatch { params: twice, ..RunBatch::default() }).is_err());
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(page(None, 10, 20).unwrap(), 10);
        assert_eq!(page(Some(20), 10, 20).unwrap(), 20);
        for asked in [-1, 0, 21, i64::MAX] {
            assert!(page(Some(asked), 10, 20).is_err(), "{asked}");
        }
    }
}
