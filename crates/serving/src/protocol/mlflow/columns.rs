//! A request's columns against the model's signature: named ones found, extra ones dropped, types cast.

use std::collections::HashMap;

use super::InvokeError;
use super::request::{Cell, Table};
use crate::mlflow_model::{Column, ColumnType, Inputs, Signature};

/// Rows of features in the order in which the model takes them.
pub(super) fn arrange(
    table: &Table,
    signature: Option<&Signature>,
    feature_names: Option<&[String]>,
    features: usize,
) -> Result<Vec<Vec<f64>>, InvokeError> {
    let columns = match signature.map(|signature| &signature.inputs) {
        Some(Inputs::Columns(columns)) => columns.clone(),
        Some(Inputs::Tensor { dtype, .. }) => vec![positional(dtype_type(dtype)); features],
        None => match feature_names {
            Some(names) => names.iter().map(|name| Column { name: Some(name.clone()), ..double() }).collect(),
            None => vec![double(); features],
        },
    };
    if columns.len() != features {
        return Err(InvokeError::Width { expected: features, found: columns.len() });
    }
    let places = places(table, &columns)?;
    let row = |(number, cells): (usize, &Vec<Cell>)| {
        let cast = |(column, place): (&Column, &usize)| {
            let cell = cells.get(*place).copied().unwrap_or(Cell::Missing);
            cast(cell, column.kind).ok_or_else(|| InvokeError::Type {
                row: number,
                column: column.name.clone().unwrap_or_else(|| place.to_string()),
                expected: type_name(column.kind),
            })
        };
        columns.iter().zip(&places).map(cast).collect()
    };
    table.rows.iter().enumerate().map(row).collect()
}

const fn double() -> Column {
    positional(ColumnType::Double)
}

const fn positional(kind: ColumnType) -> Column {
    Column { name: None, kind, required: true }
}

/// Where in the request each of the model's columns is.
fn places(table: &Table, columns: &[Column]) -> Result<Vec<usize>, InvokeError> {
    let named: Option<Vec<&String>> = columns.iter().map(|column| column.name.as_ref()).collect();
    if let (Some(names), Some(sent)) = (named, &table.columns) {
        let by_name: HashMap<&String, usize> = sent.iter().enumerate().map(|(place, name)| (name, place)).collect();
        // Every feature is needed to evaluate a row, also those that the signature calls optional.
        let missing: Vec<String> =
            names.iter().filter(|name| !by_name.contains_key(**name)).map(|name| (*name).clone()).collect();
        if !missing.is_empty() {
            return Err(InvokeError::MissingColumns(missing));
        }
        return Ok(names.iter().filter_map(|name| by_name.get(*name).copied()).collect());
    }
    let sent = table.columns.as_ref().map_or_else(|| table.rows.first().map_or(columns.len(), Vec::len), Vec::len);
    if sent != columns.len() {
        return Err(InvokeError::Width { expected: columns.len(), found: sent });
    }
    Ok((0..columns.len()).collect())
}

/// Integers go where numbers of floating point are wanted, never the other way round.
fn cast(cell: Cell, kind: ColumnType) -> Option<f64> {
    match (kind, cell) {
        (ColumnType::Double, Cell::Int(value)) => Some(value as f64),
        (ColumnType::Double, Cell::Float(value)) => Some(value),
        (ColumnType::Float, Cell::Int(value)) => Some(f64::from(value as f32)),
        (ColumnType::Float, Cell::Float(value)) => Some(f64::from(value as f32)).filter(|value| value.is_finite()),
        (ColumnType::Long, Cell::Int(value)) => Some(value as f64),
        (ColumnType::Integer, Cell::Int(value)) => i32::try_from(value).ok().map(f64::from),
        (ColumnType::Boolean, Cell::Bool(value)) => Some(f64::from(u8::from(value))),
        _ => None,
    }
}

const fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Boolean => "boolean",
        ColumnType::Integer => "integer",
        ColumnType::Long => "long",
        ColumnType::Float => "float",
        ColumnType::Double => "double",
        ColumnType::Other => "a number, which is all this model can take",
    }
}

fn dtype_type(dtype: &str) -> ColumnType {
    match dtype {
        "float64" => ColumnType::Double,
        "float32" => ColumnType::Float,
        "int64" => ColumnType::Long,
        "int32" => ColumnType::Integer,
        "bool" => ColumnType::Boolean,
        _ => ColumnType::Other,
    }
}
