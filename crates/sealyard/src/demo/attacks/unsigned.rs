//! Somebody asks for the deployment of a version that nobody signed.

use super::versions::another_version;
use super::{Refusal, refused};
use crate::demo::context::{Context, MODEL};
use crate::exit::Result;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let (version, _) = another_version(demo, "unsigned").await?;
    refused(demo.admin.pass_gate("deployments", MODEL, version).await, "an unsigned version was deployed")
}
