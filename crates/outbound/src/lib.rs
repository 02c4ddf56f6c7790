//! The one client of requests that other people make the server send, such as webhooks, and of those that it sends to
//! parties that its operator named, such as identity providers.
//!
//! Whoever may name a URL could make the server knock at doors that only it can reach: the machine's own services, the
//! cluster's, a cloud's metadata address. So a URL is checked before it is kept, and again with every address that its
//! name has at the moment of sending; the connection goes to an address that was checked and to no other. What is not on
//! the public internet is refused unless the operator's [`AllowList`] names it. No redirect is followed, no proxy used,
//! no more than a little of the answer read, and everything has a time-out.
//!
//! ```
//! use sealyard_outbound::{AllowList, Outbound};
//! let outbound = Outbound::new(AllowList::default());
//! assert!(outbound.check("https://hooks.example.org/a").is_ok());
//! for bad in ["http://hooks.example.org/", "https://127.0.0.1/", "https://2130706433/", "https://[::ffff:10.0.0.1]/"] {
//!     assert!(outbound.check(bad).is_err(), "{bad}");
//! }
//! ```
#![forbid(unsafe_code)]

mod address;
mod allow;
mod client;
mod error;
mod resolver;
mod target;
mod webhook_signature;

pub use address::is_public;
pub use allow::{AllowList, AllowListError};
pub use client::{Ask, Exchange, LONGEST_ANSWER, Outbound, Response, system_roots};
pub use error::OutboundError;
pub use resolver::{Lookup, Resolver, SystemResolver};
pub use target::Target;
pub use webhook_signature::webhook_signature;
