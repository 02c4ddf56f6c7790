//! Log-ins at SAML identity providers.
//!
//! | method | path | |
//! |---|---|---|
//! | GET | `/auth/saml/{provider}/metadata` | this server's metadata, for the provider |
//! | GET | `/auth/saml/{provider}/login` | sends the browser to the provider; `next` is a path to come back to |
//! | POST | `/auth/saml/{provider}/acs` | where the provider's page sends its response: begins a session |

mod acs;
mod login;
mod metadata;

use crate::http::Takes::Nobody;
use crate::http::routes::{Routes, get, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/auth/saml/{provider}/metadata", get(Nobody, metadata::handler))
        .route("/auth/saml/{provider}/login", get(Nobody, login::handler))
        .route("/auth/saml/{provider}/acs", post(Nobody, acs::handler))
}
