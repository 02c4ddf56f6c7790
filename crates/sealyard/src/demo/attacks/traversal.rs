//! A path that climbs out of the artifacts to the server's master key.

use reqwest::Method;

use super::{Refusal, refused};
use crate::demo::context::Context;
use crate::exit::Result;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let run = &demo.trained()?.run_id;
    let path = format!(
        "/api/2.0/mlflow-artifacts/artifacts/{}/{run}/artifacts/..%2f..%2f..%2fkeys%2fmaster.key",
        demo.experiment
    );
    refused(demo.admin.send(demo.admin.request(Method::GET, &path)).await, "the server gave out its master key")
}
