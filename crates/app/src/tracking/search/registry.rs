use sealyard_store::model::{Comparison, Condition, Field, Operand};

use super::{Searched, filter};
use crate::AppError;

/// The tag by which MLflow tells prompts from models. Clients send `tag != 'true'` and mean models without the tag too,
/// unlike for any other tag.
const IS_PROMPT_TAG: &str = "mlflow.prompt.is_prompt";

/// A filter of the registry. Prompts are found only by who asks for them.
#[derive(Debug, Clone, Default)]
pub struct RegistryFilter {
    pub(in crate::tracking) conditions: Vec<Condition>,
}

impl RegistryFilter {
    /// Reads a filter of registered models or model versions.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn parse(searched: Searched, text: &str) -> Result<Self, AppError> {
        let (prompt, mut conditions): (Vec<_>, Vec<_>) = filter(searched, text)?
            .into_iter()
            .partition(|condition| matches!(&condition.field, Field::Tag(key) if key == IS_PROMPT_TAG));
        let prompts = prompt.iter().any(|condition| match (condition.comparison, &condition.operand) {
            (Comparison::Equal, Operand::Text(text)) => text.eq_ignore_ascii_case("true"),
            (Comparison::NotEqual, Operand::Text(text)) => text.eq_ignore_ascii_case("false"),
            _ => false,
        });
        let comparison = if prompts { Comparison::Equal } else { Comparison::Without };
        let operand = Operand::Text("true".to_owned());
        conditions.push(Condition { field: Field::Tag(IS_PROMPT_TAG.to_owned()), comparison, operand });
        Ok(Self { conditions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_without_the_tag_are_no_prompts() {
        let last = |text: &str| {
            let mut filter = RegistryFilter::parse(Searched::RegisteredModels, text).unwrap();
            filter.conditions.pop().unwrap().comparison
        };
        assert_eq!(last(""), Comparison::Without);
        assert_eq!(last("name = 'x' AND tag.`mlflow.prompt.is_prompt` != 'true'"), Comparison::Without);
        assert_eq!(last("tags.`mlflow.prompt.is_prompt` = 'false'"), Comparison::Without);
        assert_eq!(last("tags.`mlflow.prompt.is_prompt` = 'true'"), Comparison::Equal);
        assert_eq!(last("tags.`mlflow.prompt.is_prompt` != 'false' AND name = 'x'"), Comparison::Equal);
        let both = RegistryFilter::parse(Searched::ModelVersions, "tags.a = 'x'").unwrap();
        assert_eq!(both.conditions.len(), 2);
    }
}
