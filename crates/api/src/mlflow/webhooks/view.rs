use sealyard_app::{WebhookAction, WebhookEntity, WebhookEvent, WebhookSummary};
use serde::{Deserialize, Serialize};

use crate::http::ApiError;

/// An event as protobuf's JSON has it: names in capitals.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EventView {
    entity: String,
    action: String,
}

impl EventView {
    pub(super) fn parse(&self) -> Result<WebhookEvent, ApiError> {
        let (entity, action) = (WebhookEntity::from_text(&self.entity), WebhookAction::from_text(&self.action));
        let (Some(entity), Some(action)) = (entity, action) else {
            let shown = |text: &str| text.chars().take(40).collect::<String>();
            return Err(ApiError::invalid(format!(
                "Invalid entity or action in event: {}.{}",
                shown(&self.entity),
                shown(&self.action)
            )));
        };
        WebhookEvent::new(entity, action).map_err(|valid| {
            let valid: Vec<_> = valid.iter().map(|action| format!("'{}'", action.as_str())).collect();
            ApiError::invalid(format!(
                "Invalid action '{}' for entity '{}'. Valid actions are: [{}]",
                action.as_str(),
                entity.as_str(),
                valid.join(", ")
            ))
        })
    }

    pub(super) fn parse_all(events: &[Self]) -> Result<Vec<WebhookEvent>, ApiError> {
        events.iter().map(Self::parse).collect()
    }
}

impl From<WebhookEvent> for EventView {
    fn from(event: WebhookEvent) -> Self {
        Self { entity: event.entity().as_str().to_uppercase(), action: event.action().as_str().to_uppercase() }
    }
}

/// `ACTIVE` or `DISABLED`; nothing is `None`.
pub(super) fn status(text: &str) -> Result<Option<bool>, ApiError> {
    match text {
        "" => Ok(None),
        "ACTIVE" => Ok(Some(true)),
        "DISABLED" => Ok(Some(false)),
        _ => Err(ApiError::invalid("'status' is neither ACTIVE nor DISABLED")),
    }
}

/// A webhook of an answer. Its secret is never in one.
#[derive(Debug, Serialize)]
pub(super) struct WebhookView {
    webhook_id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    url: String,
    events: Vec<EventView>,
    status: &'static str,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
}

impl From<WebhookSummary> for WebhookView {
    fn from(webhook: WebhookSummary) -> Self {
        Self {
            webhook_id: webhook.id,
            name: webhook.name,
            description: webhook.description,
            url: webhook.url,
            events: webhook.events.into_iter().map(EventView::from).collect(),
            status: if webhook.active { "ACTIVE" } else { "DISABLED" },
            creation_timestamp: webhook.created.as_millis(),
            last_updated_timestamp: webhook.updated.as_millis(),
        }
    }
}

/// `{"webhook": …}`.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    webhook: WebhookView,
}

impl From<WebhookSummary> for Response {
    fn from(webhook: WebhookSummary) -> Self {
        Self { webhook: webhook.into() }
    }
}
