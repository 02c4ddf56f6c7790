//! `POST runs/log-inputs`: data sets and models that a run used.

use axum::Json;
use sealyard_identity::Edit;
use sealyard_store::model::DatasetInput;
use serde::Deserialize;

use super::super::view::{PairInput, pairs};
use super::run_id;
use crate::http::{Answer, Empty, Identified, InWorkspace, LargeInput};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    datasets: Vec<Dataset>,
    models: Vec<Model>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    LargeInput(request): LargeInput<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    let datasets = request.datasets.into_iter().map(DatasetInput::from).collect();
    let models = request.models.into_iter().map(|model| model.model_id).collect();
    app.log_inputs(&may, id, datasets, models).await?;
    Ok(Json(Empty {}))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Model {
    model_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dataset {
    tags: Vec<PairInput>,
    dataset: Described,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Described {
    name: String,
    digest: String,
    source_type: String,
    source: String,
    schema: Option<String>,
    profile: Option<String>,
}

impl From<Dataset> for DatasetInput {
    fn from(given: Dataset) -> Self {
        let Described { name, digest, source_type, source, schema, profile } = given.dataset;
        Self { name, digest, source_type, source, schema, profile, tags: pairs(given.tags) }
    }
}
