use sealyard_store::model::{Comparison, Condition, Field, Operand, Pair};

use super::{Searched, filter};
use crate::AppError;

/// The tag by which MLflow tells prompts from models. Clients send `tag != 'true'` and mean models without the tag too,
/// unlike for any other tag.
const IS_PROMPT_TAG: &str = "mlflow.prompt.is_prompt";

/// A filter of the registry.
#[derive(Debug, Clone, Default)]
pub struct RegistryFilter {
    pub(in crate::tracking) conditions: Vec<Condition>,
    prompts: Option<bool>,
}

impl RegistryFilter {
    /// Reads a filter of registered models or model versions.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn parse(searched: Searched, text: &str) -> Result<Self, AppError> {
        let (prompt, conditions): (Vec<_>, Vec<_>) = filter(searched, text)?
            .into_iter()
            .partition(|condition| matches!(&condition.field, Field::Tag(key) if key == IS_PROMPT_TAG));
        let mut prompts = None;
        for condition in prompt {
            let wanted = match (condition.comparison, &condition.operand) {
                (Comparison::Equal, Operand::Text(text)) => text == "true",
                (Comparison::NotEqual, Operand::Text(text)) => text != "true",
                (Comparison::IsNull, _) => false,
                (Comparison::IsNotNull, _) => true,
                _ => return Err(AppError::Invalid(format!("tag {IS_PROMPT_TAG} is compared by = or != only"))),
            };
            prompts = Some(wanted);
        }
        Ok(Self { conditions, prompts })
    }

    /// Whether something with these tags passes what the catalog was not asked.
    pub(in crate::tracking) fn keeps(&self, tags: &[Pair]) -> bool {
        let is_prompt = tags.iter().any(|tag| tag.key == IS_PROMPT_TAG && tag.value == "true");
        self.prompts.is_none_or(|wanted| wanted == is_prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_without_the_tag_are_no_prompts() {
        let text = "name = 'x' AND tag.`mlflow.prompt.is_prompt` != 'true'";
        let filter = RegistryFilter::parse(Searched::RegisteredModels, text).unwrap();
        assert_eq!(filter.conditions.len(), 1);
        assert!(filter.keeps(&[]));
        assert!(!filter.keeps(&[Pair::new(IS_PROMPT_TAG, "true")]));
        let prompts =
            RegistryFilter::parse(Searched::RegisteredModels, "tags.`mlflow.prompt.is_prompt` = 'true'").unwrap();
        assert!(!prompts.keeps(&[]));
        assert!(RegistryFilter::parse(Searched::RegisteredModels, "").unwrap().keeps(&[]));
    }
}
