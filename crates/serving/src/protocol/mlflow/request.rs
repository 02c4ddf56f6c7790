//! Bodies of requests to a table of cells.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{InvokeError, Limits, csv};

/// What a request asks about.
#[derive(Debug, PartialEq)]
pub(super) struct Table {
    /// Names, if the request has some.
    pub(super) columns: Option<Vec<String>>,
    /// Rows, all of the same width.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// One value. Text is not kept: no model here takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Int(i64),
    Float(f64),
    Bool(bool),
    Missing,
    Other,
}

const FORMS: &str =
    "the body must be a JSON object with exactly one of inputs, instances, dataframe_split, dataframe_records";
const ROWS: &str = "the rows must be lists of equal length, or objects";

pub(super) fn parse(content_type: Option<&str>, body: &[u8], limits: &Limits) -> Result<Table, InvokeError> {
    let content_type = content_type.ok_or(InvokeError::ContentType)?;
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let utf8 = parts.all(|part| match part.to_ascii_lowercase().strip_prefix("charset=") {
        Some(charset) => matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"),
        None => true,
    });
    if !utf8 || !matches!(kind.as_str(), "application/json" | "text/csv") {
        return Err(InvokeError::ContentType);
    }
    if body.len() > limits.body {
        return Err(InvokeError::Bound { what: "bytes", limit: limits.body });
    }
    let table = if kind == "text/csv" { csv::parse(body, limits)? } else { json(body, limits)? };
    check_bounds(&table, limits)?;
    Ok(table)
}

fn check_bounds(table: &Table, limits: &Limits) -> Result<(), InvokeError> {
    if table.rows.len() > limits.rows {
        return Err(InvokeError::Bound { what: "rows", limit: limits.rows });
    }
    let width = table.rows.first().map_or(0, Vec::len);
    if width > limits.columns || table.columns.as_ref().is_some_and(|columns| columns.len() > limits.columns) {
        return Err(InvokeError::Bound { what: "columns", limit: limits.columns });
    }
    if table.rows.iter().any(|row| row.len() != table.columns.as_ref().map_or(width, Vec::len)) {
        return Err(InvokeError::Malformed(ROWS));
    }
    if let Some(columns) = &table.columns {
        let mut seen = HashMap::new();
        if columns.iter().any(|name| seen.insert(name, ()).is_some()) {
            return Err(InvokeError::Malformed("a column's name occurs twice"));
        }
    }
    Ok(())
}

/// A JSON object with its keys in order, none twice.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Value)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if fields.len() > 16 || fields.iter().any(|(known, _)| *known == key) {
                        return Err(serde::de::Error::custom("keys"));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Seen)
    }
}

fn json(body: &[u8], limits: &Limits) -> Result<Table, InvokeError> {
    check_depth(body, limits)?;
    let Fields(mut fields) = serde_json::from_slice(body)
        .map_err(|error| InvokeError::Malformed(if error.is_data() { FORMS } else { "the body is not JSON" }))?;
    if let Some(place) = fields.iter().position(|(key, _)| key == "params") {
        let (_, params) = fields.swap_remove(place);
        if !matches!(params, Value::Null | Value::Object(_)) {
            return Err(InvokeError::Malformed("params must be an object"));
        }
    }
    let mut fields = fields.into_iter();
    let (Some((form, value)), None) = (fields.next(), fields.next()) else {
        return Err(InvokeError::Malformed(FORMS));
    };
    match (form.as_str(), value) {
        ("dataframe_split", Value::Object(mut split)) => {
            let columns = match split.remove("columns") {
                None | Some(Value::Null) => None,
                Some(columns) => Some(names(columns)?),
            };
            let data = split.remove("data").ok_or(InvokeError::Malformed("dataframe_split lacks its data"))?;
            split.remove("index");
            if !split.is_empty() {
                return Err(InvokeError::Malformed("dataframe_split takes only columns, index and data"));
            }
            Ok(Table { columns, rows: rows(data, false)?.rows })
        }
        ("dataframe_records", value @ Value::Array(_)) => {
            let table = rows(value, true)?;
            match (&table.columns, table.rows.is_empty()) {
                (Some(_), _) | (None, true) => Ok(table),
                _ => Err(InvokeError::Malformed("dataframe_records must be a list of objects")),
            }
        }
        ("inputs" | "instances", value @ Value::Array(_)) => rows(value, true),
        ("inputs", Value::Object(columns)) => by_column(columns),
        _ => Err(InvokeError::Malformed(FORMS)),
    }
}

/// Counts brackets before anything is allocated for them.
fn check_depth(body: &[u8], limits: &Limits) -> Result<(), InvokeError> {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in body {
        match (text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => text = !text,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits.depth {
            return Err(InvokeError::Bound { what: "nesting", limit: limits.depth });
        }
    }
    Ok(())
}

fn names(value: Value) -> Result<Vec<String>, InvokeError> {
    let Value::Array(names) = value else { return Err(InvokeError::Malformed("columns must be a list of names")) };
    let name = |name| match name {
        Value::String(name) => Ok(name),
        // pandas numbers columns that have no names.
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(InvokeError::Malformed("columns must be a list of names")),
    };
    names.into_iter().map(name).collect()
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Missing,
        Value::Bool(value) => Cell::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Cell::Int(value),
            None => number.as_f64().filter(|value| value.is_finite()).map_or(Cell::Other, Cell::Float),
        },
        _ => Cell::Other,
    }
}

/// A list of lists, of objects if that is allowed, or of single values, which are a column.
fn rows(value: Value, objects: bool) -> Result<Table, InvokeError> {
    let Value::Array(items) = value else { return Err(InvokeError::Malformed(ROWS)) };
    match items.first() {
        Some(Value::Object(_)) if objects => records(items),
        Some(Value::Array(_)) | None => {
            let row = |item| match item {
                Value::Array(cells) => Ok(cells.iter().map(cell).collect()),
                _ => Err(InvokeError::Malformed(ROWS)),
            };
            Ok(Table { columns: None, rows: items.into_iter().map(row).collect::<Result<_, _>>()? })
        }
        Some(_) => {
            if items.iter().any(|item| matches!(item, Value::Array(_) | Value::Object(_))) {
                return Err(InvokeError::Malformed(ROWS));
            }
            Ok(Table { columns: None, rows: items.iter().map(|item| vec![cell(item)]).collect() })
        }
    }
}

/// Objects of names to values. A name that one of them lacks is missing there.
fn records(items: Vec<Value>) -> Result<Table, InvokeError> {
    let Some(Value::Object(first)) = items.first() else { return Err(InvokeError::Malformed(ROWS)) };
    let columns: Vec<String> = first.keys().cloned().collect();
    let row = |item: &Value| match item {
        Value::Object(cells) => Ok(columns.iter().map(|name| cells.get(name).map_or(Cell::Missing, cell)).collect()),
        _ => Err(InvokeError::Malformed(ROWS)),
    };
    let rows = items.iter().map(row).collect::<Result<_, _>>()?;
    Ok(Table { columns: Some(columns), rows })
}

/// Names to lists of values.
fn by_column(columns: serde_json::Map<String, Value>) -> Result<Table, InvokeError> {
    let wrong = InvokeError::Malformed("inputs must be names with lists of equal length");
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut names = Vec::with_capacity(columns.len());
    for (place, (name, value)) in columns.into_iter().enumerate() {
        let Value::Array(cells) = value else { return Err(wrong) };
        if place == 0 {
            rows = vec![Vec::new(); cells.len()];
        }
        if cells.len() != rows.len() {
            return Err(wrong);
        }
        for (row, value) in rows.iter_mut().zip(&cells) {
            row.push(cell(value));
        }
        names.push(name);
    }
    Ok(Table { columns: Some(names), rows })
}
