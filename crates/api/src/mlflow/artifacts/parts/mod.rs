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
    check(app, caller, &in_folder(location.path.as_ref(), path)).await
}

fn in_folder(folder: Option<&TreePath>, path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"))
}

/// A request of an upload in parts, as far as it is read without a server; for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_parts(folder: &str, part: &str, body: &[u8]) -> Option<TreePath> {
    let _ = part::number(part);
    let created = crate::http::fuzz_body::<create::Request>(body).map(|request| request.path);
    let given_up = crate::http::fuzz_body::<abort::Request>(body).map(|request| request.path);
    let completed = crate::http::fuzz_body::<complete::Request>(body).map(|request| {
        let _ = complete::named(request.parts).map(|parts| sealyard_app::fuzzing::named_parts(&parts));
        request.path
    });
    let path = created.or(given_up).or(completed)?;
    super::location::fuzz_in_folder(folder, |folder| in_folder(folder, &path))
}
