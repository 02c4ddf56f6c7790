//! `…/permissions/…`: rights of single users on single things, given and taken by whoever may MANAGE the thing. The handlers are
//! the same for every kind of thing.

mod create;
mod delete;
mod get;
mod kind;
mod update;
mod view;

use self::kind::{Definition, Endpoint, Experiment, RegisteredModel, Secret};
use crate::http::Takes::Manage;
use crate::http::routes::{Routes, delete, get, patch, post};

pub(super) use view::{ExperimentPermissionView, ModelPermissionView};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/experiments/permissions/create", post(Manage, create::handler::<Experiment>))
        .route("/experiments/permissions/get", get(Manage, self::get::handler::<Experiment>))
        .route("/experiments/permissions/update", patch(Manage, update::handler::<Experiment>))
        .route("/experiments/permissions/delete", delete(Manage, self::delete::handler::<Experiment>))
        .route("/registered-models/permissions/create", post(Manage, create::handler::<RegisteredModel>))
        .route("/registered-models/permissions/get", get(Manage, self::get::handler::<RegisteredModel>))
        .route("/registered-models/permissions/update", patch(Manage, update::handler::<RegisteredModel>))
        .route("/registered-models/permissions/delete", delete(Manage, self::delete::handler::<RegisteredModel>))
}

/// On things of the AI gateway.
pub(super) fn gateway_routes() -> Routes {
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
