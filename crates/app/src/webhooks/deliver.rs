//! Out of the outbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sealyard_core::{Rng, Timestamp};
use sealyard_outbound::{AllowList, Outbound, OutboundError, Response, webhook_signature};
use sealyard_store::model::{AttemptOutcome, Delivery, Webhook};
use tokio::sync::Notify;

use super::announce::BOUNDS;
use crate::{App, AppError};

/// Attempts before a delivery is given up.
const ATTEMPTS: u32 = 8;
/// Seconds until the second attempt; each later one waits four times as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: i64 = 5;
const LONGEST_WAIT: i64 = 4 * 3600;
/// The most that a receiver's `Retry-After` is heeded.
const LONGEST_RETRY_AFTER: i64 = 3600;
/// An attempt is over long before this many seconds are; a server that died is made up for after them.
const LEASE: i64 = 60;
/// Attempts at the same time, of one webhook and of all.
const AT_ONCE_EACH: usize = 4;
const AT_ONCE: usize = 32;
/// What was not announced is found after this long: retries, and what a dead process left.
const LATEST: Duration = Duration::from_secs(1);

/// The client, and what is under way.
#[derive(Debug)]
pub(crate) struct Outgoing {
    client: Arc<Outbound>,
    wake: Arc<Notify>,
    under_way: Mutex<HashMap<i64, usize>>,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new(Outbound::new(AllowList::default()))
    }
}

impl Outgoing {
    pub(crate) fn new(client: Outbound) -> Self {
        Self { client: Arc::new(client), wake: Arc::default(), under_way: Mutex::default() }
    }

    pub(super) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    pub(super) fn client(&self) -> &Outbound {
        &self.client
    }

    /// How many more attempts of this webhook may begin.
    fn room(&self, webhook: i64) -> usize {
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = under_way.values().sum();
        let each = AT_ONCE_EACH.saturating_sub(under_way.get(&webhook).copied().unwrap_or(0));
        each.min(AT_ONCE.saturating_sub(all))
    }

    fn begin(self: &Arc<Self>, webhook: i64) -> UnderWay {
        *self.under_way.lock().unwrap_or_else(PoisonError::into_inner).entry(webhook).or_default() += 1;
        UnderWay { outgoing: Arc::clone(self), webhook }
    }
}

/// Counts an attempt for as long as it lasts, however it ends.
struct UnderWay {
    outgoing: Arc<Outgoing>,
    webhook: i64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut under_way = self.outgoing.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.webhook) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.webhook);
            }
        }
        drop(under_way);
        self.outgoing.wake.notify_one();
    }
}

impl App {
    /// Sends what is in the outbox for as long as the server runs.
    pub async fn run_deliveries(self: Arc<Self>) {
        loop {
            match self.begin_deliveries().await {
                Ok(0) => {
                    if tokio::time::timeout(LATEST, self.outgoing.wake.notified()).await.is_ok() {
                        // Announced from within a transaction, which may be a moment from its commit.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "webhooks could not be looked after; it will be tried again");
                    tokio::time::sleep(LATEST).await;
                }
            }
        }
    }

    /// Begins an attempt for each delivery that is due and has a place. Gives how many.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn begin_deliveries(self: &Arc<Self>) -> Result<usize, AppError> {
        let waiting = self.store().read(|tx| Ok::<_, AppError>(tx.waiting_webhooks()?)).await?;
        let mut begun = 0;
        for webhook in waiting {
            let room = self.outgoing.room(webhook.number);
            if room == 0 {
                continue;
            }
            let (number, now) = (webhook.number, self.now());
            let limit = u32::try_from(room).unwrap_or(1);
            let due = self.store().read(move |tx| Ok::<_, AppError>(tx.due_deliveries(number, now)?)).await?;
            if !due {
                continue;
            }
            let claimed = self
                .store()
                .write(move |tx| Ok::<_, AppError>(tx.claim_deliveries(number, now, now.plus_seconds(LEASE), limit)?))
                .await?;
            for delivery in claimed {
                begun += 1;
                let place = self.outgoing.begin(number);
                let (app, webhook) = (Arc::clone(self), webhook.clone());
                tokio::spawn(async move {
                    let _place = place;
                    if let Err(error) = app.attempt(&webhook, &delivery).await {
                        // Its lease runs out and it is tried again.
                        tracing::warn!(webhook = %webhook.id, delivery = %delivery.id, %error, "an attempt broke");
                    }
                });
            }
        }
        Ok(begun)
    }

    async fn attempt(&self, webhook: &Webhook, delivery: &Delivery) -> Result<(), AppError> {
        let signed = self.sign(webhook, &delivery.id, &delivery.body);
        let result = match signed.and_then(|headers| Ok((headers, self.webhook_url(webhook)?))) {
            Ok((headers, url)) => {
                let body = Bytes::from(delivery.body.clone());
                self.outgoing.client.post(url.expose(), &headers, body).await.map_err(Trouble::from)
            }
            // The key may be back at the next start.
            Err(error) => Err(Trouble { text: error.to_string(), lasting: false }),
        };
        let now = self.now();
        let (outcome, status, error) = judge(&result, delivery.attempts, now, &*self.rng);
        if outcome == AttemptOutcome::GivenUp {
            tracing::warn!(webhook = %webhook.id, delivery = %delivery.id, ?status, ?error, "a delivery was given up");
        }
        let delivery = delivery.clone();
        self.store()
            .write(move |tx| Ok(tx.finish_attempt(&delivery, &outcome, status, error.as_deref(), now, BOUNDS)?))
            .await
    }

    /// Sends something made up, once and at once.
    pub(super) async fn try_out(&self, webhook: &Webhook, body: String) -> Result<Response, String> {
        let headers = self.sign(webhook, &self.rng.uuid(), &body).map_err(|error| error.to_string())?;
        let url = self.webhook_url(webhook).map_err(|error| error.to_string())?;
        let sent = self.outgoing.client.post(url.expose(), &headers, Bytes::from(body)).await;
        sent.map_err(|error| error.to_string())
    }

    /// MLflow's headers. The signature is of this attempt's moment, so that an old one can't be sent again unnoticed.
    fn sign(&self, webhook: &Webhook, id: &str, body: &str) -> Result<Vec<(&'static str, String)>, AppError> {
        let timestamp = (self.now().as_millis() / 1000).to_string();
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-MLflow-Delivery-Id", id.to_owned()),
            ("X-MLflow-Timestamp", timestamp.clone()),
        ];
        if let Some(sealed) = &webhook.secret {
            let secret = self.vault.unseal_secret(&secret_context(&webhook.id), sealed)?;
            headers.push(("X-MLflow-Signature", webhook_signature(&secret, id, &timestamp, body)));
        }
        Ok(headers)
    }
}

/// What a webhook's secret is sealed for.
pub(super) fn secret_context(id: &str) -> String {
    format!("webhook/{id}")
}

/// Why nothing came back.
struct Trouble {
    text: String,
    /// Whether another attempt would end the same.
    lasting: bool,
}

impl From<OutboundError> for Trouble {
    fn from(error: OutboundError) -> Self {
        Self { lasting: error.rule().is_some(), text: error.to_string() }
    }
}

fn judge(
    result: &Result<Response, Trouble>,
    attempts: u32,
    now: Timestamp,
    rng: &dyn Rng,
) -> (AttemptOutcome, Option<u16>, Option<String>) {
    let (again, status, error, asked) = match result {
        Ok(answer) if (200..300).contains(&answer.status) => {
            return (AttemptOutcome::Delivered, Some(answer.status), None);
        }
        Ok(answer) => {
            let again = matches!(answer.status, 408 | 425 | 429 | 500..=599);
            let error = format!("the receiver answered {}", answer.status);
            (again, Some(answer.status), error, answer.retry_after)
        }
        Err(trouble) => (!trouble.lasting, None, trouble.text.clone(), None),
    };
    if !again || attempts >= ATTEMPTS {
        return (AttemptOutcome::GivenUp, status, Some(error));
    }
    let asked = asked.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0).min(LONGEST_RETRY_AFTER);
    let due = now.plus_seconds(wait(attempts, rng).max(asked));
    (AttemptOutcome::Again(due), status, Some(error))
}

/// Seconds before the attempt after `attempts`: growing, and up to a half more or less, so that receivers that come back
/// are not met by everything at once.
fn wait(attempts: u32, rng: &dyn Rng) -> i64 {
    let grown = FIRST_WAIT.saturating_mul(4_i64.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_WAIT);
    let [low, high] = rng.bytes::<2>();
    let jitter = i64::from(u16::from_be_bytes([low, high]));
    (grown / 2 + grown * jitter / i64::from(u16::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    #[test]
    fn waits_grow_and_differ_and_end() {
        for (attempts, middle) in [(1, 5), (2, 20), (3, 80), (4, 320), (5, 1280), (6, 5120), (7, 14_400), (60, 14_400)]
        {
            for _ in 0..50 {
                let seconds = wait(attempts, &SystemRng);
                assert!((middle / 2..=middle * 3 / 2).contains(&seconds), "{attempts}: {seconds}");
            }
        }
        let many: std::collections::HashSet<_> = (0..50).map(|_| wait(6, &SystemRng)).collect();
        assert!(many.len() > 20);
    }

    fn answer(status: u16, retry_after: Option<u64>) -> Result<Response, Trouble> {
        Ok(Response { status, body: Vec::new(), retry_after })
    }

    #[test]
    fn what_can_pass_is_tried_again_and_no_more_than_so_often() {
        let now = Timestamp::from_millis(0);
        let outcome = |result: &Result<Response, Trouble>, attempts| judge(result, attempts, now, &SystemRng).0;
        for status in [200, 202, 204] {
            assert_eq!(outcome(&answer(status, None), 1), AttemptOutcome::Delivered, "{status}");
        }
        for status in [301, 307, 400, 401, 404, 410] {
            assert_eq!(outcome(&answer(status, None), 1), AttemptOutcome::GivenUp, "{status}");
        }
        for status in [408, 429, 500, 502, 503] {
            assert!(matches!(outcome(&answer(status, None), 7), AttemptOutcome::Again(_)), "{status}");
            assert_eq!(outcome(&answer(status, None), 8), AttemptOutcome::GivenUp, "{status}");
        }
        let AttemptOutcome::Again(due) = outcome(&answer(503, Some(600)), 1) else { panic!() };
        assert_eq!(due, now.plus_seconds(600));
        let AttemptOutcome::Again(due) = outcome(&answer(503, Some(u64::MAX)), 1) else { panic!() };
        assert!(due <= now.plus_seconds(LONGEST_RETRY_AFTER));
        let refused = Err(Trouble { text: String::new(), lasting: true });
        assert_eq!(outcome(&refused, 1), AttemptOutcome::GivenUp);
        let silent = Err(Trouble { text: String::new(), lasting: false });
        assert!(matches!(outcome(&silent, 1), AttemptOutcome::Again(_)));
    }
}
