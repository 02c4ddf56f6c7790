//! Rights of single users on single things of the gateway, given and taken by whoever may MANAGE the thing.

mod create;
mod delete;
mod get;
mod kind;
mod update;

use self::kind::{Definition, Endpoint, Secret};
use crate::http::Takes::Manage;
use crate::http::routes::{Routes, delete, get, patch, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/gateway/secrets/permissions/create", post(Manage, create::handler::<Secret>))
        .route("/gateway/secrets/permissions/get", get(Manage, self::get::handler::<Secret>))
        .route("/gateway/secrets/permissions/update", patch(Manage, update::handler::<Secret>))
        .route("/gateway/secrets/permissions/delete", delete(Manage, self::delete::handler::<Secret>))
        .route("/gateway/model-definitions/permissions/create", post(Manage, create::handler::<Definition>))
        .route("/gateway/model-definitions/permissions/get", get(Manage, self::get::handler::<Definition>))
        .route("/gateway/model-definitions/permissions/update", patch(Manage, update::handler::<Definition>))
        .route("/gateway/model-definitions/permissions/delete", delete(Manage, self::delete::handler::<Definition>))
        .route("/gateway/endpoints/permissions/create", post(Manage, create::handler::<Endpoint>))
        .route("/gateway/endpoints/permissions/get", get(Manage, self::get::handler::<Endpoint>))
        .route("/gateway/endpoints/permissions/update", patch(Manage, update::handler::<Endpoint>))
        .route("/gateway/endpoints/permissions/delete", delete(Manage, self::delete::handler::<Endpoint>))
}
