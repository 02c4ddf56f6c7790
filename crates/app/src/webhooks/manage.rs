//! Making, changing and looking at webhooks. All of it takes an administrator: a webhook sees every model's events, and
//! makes the server send requests.

use sealyard_core::{Redacted, Timestamp};
use sealyard_identity::{Administer, Authorized, ServerWide};
use sealyard_ledger::{Act, Outcome};
use sealyard_outbound::OutboundError;
use sealyard_store::Transaction;
use sealyard_store::model::{Delivery, Webhook};
use serde::Serialize;

use super::WebhookEvent;
use super::announce::body;
use super::deliver::secret_context;
use crate::tracking::{Listing, PageToken, Query};
use crate::{App, AppError, Caller};

/// Webhooks that there can be, characters of a name, bytes of a description and of a secret, and events of one webhook.
pub(crate) const MOST_WEBHOOKS: u64 = 1000;
const NAME_CHARS: usize = 63;
const DESCRIPTION_CHARS: usize = 1000;
const SECRET_BYTES: usize = 1000;
const MOST_EVENTS: usize = 100;
/// Webhooks on a page.
const WEBHOOKS_PER_PAGE: i64 = 1000;
/// Deliveries on a page.
const DELIVERIES_PER_PAGE: u32 = 200;

/// A webhook to be made.
#[derive(Debug)]
pub struct NewWebhook {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Where to send.
    pub url: String,
    /// What it wants.
    pub events: Vec<WebhookEvent>,
    /// The key of its signatures.
    pub secret: Option<Redacted<String>>,
    /// Whether it is sent anything.
    pub active: bool,
}

/// What changes of a webhook; `None` leaves it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "as in `NewWebhook`")]
pub struct WebhookChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub url: Option<String>,
    pub events: Option<Vec<WebhookEvent>>,
    pub secret: Option<Redacted<String>>,
    pub active: Option<bool>,
}

/// A webhook without its secret.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "as in `NewWebhook`")]
pub struct WebhookSummary {
    pub id: String,
    pub name: String,
    pub description: String,
    pub url: String,
    pub events: Vec<WebhookEvent>,
    pub active: bool,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// How trying a webhook out went.
#[derive(Debug, Clone)]
pub struct WebhookTest {
    /// Whether the receiver took it.
    pub success: bool,
    /// The status of its answer.
    pub status: Option<u16>,
    /// The beginning of its answer.
    pub body: Option<String>,
    /// Why there is none.
    pub error: Option<String>,
}

/// A line of the delivery log.
#[derive(Debug, Clone, Serialize)]
pub struct DeliverySummary {
    /// What the receiver knows it by.
    pub id: String,
    /// What happened.
    pub event: String,
    /// When it happened.
    pub created: Timestamp,
    /// `waiting`, `delivered` or `given_up`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt: Option<Timestamp>,
    /// When it was done with.
    pub finished: Option<Timestamp>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl App {
    /// Makes a webhook. Its URL is looked at but its name not resolved: that happens, with all its checks, when something
    /// is sent.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn create_webhook(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, ServerWide>,
        new: NewWebhook,
    ) -> Result<WebhookSummary, AppError> {
        check_name(&new.name)?;
        check_description(&new.description)?;
        check_events(&new.events)?;
        let origin = self.check_url(&new.url)?;
        let id = self.rng.uuid();
        let secret = new.secret.map(|secret| self.seal(&id, &secret)).transpose()?;
        let now = self.now();
        let webhook = Webhook {
            number: 0,
            id: id.clone(),
            name: new.name,
            description: new.description,
            url: self.sealed_webhook_url(&id, &new.url)?,
            secret,
            active: new.active,
            events: new.events.iter().map(ToString::to_string).collect(),
            created: now,
            updated: now,
            created_by: caller.actor().to_owned(),
        };
        let act = Act::WebhookCreated { id, name: webhook.name.clone(), origin, events: webhook.events.clone() };
        let event = self.event(caller, Outcome::Done, act);
        let made = self
            .store()
            .write(move |tx| {
                if tx.count_webhooks()? >= MOST_WEBHOOKS {
                    return Err(AppError::Invalid(format!("there are {MOST_WEBHOOKS} webhooks already")));
                }
                let made = tx.create_webhook(&webhook)?;
                tx.record(&event)?;
                Ok(made)
            })
            .await?;
        self.sequencer.notify();
        self.summary(made)
    }

    /// The webhook.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn webhook(
        &self,
        _may: &Authorized<Administer, ServerWide>,
        id: &str,
    ) -> Result<WebhookSummary, AppError> {
        let id = id.to_owned();
        let found = self.store().read(move |tx| find(tx, &id)).await?;
        self.summary(found)
    }

    /// Webhooks from after `after` on.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn webhooks(
        &self,
        _may: &Authorized<Administer, ServerWide>,
        max_results: Option<i64>,
        from: &PageToken,
    ) -> Result<Listing<WebhookSummary>, AppError> {
        let limit = max_results.unwrap_or(100);
        if !(1..=WEBHOOKS_PER_PAGE).contains(&limit) {
            return Err(AppError::Invalid(format!(
                "max_results must be between 1 and {WEBHOOKS_PER_PAGE}, but got value {limit}."
            )));
        }
        let limit = usize::try_from(limit).unwrap_or(1);
        let query = Query::of(&"webhooks");
        let after = self.page_tokens().open_number(query, from)?.unwrap_or(0);
        let ask = u32::try_from(limit + 1).unwrap_or(1);
        let mut found = self.store().read(move |tx| Ok::<_, AppError>(tx.webhooks(after, ask)?)).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().map(|last| last.number).filter(|_| more);
        let found = found.into_iter().map(|webhook| self.summary(webhook)).collect::<Result<_, _>>()?;
        Ok(self.page_tokens().numbered(query, found, last))
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn update_webhook(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, ServerWide>,
        id: &str,
        change: WebhookChange,
    ) -> Result<WebhookSummary, AppError> {
        change.name.as_deref().map_or(Ok(()), check_name)?;
        change.description.as_deref().map_or(Ok(()), check_description)?;
        change.events.as_deref().map_or(Ok(()), check_events)?;
        change.url.as_deref().map(|url| self.check_url(url)).transpose()?;
        let url = change.url.as_deref().map(|url| self.sealed_webhook_url(id, url)).transpose()?;
        let secret = change.secret.as_ref().map(|secret| self.seal(id, secret)).transpose()?;
        let mut changed = Vec::new();
        for (what, is) in [
            ("name", change.name.is_some()),
            ("description", change.description.is_some()),
            ("url", change.url.is_some()),
            ("events", change.events.is_some()),
            ("secret", secret.is_some()),
            ("status", change.active.is_some()),
        ] {
            if is {
                changed.push(what);
            }
        }
        let act = Act::WebhookUpdated { id: id.chars().take(80).collect(), change: changed.join(", ") };
        let event = self.event(caller, Outcome::Done, act);
        let (id, now) = (id.to_owned(), self.now());
        let webhook = self
            .store()
            .write(move |tx| {
                let before = find(tx, &id)?;
                let webhook = Webhook {
                    name: change.name.unwrap_or(before.name),
                    description: change.description.unwrap_or(before.description),
                    url: url.unwrap_or(before.url),
                    secret: secret.or(before.secret),
                    active: change.active.unwrap_or(before.active),
                    events: change
                        .events
                        .map_or(before.events, |events| events.iter().map(ToString::to_string).collect()),
                    // Clients tell by it that something changed.
                    updated: now.max(Timestamp::from_millis(before.updated.as_millis() + 1)),
                    number: before.number,
                    id: before.id,
                    created: before.created,
                    created_by: before.created_by,
                };
                tx.update_webhook(&webhook)?;
                tx.record(&event)?;
                Ok::<_, AppError>(webhook)
            })
            .await?;
        self.sequencer.notify();
        self.summary(webhook)
    }

    /// Deletes a webhook with what waits for it.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_webhook(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, ServerWide>,
        id: &str,
    ) -> Result<(), AppError> {
        let event = self.event(caller, Outcome::Done, Act::WebhookDeleted { id: id.chars().take(80).collect() });
        let id = id.to_owned();
        self.store()
            .write(move |tx| {
                let found = find(tx, &id)?;
                tx.delete_webhook(&found.id)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Sends an example of `event`, or of the first event it wants, and tells what came back.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn test_webhook(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, ServerWide>,
        id: &str,
        event: Option<WebhookEvent>,
    ) -> Result<WebhookTest, AppError> {
        let wanted = id.to_owned();
        let webhook = self.store().read(move |tx| find(tx, &wanted)).await?;
        let event = event.or_else(|| webhook.events.iter().find_map(|text| WebhookEvent::from_text(text)));
        let Some(event) = event else { return Err(AppError::Invalid("the webhook asks for no event".to_owned())) };
        let act = Act::WebhookTested { id: webhook.id.clone(), event: event.to_string() };
        self.record(self.event(caller, Outcome::Done, act)).await?;
        Ok(match self.try_out(&webhook, body(event, self.now(), &event.example())).await {
            Ok(answer) => WebhookTest {
                success: answer.status < 400,
                status: Some(answer.status),
                body: Some(String::from_utf8_lossy(&answer.body).into_owned()),
                error: None,
            },
            Err(error) => WebhookTest {
                success: false,
                status: None,
                body: None,
                error: Some(format!("Failed to test webhook: {error}")),
            },
        })
    }

    /// What was sent to a webhook and what waits, the newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn webhook_deliveries(
        &self,
        _may: &Authorized<Administer, ServerWide>,
        id: &str,
        from: &PageToken,
        limit: u32,
    ) -> Result<Listing<DeliverySummary>, AppError> {
        let query = Query::of(&("webhook deliveries", id));
        let before = self.page_tokens().open_number(query, from)?;
        let (id, limit) = (id.to_owned(), limit.clamp(1, DELIVERIES_PER_PAGE));
        let mut found = self
            .store()
            .read(move |tx| {
                let webhook = find(tx, &id)?;
                Ok::<_, AppError>(tx.deliveries(webhook.number, before, limit + 1)?)
            })
            .await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let last = found.last().map(|last| last.number).filter(|_| more);
        Ok(self.page_tokens().numbered(query, found.into_iter().map(delivery_summary).collect(), last))
    }

    fn seal(&self, id: &str, secret: &Redacted<String>) -> Result<Vec<u8>, AppError> {
        if secret.expose().len() > SECRET_BYTES {
            return Err(AppError::Invalid(format!("a webhook's secret has at most {SECRET_BYTES} bytes")));
        }
        Ok(self.vault.seal_secret(&secret_context(id), secret)?)
    }

    fn summary(&self, webhook: Webhook) -> Result<WebhookSummary, AppError> {
        let url = self.webhook_url(&webhook)?.expose().clone();
        Ok(WebhookSummary {
            id: webhook.id,
            name: webhook.name,
            description: webhook.description,
            url,
            events: webhook.events.iter().filter_map(|text| WebhookEvent::from_text(text)).collect(),
            active: webhook.active,
            created: webhook.created,
            updated: webhook.updated,
        })
    }

    /// What a webhook of another server would send to, if it could be made here.
    pub(crate) fn check_webhook(
        &self,
        name: &str,
        description: &str,
        url: &str,
        events: &[String],
    ) -> Result<(Vec<WebhookEvent>, String), AppError> {
        check_name(name)?;
        check_description(description)?;
        let known: Vec<WebhookEvent> = events.iter().filter_map(|text| WebhookEvent::from_text(text)).collect();
        if known.len() < events.len() {
            return Err(AppError::Invalid("it wants an event that is not known".to_owned()));
        }
        check_events(&known)?;
        Ok((known, self.check_url(url)?))
    }

    /// In MLflow's words, which its clients match on. Gives what may stand in the ledger of it.
    fn check_url(&self, url: &str) -> Result<String, AppError> {
        let shown: String = url.chars().take(200).collect();
        if url.trim().is_empty() {
            return Err(AppError::Invalid(format!("Webhook URL cannot be empty or just whitespace: '{shown}'")));
        }
        self.outgoing.client().check(url).map(|target| target.origin()).map_err(|error| {
            AppError::Invalid(match error {
                OutboundError::Refused { rule: "outgoing.scheme", reason } => {
                    let scheme = shown.split(':').next().unwrap_or_default();
                    format!("Invalid webhook URL scheme: '{scheme}'. Allowed schemes are: https. ({reason})")
                }
                OutboundError::Refused { rule: "outgoing.address", reason } => {
                    format!("Webhook URL must not resolve to a non-public IP address: {reason}.")
                }
                error => format!("Invalid webhook URL '{shown}': {error}"),
            })
        })
    }
}

fn find(tx: &mut dyn Transaction, id: &str) -> Result<Webhook, AppError> {
    tx.webhook(id)?.ok_or_else(|| AppError::NotFound { kind: "webhook", id: id.chars().take(80).collect() })
}

fn check_name(name: &str) -> Result<(), AppError> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let good =
        name.len() <= NAME_CHARS && ends(name.bytes().next()) && ends(name.bytes().last()) && name.bytes().all(inner);
    if good {
        return Ok(());
    }
    Err(AppError::Invalid(format!(
        "Webhook name '{}' is invalid. It must start and end with a letter or digit, have at most {NAME_CHARS} characters, \
         and hold only letters, digits, dots (.), underscores (_), and hyphens (-).",
        name.chars().take(80).collect::<String>()
    )))
}

fn check_description(text: &str) -> Result<(), AppError> {
    if text.chars().count() > DESCRIPTION_CHARS {
        return Err(AppError::Invalid(format!("a webhook's description has at most {DESCRIPTION_CHARS} characters")));
    }
    // PostgreSQL can't keep it.
    if text.contains('\0') {
        return Err(AppError::Invalid("a webhook's description has no NUL character".to_owned()));
    }
    Ok(())
}

fn check_events(events: &[WebhookEvent]) -> Result<(), AppError> {
    if events.is_empty() {
        return Err(AppError::Invalid("Webhook events must be a non-empty list of WebhookEvent objects: [].".into()));
    }
    if events.len() > MOST_EVENTS {
        return Err(AppError::Invalid(format!("a webhook has at most {MOST_EVENTS} events")));
    }
    Ok(())
}

fn delivery_summary(delivery: Delivery) -> DeliverySummary {
    DeliverySummary {
        state: match (delivery.finished, delivery.delivered) {
            (None, _) => "waiting",
            (Some(_), true) => "delivered",
            (Some(_), false) => "given_up",
        },
        next_attempt: if delivery.finished.is_none() { Some(delivery.due) } else { None },
        id: delivery.id,
        event: delivery.event,
        created: delivery.created,
        attempts: delivery.attempts,
        finished: delivery.finished,
        status: delivery.status,
        error: delivery.error,
    }
}
