use std::fmt;
use std::str::FromStr;

use sealyard_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::scope::Scope;

/// A name, id or role that can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "{text:?} is not a {what}: 1 to {longest} characters of A–Z, a–z, 0–9 and . _ - @ +, the first a letter or digit"
)]
pub struct IdentifierError {
    /// What it should have been.
    pub what: &'static str,
    /// Its beginning.
    pub text: String,
    /// The most characters it may have.
    pub longest: usize,
}

/// Only plain ASCII: names are compared, logged and shown to the people who grant rights, so two of them must never
/// look the same, and `:` would break Basic authentication.
fn check(what: &'static str, longest: usize, text: &str) -> Result<(), IdentifierError> {
    let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
    if starts_well && text.len() <= longest && text.bytes().all(inner) {
        return Ok(());
    }
    Err(IdentifierError { what, text: text.chars().take(80).collect(), longest })
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident($what:literal, $longest:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text` and takes it.
            ///
            /// # Errors
            /// [`IdentifierError`] when it is empty, too long or holds other characters than allowed.
            pub fn new(text: impl Into<String>) -> Result<Self, IdentifierError> {
                let text = text.into();
                check($what, $longest, &text)?;
                Ok(Self(text))
            }

            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    )*};
}

identifiers! {
    /// What a person or machine signs in with and is shown as.
    PrincipalName("user name", 128);
    /// What grants and ledger events hold on to; a renamed principal keeps it.
    PrincipalId("principal id", 64);
    /// What grants call a group of principals.
    GroupId("group id", 64);
    /// The name of a role.
    RoleName("role name", 128);
    /// What a token is listed and revoked by. Not the token.
    TokenId("token id", 64);
}

/// Someone who has proved who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Stays the same for ever.
    pub id: PrincipalId,
    /// How they sign in.
    pub name: PrincipalName,
    /// Whether they have MANAGE on everything.
    pub admin: bool,
    /// How they proved it.
    pub via: Via,
}

impl Principal {
    /// The scopes that limit this principal; `None` when only its grants do.
    #[must_use]
    pub fn scopes(&self) -> Option<&[Scope]> {
        match &self.via {
            Via::Token { scopes, .. } => Some(scopes),
            Via::Session | Via::Password | Via::External { .. } | Via::Open => None,
        }
    }

    /// Whether what they proved it with has run out at `now`. A token that expires now has expired.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let ends = match &self.via {
            Via::Token { expires, .. } | Via::External { expires, .. } => *expires,
            Via::Session | Via::Password | Via::Open => None,
        };
        ends.is_some_and(|ends| ends <= now)
    }
}

/// How a principal proved who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Via {
    /// A browser's session.
    Session,
    /// Name and password with the request.
    Password,
    /// Somebody else vouches for it: a provider of identities, or who issued a certificate.
    External {
        /// Which, by its name in the settings.
        provider: String,
        /// When that ends.
        expires: Option<Timestamp>,
    },
    /// Not at all: the server was started so that everybody who reaches it may do everything.
    Open,
    /// A token, which can be narrower than its owner.
    Token {
        /// Which one.
        token_id: TokenId,
        /// All that it may do; an empty list is nothing at all.
        scopes: Vec<Scope>,
        /// When it ends.
        expires: Option<Timestamp>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["ada", "ada.lovelace@example.org", "Job-7", "a+b_c"] {
            assert!(PrincipalName::new(name).is_ok(), "{name}");
        }
        for name in ["", "a:b", "a b", " ada", "ada\n", "аda", ".ada", "-ada", "a/b", "*", &"a".repeat(129)] {
            assert!(PrincipalName::new(name).is_err(), "{name}");
        }
        assert!(serde_json::from_str::<PrincipalName>("\"a:b\"").is_err());
    }

    #[test]
    fn a_token_expires_at_its_moment() {
        let at = Timestamp::from_millis(1000);
        let via = Via::Token { token_id: TokenId::new("t").unwrap(), scopes: vec![], expires: Some(at) };
        let principal = Principal {
            id: PrincipalId::new("1").unwrap(),
            name: PrincipalName::new("ada").unwrap(),
            admin: false,
            via,
        };
        assert!(!principal.is_expired(Timestamp::from_millis(999)));
        assert!(principal.is_expired(at));
    }
}
