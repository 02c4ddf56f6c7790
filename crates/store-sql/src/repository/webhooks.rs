use sealyard_core::Timestamp;
use sealyard_store::model::{AttemptOutcome, Delivery, DeliveryBounds, Webhook};
use sealyard_store::{StoreError, Webhooks};

use super::convert::{Columns as _, integer, not_found};
use crate::doors::ALL;
use crate::error::backend;
use crate::session::Session;
use crate::sql::Row;

const WEBHOOK: &str =
    "SELECT number, id, name, description, url, secret, active, events, created, updated, created_by FROM webhooks";
const DELIVERY: &str =
    "SELECT number, id, webhook, event, body, created, attempts, due, status, error, finished, delivered
     FROM webhook_deliveries";

impl Webhooks for Session<'_> {
    fn create_webhook(&mut self, webhook: &Webhook) -> Result<Webhook, StoreError> {
        let events = serde_json::to_string(&webhook.events).map_err(backend)?;
        self.check_workspace()?;
        let number: Option<i64> = self.optional(
            "INSERT INTO webhooks
                 (id, name, description, url, secret, active, events, created, updated, created_by, workspace)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING number",
            (
                &webhook.id,
                &webhook.name,
                &webhook.description,
                &webhook.url,
                &webhook.secret,
                webhook.active,
                events,
                webhook.created.as_millis(),
                webhook.updated.as_millis(),
                &webhook.created_by,
                self.workspace(),
            ),
            |row| row.get(0),
        )?;
        let number = number.ok_or_else(|| not_found("webhook", &webhook.id))?;
        self.put_webhook_events(number, &webhook.events)?;
        Ok(Webhook { number, ..webhook.clone() })
    }

    fn webhook(&mut self, id: &str) -> Result<Option<Webhook>, StoreError> {
        self.optional(&format!("{WEBHOOK} WHERE id = ?1 AND workspace = ?2"), (id, self.workspace()), read_webhook)
    }

    fn webhooks(&mut self, after: i64, limit: u32) -> Result<Vec<Webhook>, StoreError> {
        let sql = format!("{WEBHOOK} WHERE number > ?1 AND workspace = ?3 ORDER BY number LIMIT ?2");
        self.all(&sql, (after, i64::from(limit), self.workspace()), read_webhook)
    }

    fn count_webhooks(&mut self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM webhooks WHERE workspace = ?1";
        Ok(self.optional(sql, [self.workspace()], |row| row.unsigned(0))?.unwrap_or(0))
    }

    fn update_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        let events = serde_json::to_string(&webhook.events).map_err(backend)?;
        let changed = self.execute(
            "UPDATE webhooks SET name = ?2, description = ?3, url = ?4, secret = ?5, active = ?6, events = ?7, updated = ?8
             WHERE id = ?1 AND workspace = ?9",
            (
                &webhook.id,
                &webhook.name,
                &webhook.description,
                &webhook.url,
                &webhook.secret,
                webhook.active,
                events,
                webhook.updated.as_millis(),
                self.workspace(),
            ),
        )?;
        if changed == 0 {
            return Err(not_found("webhook", &webhook.id));
        }
        self.execute("DELETE FROM webhook_events WHERE webhook = ?1", [webhook.number])?;
        self.put_webhook_events(webhook.number, &webhook.events)?;
        if !webhook.active {
            self.execute(
                "UPDATE webhook_deliveries SET finished = ?2, error = 'the webhook was disabled'
                 WHERE webhook = ?1 AND finished IS NULL",
                (webhook.number, webhook.updated.as_millis()),
            )?;
            self.execute("UPDATE webhooks SET waiting = 0 WHERE number = ?1", [webhook.number])?;
        }
        Ok(())
    }

    fn delete_webhook(&mut self, id: &str) -> Result<(), StoreError> {
        match self.execute("DELETE FROM webhooks WHERE id = ?1 AND workspace = ?2", (id, self.workspace()))? {
            0 => Err(not_found("webhook", id)),
            _ => Ok(()),
        }
    }

    fn webhooks_for(&mut self, event: &str) -> Result<Vec<i64>, StoreError> {
        self.all(
            "SELECT webhooks.number FROM webhook_events JOIN webhooks ON webhooks.number = webhook_events.webhook
             WHERE webhook_events.event = ?1 AND webhooks.active = 1 AND webhooks.workspace = ?2
             ORDER BY webhooks.number",
            (event, self.workspace()),
            |row| row.get(0),
        )
    }

    fn add_delivery(&mut self, delivery: &Delivery, bounds: DeliveryBounds) -> Result<(), StoreError> {
        let room = self.execute(
            "UPDATE webhooks SET waiting = waiting + 1 WHERE number = ?1 AND waiting < ?2",
            (delivery.webhook, integer(bounds.waiting)?),
        )? == 1;
        let (finished, error) = if room {
            (None, None)
        } else {
            (Some(delivery.created.as_millis()), Some("too many deliveries are waiting"))
        };
        self.execute(
            "INSERT INTO webhook_deliveries (id, webhook, event, body, created, due, finished, error)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            (
                &delivery.id,
                delivery.webhook,
                &delivery.event,
                &delivery.body,
                delivery.created.as_millis(),
                delivery.due.as_millis(),
                finished,
                error,
            ),
        )?;
        if room { Ok(()) } else { self.forget_done(delivery.webhook, bounds) }
    }

    fn waiting_webhooks(&mut self) -> Result<Vec<Webhook>, StoreError> {
        self.all(&format!("{ALL} {WEBHOOK} WHERE waiting > 0 ORDER BY number"), [], read_webhook)
    }

    fn due_deliveries(&mut self, webhook: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.exists(
            "SELECT 1 FROM webhook_deliveries WHERE webhook = ?1 AND finished IS NULL AND due <= ?2 LIMIT 1",
            (webhook, now.as_millis()),
        )
    }

    fn claim_deliveries(
        &mut self,
        webhook: i64,
        now: Timestamp,
        lease: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql =
            format!("{DELIVERY} WHERE webhook = ?1 AND finished IS NULL AND due <= ?2 ORDER BY due, number LIMIT ?3");
        let found = self.all(&sql, (webhook, now.as_millis(), i64::from(limit)), read_delivery)?;
        let mut claimed = Vec::with_capacity(found.len());
        for delivery in found {
            // Another replica may have been faster since the rows were read.
            let mine = self.execute(
                "UPDATE webhook_deliveries SET due = ?3, attempts = attempts + 1
                 WHERE number = ?1 AND attempts = ?2 AND finished IS NULL",
                (delivery.number, i64::from(delivery.attempts), lease.as_millis()),
            )? == 1;
            if mine {
                claimed.push(Delivery { attempts: delivery.attempts + 1, due: lease, ..delivery });
            }
        }
        Ok(claimed)
    }

    fn finish_attempt(
        &mut self,
        delivery: &Delivery,
        outcome: &AttemptOutcome,
        status: Option<u16>,
        error: Option<&str>,
        now: Timestamp,
        bounds: DeliveryBounds,
    ) -> Result<(), StoreError> {
        let (due, finished) = match outcome {
            AttemptOutcome::Again(due) => (*due, None),
            AttemptOutcome::Delivered | AttemptOutcome::GivenUp => (now, Some(now.as_millis())),
        };
        let noted = self.execute(
            "UPDATE webhook_deliveries SET due = ?3, status = ?4, error = ?5, finished = ?6, delivered = ?7
             WHERE number = ?1 AND attempts = ?2 AND finished IS NULL",
            (
                delivery.number,
                i64::from(delivery.attempts),
                due.as_millis(),
                status.map(i64::from),
                error,
                finished,
                *outcome == AttemptOutcome::Delivered,
            ),
        )?;
        if noted == 0 || finished.is_none() {
            return Ok(());
        }
        self.execute(
            "UPDATE webhooks SET waiting = waiting - 1 WHERE number = ?1 AND waiting > 0",
            [delivery.webhook],
        )?;
        self.forget_done(delivery.webhook, bounds)
    }

    fn deliveries(&mut self, webhook: i64, before: Option<i64>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!("{DELIVERY} WHERE webhook = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3");
        self.all(&sql, (webhook, before.unwrap_or(i64::MAX), i64::from(limit)), read_delivery)
    }
}

impl Session<'_> {
    fn forget_done(&mut self, webhook: i64, bounds: DeliveryBounds) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM webhook_deliveries WHERE webhook = ?1 AND finished IS NOT NULL AND number <=
               (SELECT number FROM webhook_deliveries WHERE webhook = ?1 AND finished IS NOT NULL
                ORDER BY number DESC LIMIT 1 OFFSET ?2)",
            (webhook, i64::from(bounds.done)),
        )?;
        Ok(())
    }

    fn put_webhook_events(&mut self, webhook: i64, events: &[String]) -> Result<(), StoreError> {
        for event in events {
            self.execute(
                "INSERT INTO webhook_events (event, webhook) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (event, webhook),
            )?;
        }
        Ok(())
    }
}

fn read_webhook(row: &Row<'_>) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        number: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        url: row.get(4)?,
        secret: row.get(5)?,
        active: row.get(6)?,
        events: row.named(7, |text| serde_json::from_str(text).ok())?,
        created: row.timestamp(8)?,
        updated: row.timestamp(9)?,
        created_by: row.get(10)?,
    })
}

fn read_delivery(row: &Row<'_>) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        number: row.get(0)?,
        id: row.get(1)?,
        webhook: row.get(2)?,
        event: row.get(3)?,
        body: row.get(4)?,
        created: row.timestamp(5)?,
        attempts: row.get(6)?,
        due: row.timestamp(7)?,
        status: row.get::<Option<i64>>(8)?.and_then(|status| u16::try_from(status).ok()),
        error: row.get(9)?,
        finished: row.optional_timestamp(10)?,
        delivered: row.get(11)?,
    })
}
