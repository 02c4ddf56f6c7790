use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{AttemptOutcome, Delivery, DeliveryBounds, Webhook};

type Result<T> = std::result::Result<T, StoreError>;

/// Webhooks, and the outbox of what is sent to them.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Webhooks {
    /// The record's number is ignored; the new one is in the answer.
    fn create_webhook(&mut self, webhook: &Webhook) -> Result<Webhook>;
    fn webhook(&mut self, id: &str) -> Result<Option<Webhook>>;
    /// By number, those after `after`.
    fn webhooks(&mut self, after: i64, limit: u32) -> Result<Vec<Webhook>>;
    fn count_webhooks(&mut self) -> Result<u64>;
    /// All but number, id and creation. One that is no longer active has its waiting deliveries given up.
    fn update_webhook(&mut self, webhook: &Webhook) -> Result<()>;
    /// With its deliveries.
    fn delete_webhook(&mut self, id: &str) -> Result<()>;

    /// Numbers of the active webhooks that want `event`.
    fn webhooks_for(&mut self, event: &str) -> Result<Vec<i64>>;
    /// Puts a delivery into the outbox; its number is ignored. Beyond the bound it is given up at once.
    fn add_delivery(&mut self, delivery: &Delivery, bounds: DeliveryBounds) -> Result<()>;
    /// Webhooks with deliveries that are not done.
    fn waiting_webhooks(&mut self) -> Result<Vec<Webhook>>;
    /// Whether any of the webhook's deliveries is due.
    fn due_deliveries(&mut self, webhook: i64, now: Timestamp) -> Result<bool>;
    /// Takes up to `limit` deliveries that are due, for an attempt that ends before `lease` does: until then nobody else
    /// gets them. The attempt is counted.
    fn claim_deliveries(&mut self, webhook: i64, now: Timestamp, lease: Timestamp, limit: u32)
    -> Result<Vec<Delivery>>;
    /// Notes what became of the attempt that was claimed as `delivery`, and forgets the oldest of those that are
    /// done. Nothing happens when somebody else has claimed it since, or the webhook is gone.
    fn finish_attempt(
        &mut self,
        delivery: &Delivery,
        outcome: &AttemptOutcome,
        status: Option<u16>,
        error: Option<&str>,
        now: Timestamp,
        bounds: DeliveryBounds,
    ) -> Result<()>;
    /// The newest first, those before `before` if it is given.
    fn deliveries(&mut self, webhook: i64, before: Option<i64>, limit: u32) -> Result<Vec<Delivery>>;
}
