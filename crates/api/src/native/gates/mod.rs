mod decide;
mod deploy;
mod publish;

use crate::http::Takes::{Manage, Read};
use crate::http::routes::{Routes, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/publish", post(Manage, publish::handler))
        .route("/deployments", post(Manage, deploy::handler))
        .route("/decisions", post(Read, decide::handler))
}
