//! Webhooks: telling others, elsewhere, what happened in the registry.
//!
//! What is to be told is written into an outbox in the same transaction as the act ([`announce`]); a worker takes it from
//! there ([`deliver`]) and sends it through the one client of outgoing requests. So nothing that was acknowledged goes
//! untold when the server is killed, nothing that was undone is told, and no request waits for a receiver. A receiver can
//! be told twice; the delivery's id is the same both times.

mod announce;
mod deliver;
mod events;
mod manage;
mod url;

pub(crate) use announce::Happening;
pub(crate) use deliver::Outgoing;
pub use events::{WebhookAction, WebhookEntity, WebhookEvent};
pub(crate) use manage::MOST_WEBHOOKS;
pub use manage::{DeliverySummary, NewWebhook, WebhookChange, WebhookSummary, WebhookTest};
