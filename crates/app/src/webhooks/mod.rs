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

pub(crate) use announce::Happening;
pub(crate) use deliver::Outgoing;
pub use events::{WebhookAction, WebhookEntity, WebhookEvent};
pub(crate) use manage::MOST_WEBHOOKS;
pub use manage::{DeliverySummary, NewWebhook, WebhookChange, WebhookSummary, WebhookTest};

use sealyard_core::Rng;

/// An id as MLflow's webhooks and deliveries have: a random UUID (RFC 9562, version 4).
fn uuid(rng: &dyn Rng) -> String {
    let mut bytes = rng.bytes::<16>();
    if let Some(byte) = bytes.get_mut(6) {
        *byte = (*byte & 0x0f) | 0x40;
    }
    if let Some(byte) = bytes.get_mut(8) {
        *byte = (*byte & 0x3f) | 0x80;
    }
    let hex = hex::encode(bytes);
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    #[test]
    fn ids_are_uuids_of_version_4() {
        let id = super::uuid(&SystemRng);
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
        assert_ne!(id, super::uuid(&SystemRng));
    }
}
