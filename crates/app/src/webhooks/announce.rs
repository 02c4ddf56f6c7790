//! Into the outbox, with the act.

use std::sync::Arc;

use sealyard_core::{Rng, Timestamp};
use sealyard_store::Transaction;
use sealyard_store::model::{Delivery, DeliveryBounds, ModelVersion, Pair};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::WebhookAction::{Created, Deleted, Set};
use super::{WebhookEntity, WebhookEvent};
use crate::{App, AppError};

/// What a webhook keeps: so many that wait, and so many that are done.
pub(super) const BOUNDS: DeliveryBounds = DeliveryBounds { waiting: 10_000, done: 500 };

/// Says that a registered model is a prompt.
const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
/// Tags by which prompts are told and kept; nobody else's business.
const INNER_TAGS: [&str; 2] = [IS_PROMPT, "_mlflow_prompt_type"];
/// The tag that holds a prompt's text.
const PROMPT_TEXT: &str = "mlflow.prompt.text";

/// Something in the registry that webhooks can be told of. Each becomes the event of a model or of a prompt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happening<'a> {
    /// A registered model or prompt was made.
    Created { name: &'a str, tags: &'a [Pair], description: &'a str },
    /// A tag was set on a registered model; told of prompts only.
    TagSet { name: &'a str, tag: &'a Pair },
    /// A tag was removed from a registered model; told of prompts only.
    TagDeleted { name: &'a str, key: &'a str },
    /// A version was made.
    VersionCreated {
        name: &'a str,
        version: u32,
        source: &'a str,
        run_id: Option<&'a str>,
        tags: &'a [Pair],
        description: &'a str,
    },
    /// A tag was set on a version.
    VersionTagSet { name: &'a str, version: u32, tag: &'a Pair },
    /// A tag was removed from a version.
    VersionTagDeleted { name: &'a str, version: u32, key: &'a str },
    /// An alias was set.
    AliasSet { name: &'a str, alias: &'a str, version: u32 },
    /// An alias was taken away.
    AliasDeleted { name: &'a str, alias: &'a str },
}

/// Puts what happens into the outbox, from within the transaction of the act.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    rng: Arc<dyn Rng>,
    now: Timestamp,
    wake: Arc<Notify>,
}

impl App {
    /// For the closure of one act.
    pub(crate) fn announcer(&self) -> Announcer {
        Announcer { rng: Arc::clone(&self.rng), now: self.now(), wake: self.outgoing.wake() }
    }
}

impl Announcer {
    /// Writes one delivery for each webhook that wants to know. Costs one look-up in an index when none does.
    pub(crate) fn announce(&self, tx: &mut dyn Transaction, happening: Happening<'_>) -> Result<(), AppError> {
        let (model, prompt) = happening.events();
        let wanted = |tx: &mut dyn Transaction, event: Option<WebhookEvent>| match event {
            Some(event) => tx.webhooks_for(&event.to_string()),
            None => Ok(Vec::new()),
        };
        let (for_model, for_prompt) = (wanted(tx, model)?, wanted(tx, prompt)?);
        if for_model.is_empty() && for_prompt.is_empty() {
            return Ok(());
        }
        let is_prompt = tx
            .registered_model(happening.name())?
            .is_some_and(|model| model.tags.iter().any(|tag| tag.key == IS_PROMPT));
        let (event, webhooks) = if is_prompt { (prompt, for_prompt) } else { (model, for_model) };
        let Some(event) = event else { return Ok(()) };
        let body = body(event, self.now, &happening.payload(is_prompt));
        for webhook in webhooks {
            let delivery = Delivery {
                number: 0,
                id: self.rng.uuid(),
                webhook,
                event: event.to_string(),
                body: body.clone(),
                created: self.now,
                attempts: 0,
                due: self.now,
                status: None,
                error: None,
                finished: None,
                delivered: false,
            };
            tx.add_delivery(&delivery, BOUNDS)?;
            self.wake.notify_one();
        }
        Ok(())
    }
}

/// What is sent: MLflow's envelope.
pub(super) fn body(event: WebhookEvent, now: Timestamp, data: &Value) -> String {
    json!({
        "entity": event.entity().as_str(),
        "action": event.action().as_str(),
        "timestamp": now.to_rfc3339(),
        "data": data,
    })
    .to_string()
}

impl<'a> Happening<'a> {
    /// That `version` was made.
    pub(crate) fn of_version(version: &'a ModelVersion) -> Self {
        Self::VersionCreated {
            name: &version.name,
            version: version.version,
            source: &version.source,
            run_id: version.run_id.as_deref(),
            tags: &version.tags,
            description: &version.description,
        }
    }

    const fn name(&self) -> &str {
        match self {
            Self::Created { name, .. }
            | Self::TagSet { name, .. }
            | Self::TagDeleted { name, .. }
            | Self::VersionCreated { name, .. }
            | Self::VersionTagSet { name, .. }
            | Self::VersionTagDeleted { name, .. }
            | Self::AliasSet { name, .. }
            | Self::AliasDeleted { name, .. } => name,
        }
    }

    /// What it is of a model, and what of a prompt.
    fn events(&self) -> (Option<WebhookEvent>, Option<WebhookEvent>) {
        use WebhookEntity as Of;
        let event = |entity, action| WebhookEvent::new(entity, action).ok();
        match self {
            Self::Created { .. } => (event(Of::RegisteredModel, Created), event(Of::Prompt, Created)),
            Self::TagSet { .. } => (None, event(Of::PromptTag, Set)),
            Self::TagDeleted { .. } => (None, event(Of::PromptTag, Deleted)),
            Self::VersionCreated { .. } => (event(Of::ModelVersion, Created), event(Of::PromptVersion, Created)),
            Self::VersionTagSet { .. } => (event(Of::ModelVersionTag, Set), event(Of::PromptVersionTag, Set)),
            Self::VersionTagDeleted { .. } => {
                (event(Of::ModelVersionTag, Deleted), event(Of::PromptVersionTag, Deleted))
            }
            Self::AliasSet { .. } => (event(Of::ModelVersionAlias, Created), event(Of::PromptAlias, Created)),
            Self::AliasDeleted { .. } => (event(Of::ModelVersionAlias, Deleted), event(Of::PromptAlias, Deleted)),
        }
    }

    fn payload(&self, is_prompt: bool) -> Value {
        match *self {
            Self::Created { name, tags, description } => {
                let hidden: &[&str] = if is_prompt { &INNER_TAGS } else { &[] };
                json!({ "name": name, "tags": tags_without(tags, hidden), "description": description })
            }
            Self::TagSet { name, tag } => json!({ "name": name, "key": tag.key, "value": tag.value }),
            Self::TagDeleted { name, key } => json!({ "name": name, "key": key }),
            Self::VersionCreated { name, version, tags, description, .. } if is_prompt => {
                let template = tags.iter().find(|tag| tag.key == PROMPT_TEXT).map(|tag| &tag.value);
                let [is_prompt, kind] = INNER_TAGS;
                json!({
                    "name": name,
                    "version": version.to_string(),
                    "template": template,
                    "tags": tags_without(tags, &[is_prompt, kind, PROMPT_TEXT]),
                    "description": some(description),
                })
            }
            Self::VersionCreated { name, version, source, run_id, tags, description } => json!({
                "name": name,
                "version": version.to_string(),
                "source": source,
                "run_id": run_id,
                "tags": tags_without(tags, &[]),
                "description": some(description),
            }),
            Self::VersionTagSet { name, version, tag } => {
                json!({ "name": name, "version": version.to_string(), "key": tag.key, "value": tag.value })
            }
            Self::VersionTagDeleted { name, version, key } => {
                json!({ "name": name, "version": version.to_string(), "key": key })
            }
            Self::AliasSet { name, alias, version } => {
                json!({ "name": name, "alias": alias, "version": version.to_string() })
            }
            Self::AliasDeleted { name, alias } => json!({ "name": name, "alias": alias }),
        }
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn tags_without(tags: &[Pair], hidden: &[&str]) -> Map<String, Value> {
    let shown = tags.iter().filter(|tag| !hidden.contains(&tag.key.as_str()));
    shown.map(|tag| (tag.key.clone(), Value::String(tag.value.clone()))).collect()
}
