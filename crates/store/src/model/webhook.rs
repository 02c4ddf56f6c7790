use sealyard_core::Timestamp;

/// Someone elsewhere who wants to be told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its number, never reused.
    pub number: i64,
    /// What clients call it.
    pub id: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Where to send.
    pub url: String,
    /// The key of the signatures, sealed.
    pub secret: Option<Vec<u8>>,
    /// Whether it is sent anything.
    pub active: bool,
    /// What it wants, such as `model_version.created`, in the order it was asked for.
    pub events: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed.
    pub updated: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// Something to be delivered to a webhook, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number, never reused.
    pub number: i64,
    /// What the receiver knows it by, the same in each attempt.
    pub id: String,
    /// The webhook's number.
    pub webhook: i64,
    /// What happened.
    pub event: String,
    /// The bytes that are sent.
    pub body: String,
    /// When it happened.
    pub created: Timestamp,
    /// How often it was tried, or is being tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due: Timestamp,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was done with.
    pub finished: Option<Timestamp>,
    /// Whether the receiver took it.
    pub delivered: bool,
}

/// How many deliveries of one webhook are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryBounds {
    /// So many wait at most; further ones are given up at once.
    pub waiting: u64,
    /// So many that are done are kept, the newest.
    pub done: u32,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver took it.
    Delivered,
    /// It is tried again then.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}
