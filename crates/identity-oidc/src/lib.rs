//! OpenID Connect: people log in at an identity provider, machines show a token that one signed.
//!
//! A [`Provider`] is made of what the operator wrote down about one. For people it begins a log-in
//! ([`Provider::begin`]: code flow with PKCE, state and nonce, bound to the browser by a sealed cookie), ends it
//! ([`Provider::finish`]: a [`Person`]) and reads the provider's word that somebody logged out
//! ([`Provider::logout`]). For machines [`Providers::machine`] finds out which account a bearer token stands for.
//!
//! Everything that a provider or a client sends is hostile until its signature, issuer, audience and times were checked:
//! bounded before it is read, JSON with a name twice is refused, and algorithms come from a list of asymmetric ones. Nothing
//! in here knows of accounts or of HTTP servers; requests go out through [`sealyard_outbound`] alone.
#![forbid(unsafe_code)]

mod cached;
mod claims;
mod discovery;
mod error;
mod exchange;
mod flow;
mod jws;
mod keys;
mod logout;
mod machine;
mod person;
mod provider;
mod providers;
mod sealed;
mod settings;
mod verify;

pub use claims::{Claims, ClaimsError};
pub use error::OidcError;
pub use flow::{Begun, Finished};
pub use logout::LoggedOut;
pub use machine::{Machine, MachineRule};
pub use person::Person;
pub use provider::{Kind, Provider};
pub use providers::Providers;
pub use sealed::StateKey;
pub use settings::{ClientAuthentication, ProviderSettings, SettingsError};
