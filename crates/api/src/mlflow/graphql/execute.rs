use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::document::{Field, Operation};
use super::schema::{EXPERIMENT, MODEL_VERSION, Shape, Type};
use super::{check, input, resolve};
use crate::http::{ApiError, ErrorCode, Identified, Scoped};

/// Values in an answer: a page of 1,000 runs with 100 metrics each has half of it.
const MOST_VALUES: usize = 1_000_000;
/// Experiments and versions that are looked up for runs.
const MOST_LOOK_UPS: usize = 1_000;

/// What a request has used up.
#[derive(Debug, Default)]
struct Used {
    values: usize,
    look_ups: usize,
    experiments: HashMap<String, Json>,
}

/// Answers an operation, one field of its top after another. What fails is `null` in the answer, and said in the errors.
pub(super) async fn execute(
    state: &Scoped,
    caller: &Identified,
    operation: &Operation,
    variables: &Map<String, Json>,
) -> (Map<String, Json>, Vec<ApiError>) {
    let (mut data, mut errors, mut used) = (Map::new(), Vec::new(), Used::default());
    for field in &operation.selection {
        let value = if field.name == "__typename" {
            Ok(json!(check::roots(operation.kind).0))
        } else {
            root(state, caller, operation, field, variables, &mut used).await
        };
        let value = value.unwrap_or_else(|error| {
            errors.push(error);
            Json::Null
        });
        data.insert(field.key().to_owned(), value);
    }
    (data, errors)
}

async fn root(
    state: &Scoped,
    caller: &Identified,
    operation: &Operation,
    field: &Field,
    variables: &Map<String, Json>,
    used: &mut Used,
) -> Result<Json, ApiError> {
    let root = check::root(operation.kind, &field.name).map_err(|error| ApiError::invalid(error.to_string()))?;
    let request = input::request(root, field, variables)?;
    let answer = resolve::resolve(state, caller, root.endpoint, request).await?;
    object(state, caller, root.answer, &answer, &field.selection, used).await
}

/// The selected fields of one object.
async fn object(
    state: &Scoped,
    caller: &Identified,
    of: &'static Type,
    from: &Json,
    selection: &[Field],
    used: &mut Used,
) -> Result<Json, ApiError> {
    let mut shown = Map::new();
    for field in selection {
        used.values += 1;
        if used.values > MOST_VALUES {
            return Err(ApiError::new(ErrorCode::BadRequest, "The answer is too large; ask for less at once."));
        }
        let value = match of.field(&field.name) {
            None => json!(of.name),
            Some((member, shape)) => {
                let member = from.get(member).unwrap_or(&Json::Null);
                // Boxed, because objects hold objects.
                Box::pin(show(state, caller, shape, member, from, field, used)).await?
            }
        };
        shown.insert(field.key().to_owned(), value);
    }
    Ok(Json::Object(shown))
}

/// One field. What a REST answer leaves out is the default of its type, as it is in MLflow's messages.
async fn show(
    state: &Scoped,
    caller: &Identified,
    shape: Shape,
    member: &Json,
    parent: &Json,
    field: &Field,
    used: &mut Used,
) -> Result<Json, ApiError> {
    Ok(match shape {
        Shape::Nothing(_) => Json::Null,
        Shape::Text => match member {
            Json::Null => json!(""),
            Json::String(_) => member.clone(),
            other => json!(other.to_string()),
        },
        Shape::Long => match member {
            Json::Null => json!("0"),
            Json::String(_) => member.clone(),
            other => json!(other.to_string()),
        },
        Shape::Float => match member {
            Json::Null => json!(0.0),
            Json::Number(_) => member.clone(),
            _ => Json::Null,
        },
        Shape::Flag => json!(member.as_bool().unwrap_or_default()),
        Shape::Name => member.clone(),
        Shape::Texts => {
            if member.is_null() {
                json!([])
            } else {
                member.clone()
            }
        }
        Shape::Object(of) => object(state, caller, of, member, &field.selection, used).await?,
        Shape::Objects(of) => objects(state, caller, of, member, field, used).await?,
        Shape::ExperimentOfRun => {
            let id = text(parent, "experiment_id");
            let found = match used.experiments.get(&id) {
                Some(found) => found.clone(),
                None => {
                    look_up(used)?;
                    let found = resolve::experiment(state, caller, &id).await?;
                    used.experiments.insert(id, found.clone());
                    found
                }
            };
            object(state, caller, &EXPERIMENT, &found, &field.selection, used).await?
        }
        Shape::VersionsOfRun => {
            look_up(used)?;
            let found = resolve::versions_of_run(state, caller, &text(parent, "run_id")).await?;
            objects(state, caller, &MODEL_VERSION, &found, field, used).await?
        }
    })
}

async fn objects(
    state: &Scoped,
    caller: &Identified,
    of: &'static Type,
    from: &Json,
    field: &Field,
    used: &mut Used,
) -> Result<Json, ApiError> {
    let mut shown = Vec::new();
    for item in from.as_array().map(Vec::as_slice).unwrap_or_default() {
        shown.push(object(state, caller, of, item, &field.selection, used).await?);
    }
    Ok(Json::Array(shown))
}

fn text(run: &Json, member: &str) -> String {
    let info = run.get("info").and_then(|info| info.get(member));
    info.and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn look_up(used: &mut Used) -> Result<(), ApiError> {
    used.look_ups += 1;
    if used.look_ups > MOST_LOOK_UPS {
        let message = format!("More than {MOST_LOOK_UPS} runs at once; ask for smaller pages.");
        return Err(ApiError::new(ErrorCode::BadRequest, message));
    }
    Ok(())
}
