//! A user who may look at the model points the protected alias at it.

use super::{Refusal, refused};
use crate::demo::context::{ALIAS, Context, MODEL};
use crate::exit::Result;
use crate::remote;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let version = demo.release()?.version;
    let client = demo.user("mallory", &[("READ", "registered-model:diabetes")]).await?;
    // The user is real and may read; only the right to promote is missing.
    client.manifest(MODEL, version).await.map_err(remote::failure)?;
    refused(client.set_alias(MODEL, ALIAS, version).await, "a user without the role promoted a model")
}
