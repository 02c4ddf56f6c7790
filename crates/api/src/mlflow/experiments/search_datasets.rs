//! `POST experiments/search-datasets`: data sets that runs of the experiments used. Each experiment that is named takes READ.

use axum::Json;
use sealyard_identity::Read;
use sealyard_store::model::DatasetSummary;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, ApiError, Identified, InWorkspace, Input};

/// Experiments of one request.
const MOST_EXPERIMENTS: usize = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    experiment_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dataset_summaries: Vec<Summary>,
}

#[derive(Debug, Serialize)]
struct Summary {
    experiment_id: String,
    name: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

impl From<DatasetSummary> for Summary {
    fn from(DatasetSummary { experiment_id, name, digest, context }: DatasetSummary) -> Self {
        Self { experiment_id, name, digest, context }
    }
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let count = request.experiment_ids.len();
    if count == 0 {
        return Err(ApiError::invalid("SearchDatasets request must specify at least one experiment_id."));
    }
    if count > MOST_EXPERIMENTS {
        return Err(ApiError::invalid(format!(
            "SearchDatasets request cannot specify more than {MOST_EXPERIMENTS} experiment_ids. Received {count} \
             experiment_ids."
        )));
    }
    let mut may = Vec::with_capacity(count);
    for id in &request.experiment_ids {
        may.push(app.authorize_experiment(&caller, Read, id).await?);
    }
    let found = app.dataset_summaries(&may).await?;
    Ok(Json(Response { dataset_summaries: found.into_iter().map(Summary::from).collect() }))
}
