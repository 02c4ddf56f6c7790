//! Who someone is and what they may do: principals, passwords, tokens, grants and the [`Authorizer`].
//!
//! Nothing in here talks to a database or to HTTP. An authenticator turns a password, a session or a token into a
//! [`Principal`]; the [`Authorizer`], built from every [`Grant`] and [`Membership`], turns a principal, an action and
//! a resource into an [`Authorized`], and nothing else can:
//!
//! ```compile_fail,E0451
//! use sealyard_identity::{Authorized, Edit, ExperimentId, Principal};
//! fn forge(principal: Principal, resource: ExperimentId) -> Authorized<Edit, ExperimentId> {
//!     Authorized { principal, resource, action: std::marker::PhantomData }
//! }
//! ```
//!
//! So a function that edits an experiment takes an `&Authorized<Edit, ExperimentId>`, and can't be called without a
//! decision:
//!
//! ```
//! use sealyard_identity::*;
//! fn rename(may: &Authorized<Edit, ExperimentId>) -> String { format!("{} renames {}", may.principal().name, may.resource()) }
//!
//! let ada = Principal {
//!     id: PrincipalId::new("u1").unwrap(), name: PrincipalName::new("ada").unwrap(), admin: false, via: Via::Session,
//! };
//! let grant = Grant {
//!     grantee: Grantee::Principal(ada.id.clone()),
//!     pattern: "experiment:7".parse().unwrap(),
//!     right: Right::Level(Permission::Edit),
//! };
//! let authorizer = Authorizer::new(vec![grant], vec![]);
//! let may = authorizer.authorize(&WorkspaceName::default(), &ada, Edit, ExperimentId::new("7").unwrap()).unwrap();
//! assert_eq!(rename(&may), "ada renames 7");
//! assert!(authorizer.authorize(&WorkspaceName::default(), &ada, Edit, ExperimentId::new("8").unwrap()).is_err());
//! ```
//!
//! Acts that only make sense on a registered model don't compile on anything else:
//!
//! ```compile_fail,E0277
//! use sealyard_identity::*;
//! fn wrong(authorizer: &Authorizer, ada: &Principal, id: ExperimentId) {
//!     let _ = authorizer.authorize(&WorkspaceName::default(), ada, Promote, id);
//! }
//! ```
#![forbid(unsafe_code)]

mod action;
mod authorization;
mod common_password;
mod directory;
mod grant;
mod local_path;
mod password;
mod permission;
mod principal;
mod resource;
mod scope;
mod session;
mod throttle;
mod token;
mod totp;

pub use action::{
    Act, Action, ActionError, ActionKind, ActsOn, Administer, Approve, BreakGlass, Deploy, Edit, Implies, Manage,
    Promote, Provision, Publish, Read, Use,
};
pub use authorization::{Authorized, Authorizer, Considered, Denied, Effect, Explanation};
pub use directory::{Answer, DirectoryError, DirectoryPerson, PasswordDirectory};
pub use grant::{Grant, Grantee, IdPattern, Membership, ResourcePattern, ResourcePatternError, Right, RightError};
pub use local_path::local_path;
pub use password::{DummyHash, PasswordError, PasswordHash, generate_password};
pub use permission::{Permission, PermissionError};
pub use principal::{GroupId, IdentifierError, Principal, PrincipalId, PrincipalName, RoleName, TokenId, Via};
pub use resource::{
    DatasetId, ExperimentId, GatewayEndpointId, GatewayModelDefinitionId, GatewaySecretId, LedgerLog, ModelName,
    PolicySet, ProtectedResource, RegistryEntry, Resource, ResourceIdError, ResourceKind, ServerWide, UserDirectory,
    WorkspaceName,
};
pub use scope::{Scope, ScopeError};
pub use session::{SessionSecret, SessionSecretError};
pub use throttle::{Attempt, LoginThrottle, Throttled, network};
pub use token::{Token, TokenError, TokenHash};
pub use totp::{RecoveryCodes, TotpSecret};
