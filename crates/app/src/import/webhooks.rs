use sealyard_ledger::Act;
use sealyard_store::import::SourceWebhook;
use sealyard_store::model::Webhook;

use super::progress::Place;
use super::{Import, PAGE};
use crate::webhooks::MOST_WEBHOOKS;
use crate::{App, AppError};

impl Import {
    /// Webhooks, inactive: who gets what is for somebody to say who has looked at it, and their secrets can't be read.
    pub(super) fn webhooks(&mut self) -> Result<(), AppError> {
        // Those that are in already count, also those of a call that was stopped.
        let mut count = self.read(|tx| Ok(tx.count_webhooks()?))?;
        loop {
            if self.stopped() {
                return Ok(());
            }
            let some = self.source.webhooks(&self.place.after, PAGE)?;
            let Some(last) = some.last().map(|last| last.id.clone()) else { return self.next_phase() };
            let mut place = self.place.at(last);
            let mut webhooks = Vec::new();
            for webhook in some {
                if let Some((webhook, origin)) = webhook_to_store(&self.app, webhook, count, &mut place) {
                    let (id, name, events) = (webhook.id.clone(), webhook.name.clone(), webhook.events.clone());
                    let event = self.event(Act::WebhookCreated { id, name, origin, events });
                    webhooks.push((webhook, event));
                    count += 1;
                }
            }
            self.write(place, move |tx| {
                for (webhook, event) in &webhooks {
                    if tx.webhook(&webhook.id)?.is_none() {
                        tx.create_webhook(webhook)?;
                        tx.record(event)?;
                    }
                }
                Ok(())
            })?;
            self.say(&format!("webhooks: {count}"));
        }
    }
}

/// A webhook as it is to be here and where it sends to, if it can be. `count` is how many there are already.
pub(super) fn webhook_to_store(
    app: &App,
    webhook: SourceWebhook,
    count: u64,
    place: &mut Place,
) -> Option<(Webhook, String)> {
    let what = format!("webhooks:/{}", webhook.id);
    match checked(app, webhook, count) {
        Ok(made) => Some(made),
        Err(reason) => {
            place.refuse(&what, "webhook.bounds", reason);
            None
        }
    }
}

fn checked(app: &App, webhook: SourceWebhook, count: u64) -> Result<(Webhook, String), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if webhook.id.is_empty() || webhook.id.len() > 256 || !webhook.id.bytes().all(plain) {
        return Err("its id is none of a webhook".to_owned());
    }
    if count >= MOST_WEBHOOKS {
        return Err(format!("there are {MOST_WEBHOOKS} webhooks already"));
    }
    let SourceWebhook { id, name, description, url, events, created, updated } = webhook;
    let (events, origin) = app
        .check_webhook(&name, &description, &url, &events)
        .map_err(|error| error.to_string().chars().take(500).collect::<String>())?;
    let url = app.sealed_webhook_url(&id, &url).map_err(|error| error.to_string())?;
    let webhook = Webhook {
        number: 0,
        id,
        name,
        description,
        url,
        secret: None,
        active: false,
        events: events.iter().map(ToString::to_string).collect(),
        created,
        updated,
        created_by: "system".to_owned(),
    };
    Ok((webhook, origin))
}
