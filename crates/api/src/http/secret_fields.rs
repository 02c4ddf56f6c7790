use std::collections::BTreeMap;
use std::fmt;

use sealyard_core::Redacted;
use serde::Deserialize;
use serde_json::Value;

use super::ApiError;

/// Secrets by their names, in a request. Reading one never fails: an error of serde, and with it an answer, would repeat what
/// is wrong, which can be the secret itself.
pub(crate) struct SecretFields(Option<BTreeMap<String, Redacted<String>>>);

impl SecretFields {
    /// The secrets.
    pub(crate) fn checked(self, name: &str) -> Result<BTreeMap<String, Redacted<String>>, ApiError> {
        let wrong = || format!("Invalid value for parameter '{name}' supplied: expected an object of texts");
        self.0.ok_or_else(|| ApiError::invalid(wrong()))
    }
}

impl<'de> Deserialize<'de> for SecretFields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Object(fields) = Value::deserialize(deserializer)? else { return Ok(Self(None)) };
        let mut secrets = BTreeMap::new();
        let mut all_texts = true;
        for (name, value) in fields {
            match value {
                Value::String(text) => drop(secrets.insert(name, Redacted::new(text))),
                _ => all_texts = false,
            }
        }
        Ok(Self(all_texts.then_some(secrets)))
    }
}

impl fmt::Debug for SecretFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_not_repeated() {
        for text in [r#""hunter2""#, r#"["hunter2"]"#, r#"{"a":{"b":"hunter2"}}"#, r#"{"a":"hunter2","b":2}"#] {
            let fields: SecretFields = serde_json::from_str(text).unwrap();
            assert_eq!(format!("{fields:?}"), "[redacted]");
            let error = fields.checked("secret_value").unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        let fields: SecretFields = serde_json::from_str(r#"{"api_key":"hunter2"}"#).unwrap();
        assert_eq!(fields.checked("x").unwrap()["api_key"].expose(), "hunter2");
    }
}
