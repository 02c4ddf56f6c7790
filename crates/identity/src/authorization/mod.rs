//! Grants in, decisions out.

mod authorized;
mod authorizer;
mod explanation;
mod index;

pub use authorized::{Authorized, Denied};
pub use authorizer::Authorizer;
pub use explanation::{Considered, Effect, Explanation};
