//! Uploads in parts, as MLflow's clients do them with `MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD`.

mod abort;
mod complete;
mod create;
mod part;

use sealyard_app::{App, Caller};
use sealyard_core::TreePath;

use super::location::{Location, check};
use crate::http::ApiError;
use crate::http::Takes::{Edit, Nobody};
use crate::http::routes::{Routes, post, put};

/// Names the header that has the capability for a part. Not the URL, which ends up in logs.
const CAPABILITY: &str = "x-sealyard-capability";

pub(super) fn routes(root: &str) -> Routes {
    let mpu = format!("{root}/2.0/mlflow-artifacts/mpu");
    Routes::new()
        .route(&format!("{mpu}/create/{{*path}}"), post(Edit, create::handler))
        .route(&format!("{mpu}/complete/{{*path}}"), post(Edit, complete::handler))
        .route(&format!("{mpu}/abort/{{*path}}"), post(Edit, abort::handler))
        .route(&format!("{mpu}/parts/{{upload}}/{{part}}"), put(Nobody, part::handler))
}

/// The file that an upload makes: the URI has its folder, the request the client's path of it, whose last name it gets.
async fn file(app: &App, caller: &Caller, location: &Location, path: &str) -> Result<TreePath, ApiError> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = check(app, caller, name).await?;
    Ok(match &location.path {
        None => name,
        Some(folder) => check(app, caller, &format!("{folder}/{name}")).await?,
    })
}
