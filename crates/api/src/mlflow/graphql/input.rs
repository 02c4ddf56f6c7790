use serde_json::{Map, Value as Json};

use super::document::{Field, Operation, Value};
use super::schema::{Endpoint, Root, camel};
use crate::http::ApiError;

/// The variables of an operation: what the request gives, or else their defaults.
pub(super) fn variables(operation: &Operation, mut given: Map<String, Json>) -> Result<Map<String, Json>, ApiError> {
    let mut variables = Map::new();
    for variable in &operation.variables {
        let value = match (given.remove(&variable.name), &variable.default) {
            (Some(value), _) => value,
            (None, Some(default)) => resolve(default, &Map::new(), &mut MOST_INPUT.clone())?,
            (None, None) => Json::Null,
        };
        if variable.required && value.is_null() {
            return Err(ApiError::invalid(format!(
                "Variable '${}' of a required type was not provided.",
                variable.name
            )));
        }
        variables.insert(variable.name.clone(), value);
    }
    Ok(variables)
}

/// What one field's input may take with its variables put in: each can stand in it thousands of times.
const MOST_INPUT: usize = 4 * 1024 * 1024;

/// `room` is what the input may still take.
fn resolve(value: &Value, variables: &Map<String, Json>, room: &mut usize) -> Result<Json, ApiError> {
    Ok(match value {
        Value::Plain(plain) => plain.clone(),
        Value::Variable(name) => {
            let given =
                variables.get(name).ok_or_else(|| ApiError::invalid(format!("Variable '${name}' is not defined.")))?;
            *room = room
                .checked_sub(size(given))
                .ok_or_else(|| ApiError::invalid(format!("The input has more than {MOST_INPUT} bytes.")))?;
            given.clone()
        }
        Value::List(values) => {
            Json::Array(values.iter().map(|value| resolve(value, variables, room)).collect::<Result<_, _>>()?)
        }
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| Ok((name.clone(), resolve(value, variables, room)?)));
            Json::Object(pairs.collect::<Result<_, ApiError>>()?)
        }
    })
}

/// About how many bytes a value takes.
fn size(value: &Json) -> usize {
    const EACH: usize = 64;
    EACH + match value {
        Json::String(text) => text.len(),
        Json::Array(values) => values.iter().map(size).sum(),
        // The first entry makes room for several.
        Json::Object(fields) => 512 + fields.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>(),
        _ => 0,
    }
}

/// The REST request that the arguments of a root field make.
pub(super) fn request(root: &Root, field: &Field, variables: &Map<String, Json>) -> Result<Json, ApiError> {
    let wanted = if root.endpoint == Endpoint::Echo { "inputString" } else { "input" };
    let mut input = Json::Null;
    for (name, value) in &field.arguments {
        if name != wanted {
            return Err(ApiError::invalid(format!("Unknown argument '{name}' on field '{}'.", root.field)));
        }
        input = resolve(value, variables, &mut MOST_INPUT.clone())?;
    }
    if root.endpoint == Endpoint::Echo {
        return Ok(input);
    }
    let given = match input {
        Json::Null => Map::new(),
        Json::Object(given) => given,
        _ => return Err(ApiError::invalid(format!("The input of '{}' must be an object.", root.field))),
    };
    let mut request = Map::new();
    for (name, value) in given.into_iter().filter(|(_, value)| !value.is_null()) {
        let Some(member) = root.input.iter().find(|member| camel(member) == name) else {
            let name: String = name.chars().take(80).collect();
            return Err(ApiError::invalid(format!("Field '{name}' is not defined by the input of '{}'.", root.field)));
        };
        request.insert((*member).to_owned(), value);
    }
    Ok(Json::Object(request))
}
