//! Sealyard's own API, below `/api/sealyard/v1`.

mod gates;
mod grants;
mod ledger;
mod logged_model;
mod models;
mod tokens;
mod users;
mod whoami;

use axum::Router;
use axum::routing::get;

use crate::http::ApiState;

/// All routes.
pub(crate) fn routes() -> Router<ApiState> {
    let v1 = Router::new()
        .route("/whoami", get(whoami::handler))
        .route("/logged-models/{id}/manifest", get(logged_model::handler))
        .merge(models::routes())
        .merge(gates::routes())
        .merge(ledger::routes())
        .merge(tokens::routes())
        .merge(users::routes())
        .merge(grants::routes());
    Router::new().nest("/api/sealyard/v1", v1)
}
