//! Scorers: what judges traces.

mod delete;
mod get;
mod list;
mod online_config;
mod online_configs;
mod register;
mod versions;

use sealyard_store::model::ScorerVersion;
use serde::Serialize;

use crate::http::ApiError;
use crate::http::Takes::{Edit, Manage, Read, Somebody};
use crate::http::routes::{Routes, delete, get, post, put};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/scorers/register", post(Edit, register::handler))
        .route("/scorers/list", get(Read, list::handler))
        .route("/scorers/versions", get(Read, versions::handler))
        .route("/scorers/get", get(Read, self::get::handler))
        .route("/scorers/online-config", put(Edit, online_config::handler))
        .route("/scorers/online-configs", get(Somebody, online_configs::handler))
        .route("/scorers/delete", delete(Manage, self::delete::handler))
}

/// A version of a scorer in an answer. MLflow's protobuf has its experiment as a number.
#[derive(Debug, Serialize)]
pub(super) struct ScorerView {
    experiment_id: i64,
    scorer_name: String,
    scorer_version: u32,
    serialized_scorer: String,
    creation_time: i64,
    scorer_id: String,
}

impl From<ScorerVersion> for ScorerView {
    fn from(scorer: ScorerVersion) -> Self {
        Self {
            experiment_id: scorer.experiment_id.parse().unwrap_or_default(),
            scorer_name: scorer.name,
            scorer_version: scorer.version,
            serialized_scorer: scorer.serialized,
            creation_time: scorer.created,
            scorer_id: scorer.scorer_id,
        }
    }
}

/// Several versions in an answer.
#[derive(Debug, Serialize)]
pub(super) struct ScorersView {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) scorers: Vec<ScorerView>,
}

/// A version's number, if there is one.
fn version(given: Option<crate::http::Integer>) -> Result<Option<u32>, ApiError> {
    let wrong = |_| ApiError::invalid("Invalid value for parameter 'version' supplied");
    given.map(|number| u32::try_from(number.0).map_err(wrong)).transpose()
}
