//! SCIM 2.0 (RFC 7643, RFC 7644), below `/scim/v2`: a directory keeps accounts and groups in step. It wants a token of the scope
//! `scim`, whose owner is an administrator or has MANAGE on `users`.
//!
//! What is known of requests is what Entra ID and Okta send: attributes that are not kept here (names, addresses, telephones) are
//! taken and forgotten.

mod answer;
mod create_group;
mod create_user;
mod delete_group;
mod delete_user;
mod filter;
mod get_group;
mod get_user;
mod list_groups;
mod list_users;
mod patch;
mod patch_group;
mod patch_user;
mod replace_group;
mod replace_user;
mod resource_types;
mod schemas;
mod service_provider_config;
mod view;

use crate::http::Takes::Administrator;
use crate::http::routes::{Routes, get};

pub(crate) fn routes() -> Routes {
    let v2 = Routes::new()
        .route("/ServiceProviderConfig", get(Administrator, service_provider_config::handler))
        .route("/ResourceTypes", get(Administrator, resource_types::handler))
        .route("/Schemas", get(Administrator, schemas::handler))
        .route("/Users", get(Administrator, list_users::handler).post(Administrator, create_user::handler))
        .route(
            "/Users/{id}",
            get(Administrator, get_user::handler)
                .put(Administrator, replace_user::handler)
                .patch(Administrator, patch_user::handler)
                .delete(Administrator, delete_user::handler),
        )
        .route("/Groups", get(Administrator, list_groups::handler).post(Administrator, create_group::handler))
        .route(
            "/Groups/{id}",
            get(Administrator, get_group::handler)
                .put(Administrator, replace_group::handler)
                .patch(Administrator, patch_group::handler)
                .delete(Administrator, delete_group::handler),
        );
    Routes::new().nest("/scim/v2", v2)
}
