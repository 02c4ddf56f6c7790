//! Model signatures: JSON texts inside the YAML.

use serde::Deserialize;

use crate::LoadError;

const MAX_COLUMNS: usize = 100_000;

/// What a model takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// What goes in.
    pub inputs: Inputs,
}

/// The inputs of a [`Signature`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Inputs {
    /// A table.
    Columns(Vec<Column>),
    /// One array: its dtype, and its shape, in which -1 is any number of rows.
    Tensor {
        /// Such as `float64`.
        dtype: String,
        /// Such as `[-1, 10]`.
        shape: Vec<i64>,
    },
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, if columns have names.
    pub name: Option<String>,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it must be there.
    pub required: bool,
}

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ColumnType {
    /// True or false.
    Boolean,
    /// 32-bit integer.
    Integer,
    /// 64-bit integer.
    Long,
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// Text and whatever else is no number.
    #[serde(other)]
    Other,
}

/// The texts as they stand in the YAML.
#[derive(Deserialize)]
pub(super) struct Texts {
    #[serde(default)]
    inputs: Option<String>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(rename = "type")]
    kind: serde_json::Value,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    required: Option<bool>,
    #[serde(default)]
    optional: Option<bool>,
    #[serde(rename = "tensor-spec", default)]
    tensor: Option<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<i64>,
}

impl Texts {
    /// `None` if there is nothing about inputs.
    pub(super) fn parse(self) -> Result<Option<Signature>, LoadError> {
        let Some(inputs) = self.inputs else { return Ok(None) };
        let wrong = |why: &str| LoadError::Description(format!("its signature {why}"));
        let fields: Vec<Field> = serde_json::from_str(&inputs).map_err(|_| wrong("is no list of inputs"))?;
        if fields.len() > MAX_COLUMNS {
            return Err(wrong("has more than 100,000 columns"));
        }
        if fields.iter().any(|field| field.tensor.is_some()) {
            let mut fields = fields;
            return match (fields.pop().and_then(|field| field.tensor), fields.is_empty()) {
                (Some(Tensor { dtype, shape }), true) => {
                    Ok(Some(Signature { inputs: Inputs::Tensor { dtype, shape } }))
                }
                _ => Err(wrong("has several arrays")),
            };
        }
        let columns = fields.into_iter().map(|field| {
            let kind = serde_json::from_value(field.kind).unwrap_or(ColumnType::Other);
            let required = field.required.unwrap_or(true) && !field.optional.unwrap_or(false);
            Column { name: field.name, kind, required }
        });
        Ok(Some(Signature { inputs: Inputs::Columns(columns.collect()) }))
    }
}
