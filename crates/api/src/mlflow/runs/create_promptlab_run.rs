//! `POST runs/create-promptlab-run`: keeps a prompt that was tried out on the pages, and its answer, as a run with a table.

use axum::Json;
use axum::body::Bytes;
use futures::stream;
use sealyard_app::{CreateRun, UpdateRun, Upload};
use sealyard_core::{Timestamp, TreePath};
use sealyard_identity::{Edit, Read};
use sealyard_store::model::{ArtifactOwner, Pair, RunBatch, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::view::{PairInput, RunView, pairs};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

/// The file with prompt and answer, and the tag by which the pages find it.
const TABLE: &str = "eval_results_table.json";
const TABLE_TAG: &str = r#"[{"path": "eval_results_table.json", "type": "table"}]"#;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    run_name: String,
    tags: Vec<PairInput>,
    prompt_template: String,
    prompt_parameters: Vec<Parameter>,
    model_route: String,
    model_parameters: Vec<Parameter>,
    model_input: String,
    model_output: Value,
    model_output_parameters: Vec<Parameter>,
    mlflow_version: String,
    user_id: Option<String>,
    start_time: Option<Integer>,
}

/// Its value may be of any type.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameter {
    key: String,
    value: Value,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    run: RunView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    for (name, absent) in [
        ("experiment_id", request.experiment_id.is_empty()),
        ("prompt_template", request.prompt_template.is_empty()),
        ("prompt_parameters", request.prompt_parameters.is_empty()),
        ("model_route", request.model_route.is_empty()),
        ("model_input", request.model_input.is_empty()),
        ("mlflow_version", request.mlflow_version.is_empty()),
    ] {
        if absent {
            return Err(ApiError::invalid(format!("CreatePromptlabRun request must specify {name}.")));
        }
    }
    let may = app.authorize_experiment(&caller, Edit, &request.experiment_id).await?;
    let table = table(&request)?;
    let mut params: Vec<Pair> =
        request.model_parameters.iter().map(|given| Pair::new(given.key.clone(), text(&given.value))).collect();
    params.push(Pair::new("model_route", request.model_route));
    params.push(Pair::new("prompt_template", request.prompt_template));
    let tags =
        vec![Pair::new("mlflow.loggedArtifacts", TABLE_TAG), Pair::new("mlflow.runSourceType", "PROMPT_ENGINEERING")];
    let create = CreateRun {
        name: request.run_name,
        user: request.user_id.unwrap_or_else(|| "unknown".to_owned()),
        start: request.start_time.map(|time| Timestamp::from_millis(time.0)),
        tags: pairs(request.tags),
    };
    let id = app.create_run(&caller, &may, create).await?.id;
    let logged = async {
        app.log_batch(&may, &id, RunBatch { params, tags, ..RunBatch::default() }).await?;
        let path = TreePath::new(TABLE).map_err(|error| ApiError::internal(error.to_string()))?;
        let limit = state.config().max_artifact_bytes();
        let upload = Upload { owner: ArtifactOwner::Run(id.clone()), path, limit };
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(table))]);
        app.upload(&caller, &may, upload, body).await?;
        Ok::<_, ApiError>(())
    };
    let logged = logged.await;
    // Whatever went wrong, the run is not left running.
    let status = if logged.is_ok() { RunStatus::Finished } else { RunStatus::Failed };
    let ended = UpdateRun { status: Some(status), end: Some(app.now()), ..UpdateRun::default() };
    app.update_run(&caller, &may, &id, ended).await?;
    logged?;
    Ok(Json(Response { run: app.run(&may.weaken::<Read>(), &id).await?.into() }))
}

/// One row: the prompt's parameters, the prompt, the answer and what was measured of it.
fn table(request: &Request) -> Result<Vec<u8>, ApiError> {
    let keys = |given: &[Parameter]| given.iter().map(|one| one.key.clone()).collect::<Vec<_>>();
    let values = |given: &[Parameter]| given.iter().map(|one| one.value.clone()).collect::<Vec<_>>();
    let mut columns = keys(&request.prompt_parameters);
    columns.extend(["prompt".to_owned(), "output".to_owned()]);
    columns.extend(keys(&request.model_output_parameters));
    let mut row = values(&request.prompt_parameters);
    row.extend([Value::from(request.model_input.as_str()), request.model_output.clone()]);
    row.extend(values(&request.model_output_parameters));
    serde_json::to_vec(&json!({ "columns": columns, "data": [row] }))
        .map_err(|error| ApiError::internal(error.to_string()))
}

fn text(value: &Value) -> String {
    if let Value::String(text) = value { text.clone() } else { value.to_string() }
}
