//! Sealyard's own API, below `/api/sealyard/v1`.

mod access;
mod account;
mod artifacts;
mod doctor;
mod gates;
mod grants;
mod groups;
mod ledger;
mod logged_model;
mod models;
mod runs;
mod sessions;
mod tokens;
mod users;
mod vault;
mod webhooks;
mod whoami;

use crate::http::Takes::{Administrator, Read, Somebody};
use crate::http::routes::{Routes, get};

/// All routes.
pub(crate) fn routes() -> Routes {
    let v1 = Routes::new()
        .route("/whoami", get(Somebody, whoami::handler))
        .route("/doctor", get(Administrator, doctor::handler))
        .route("/logged-models/{id}/manifest", get(Read, logged_model::handler))
        .merge(access::routes())
        .merge(account::routes())
        .merge(sessions::routes())
        .merge(artifacts::routes())
        .merge(models::routes())
        .merge(runs::routes())
        .merge(gates::routes())
        .merge(ledger::routes())
        .merge(tokens::routes())
        .merge(users::routes())
        .merge(vault::routes())
        .merge(webhooks::routes())
        .merge(grants::routes())
        .merge(groups::routes());
    Routes::new().nest("/api/sealyard/v1", v1)
}
