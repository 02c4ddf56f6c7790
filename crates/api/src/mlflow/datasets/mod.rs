//! Evaluation data sets.

mod add_experiments;
mod create;
mod delete;
mod delete_records;
mod delete_tag;
mod experiment_ids;
mod get;
mod records;
mod remove_experiments;
mod search;
mod set_tags;
mod upsert_records;

use std::collections::BTreeMap;

use sealyard_store::model::Pair;
use serde_json::Value;

use crate::http::ApiError;
use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, delete, get, patch, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/datasets/create", post(Edit, create::handler))
        .route("/datasets/search", get(Somebody, search::handler).post(Somebody, search::handler))
        .route("/datasets/{dataset_id}", get(Read, self::get::handler).delete(Manage, self::delete::handler))
        .route("/datasets/{dataset_id}/tags", patch(Edit, set_tags::handler))
        .route("/datasets/{dataset_id}/tags/{key}", delete(Edit, delete_tag::handler))
        .route(
            "/datasets/{dataset_id}/records",
            get(Read, records::handler).post(Edit, upsert_records::handler).delete(Edit, delete_records::handler),
        )
        .route("/datasets/{dataset_id}/experiment-ids", get(Read, experiment_ids::handler))
        .route("/datasets/{dataset_id}/add-experiments", post(Edit, add_experiments::handler))
        .route("/datasets/{dataset_id}/remove-experiments", post(Manage, remove_experiments::handler))
}

/// Tags come as a JSON object in a text; what is no text becomes one, and `null` is passed over.
fn tags(text: &str) -> Result<Vec<Pair>, ApiError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let tags: BTreeMap<String, Value> =
        serde_json::from_str(text).map_err(|_| ApiError::invalid("'tags' must be the JSON of an object"))?;
    let pair = |(key, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(value) => Some(Pair { key, value }),
        other => Some(Pair { key, value: other.to_string() }),
    };
    Ok(tags.into_iter().filter_map(pair).collect())
}
