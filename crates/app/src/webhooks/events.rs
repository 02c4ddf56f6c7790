use std::fmt;

use serde_json::{Value, json};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names are MLflow's")]
        pub enum $name { $($variant),* }

        impl $name {
            /// In small letters, as in a payload.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// From small letters or, as requests have it, capitals.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|name| name.as_str().eq_ignore_ascii_case(text))
            }
        }
    };
}

names! {
    /// What something happened to.
    WebhookEntity {
        RegisteredModel = "registered_model",
        ModelVersion = "model_version",
        ModelVersionTag = "model_version_tag",
        ModelVersionAlias = "model_version_alias",
        Prompt = "prompt",
        PromptVersion = "prompt_version",
        PromptTag = "prompt_tag",
        PromptVersionTag = "prompt_version_tag",
        PromptAlias = "prompt_alias",
        BudgetPolicy = "budget_policy",
    }
}

names! {
    /// What happened to it.
    WebhookAction {
        Created = "created",
        Updated = "updated",
        Deleted = "deleted",
        Set = "set",
        Exceeded = "exceeded",
    }
}

use WebhookAction::{Created, Deleted, Exceeded, Set};

/// Something that a webhook can ask to be told of. Written `model_version.created`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WebhookEvent {
    entity: WebhookEntity,
    action: WebhookAction,
}

impl WebhookEvent {
    /// Puts the two together; the valid actions of the entity, sorted, when this is none of them.
    ///
    /// # Errors
    /// The actions that there are.
    pub fn new(entity: WebhookEntity, action: WebhookAction) -> Result<Self, &'static [WebhookAction]> {
        let valid = Self::actions(entity);
        if valid.contains(&action) { Ok(Self { entity, action }) } else { Err(valid) }
    }

    /// From what [`fmt::Display`] gives.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (entity, action) = text.split_once('.')?;
        Self::new(WebhookEntity::from_text(entity)?, WebhookAction::from_text(action)?).ok()
    }

    const fn actions(entity: WebhookEntity) -> &'static [WebhookAction] {
        match entity {
            WebhookEntity::RegisteredModel
            | WebhookEntity::ModelVersion
            | WebhookEntity::Prompt
            | WebhookEntity::PromptVersion => &[Created],
            WebhookEntity::ModelVersionTag | WebhookEntity::PromptTag | WebhookEntity::PromptVersionTag => {
                &[Deleted, Set]
            }
            WebhookEntity::ModelVersionAlias | WebhookEntity::PromptAlias => &[Created, Deleted],
            WebhookEntity::BudgetPolicy => &[Exceeded],
        }
    }

    /// To what.
    #[must_use]
    pub const fn entity(self) -> WebhookEntity {
        self.entity
    }

    /// What.
    #[must_use]
    pub const fn action(self) -> WebhookAction {
        self.action
    }

    /// Something as it could be told, for trying a webhook out.
    pub(super) fn example(self) -> Value {
        let is_prompt = self.entity.as_str().starts_with("prompt");
        let name = if is_prompt { "example_prompt" } else { "example_model" };
        let tags = json!({ "example_key": "example_value" });
        let description = format!("An example {}", self.entity.as_str().replace('_', " "));
        match (self.entity, self.action) {
            (WebhookEntity::RegisteredModel | WebhookEntity::Prompt, _) => {
                json!({ "name": name, "tags": tags, "description": description })
            }
            (WebhookEntity::ModelVersion, _) => json!({
                "name": name, "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678", "tags": tags,
                "description": description,
            }),
            (WebhookEntity::PromptVersion, _) => json!({
                "name": name, "version": "1", "template": "Hello {{name}}!", "tags": tags, "description": description,
            }),
            (WebhookEntity::ModelVersionTag | WebhookEntity::PromptVersionTag, Set) => {
                json!({ "name": name, "version": "1", "key": "example_key", "value": "example_value" })
            }
            (WebhookEntity::ModelVersionTag | WebhookEntity::PromptVersionTag, _) => {
                json!({ "name": name, "version": "1", "key": "example_key" })
            }
            (WebhookEntity::PromptTag, Set) => json!({ "name": name, "key": "example_key", "value": "example_value" }),
            (WebhookEntity::PromptTag, _) => json!({ "name": name, "key": "example_key" }),
            (WebhookEntity::ModelVersionAlias | WebhookEntity::PromptAlias, Deleted) => {
                json!({ "name": name, "alias": "example_alias" })
            }
            (WebhookEntity::ModelVersionAlias | WebhookEntity::PromptAlias, _) => {
                json!({ "name": name, "alias": "example_alias", "version": "1" })
            }
            (WebhookEntity::BudgetPolicy, _) => json!({
                "budget_policy_id": "bp-abc123", "budget_unit": "USD", "budget_amount": 100.0, "current_spend": 105.5,
                "duration_unit": "MONTHS", "duration_value": 1, "target_scope": "WORKSPACE", "workspace": "default",
                "window_start": 1_704_067_200_000_i64,
            }),
        }
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.entity.as_str(), self.action.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_mlflows() {
        for text in [
            "registered_model.created",
            "model_version.created",
            "model_version_tag.set",
            "model_version_tag.deleted",
            "model_version_alias.created",
            "model_version_alias.deleted",
            "prompt.created",
            "prompt_version.created",
            "prompt_tag.set",
            "prompt_tag.deleted",
            "prompt_version_tag.set",
            "prompt_version_tag.deleted",
            "prompt_alias.created",
            "prompt_alias.deleted",
            "budget_policy.exceeded",
        ] {
            let event = WebhookEvent::from_text(text).unwrap();
            assert_eq!(event.to_string(), text);
            assert!(event.example().as_object().is_some_and(|object| !object.is_empty()));
        }
        for text in
            ["", "model_version", "model_version.deleted", "prompt.set", "run.created", "model_version.created.x"]
        {
            assert!(WebhookEvent::from_text(text).is_none(), "{text}");
        }
        assert_eq!(WebhookEntity::from_text("MODEL_VERSION_TAG"), Some(WebhookEntity::ModelVersionTag));
    }
}
