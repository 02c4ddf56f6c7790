//! MLflow's REST protocol, as its unmodified clients speak it.

mod artifacts;
mod assessments;
mod datasets;
mod experiments;
mod gateway;
mod graphql;
mod issues;
mod logged_models;
mod metrics;
mod model_versions;
mod otlp;
mod pages;
mod permissions;
mod registered_models;
mod roles;
mod runs;
mod scorers;
mod server;
mod traces;
mod traces_v2;
mod users;
mod view;
mod webhooks;
mod workspaces;

pub(crate) use artifacts::decode_path;
pub(crate) use artifacts::download::stream;
#[cfg(feature = "fuzzing")]
pub(crate) use artifacts::fuzz_parts;
#[cfg(feature = "fuzzing")]
pub(crate) use graphql::fuzz_query as fuzz_graphql;
#[cfg(feature = "fuzzing")]
pub(crate) use otlp::fuzz_export;
#[cfg(feature = "fuzzing")]
pub(crate) use runs::{fuzz_body, fuzz_query};

use crate::http::routes::Routes;

/// The release of MLflow whose protocol this is.
pub(crate) const PROTOCOL_VERSION: &str = "3.12.0";

/// All routes, below `/api` for clients and below `/ajax-api` for the pages.
pub(crate) fn routes() -> Routes {
    let mut routes = pages::routes();
    for root in ["/api", "/ajax-api"] {
        let v2 = Routes::new()
            .merge(experiments::routes())
            .merge(runs::routes())
            .merge(metrics::routes())
            .merge(logged_models::routes())
            .merge(registered_models::routes())
            .merge(model_versions::routes())
            .merge(webhooks::routes())
            .merge(users::routes())
            .merge(permissions::routes())
            .merge(artifacts::list_routes())
            .merge(traces_v2::routes());
        let v3 = Routes::new()
            .merge(server::routes())
            .merge(issues::routes())
            .merge(roles::routes())
            .merge(traces::routes())
            .merge(assessments::routes())
            .merge(datasets::routes())
            .merge(scorers::routes())
            .merge(gateway::routes())
            .merge(permissions::gateway_routes())
            .merge(workspaces::routes());
        routes = routes
            .nest(&format!("{root}/2.0/mlflow"), v2)
            .nest(&format!("{root}/3.0/mlflow"), v3)
            .merge(artifacts::proxy_routes(root));
    }
    routes.merge(graphql::routes()).merge(otlp::routes())
}
