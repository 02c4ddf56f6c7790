//! A version with everything in order, but for the builder its provenance names.

use sealyard_core::Subject;
use sealyard_evidence::{Bundle, Statement, oms};

use super::versions::another_version;
use super::{Refusal, refused, went_through};
use crate::demo::context::{Context, MODEL};
use crate::exit::Result;
use crate::remote;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let (version, tree) = another_version(demo, "foreign-builder").await?;
    let signature = oms::sign(&tree, MODEL, &demo.release_key)?;
    demo.admin.add_evidence(MODEL, version, signature.text()).await.map_err(remote::failure)?;
    let mut provenance = demo.trained()?.record.provenance();
    provenance.run_details.builder.id = "https://laptop.example/builder/v1".to_owned();
    let subject = Subject { name: format!("models:/{MODEL}/{version}"), digest: tree.digest() };
    let bundle = Bundle::sign(&Statement::new(&[subject], &provenance)?, &demo.runner_key)?;
    demo.admin.add_evidence(MODEL, version, bundle.text()).await.map_err(remote::failure)?;
    let answer = demo.admin.pass_gate("publish", MODEL, version).await;
    let refusal = refused(answer, "a model from another builder was published")?;
    // Everything else is in order, so nothing else may have refused: else this would show nothing of the builder.
    if refusal.rules.len() != 1 {
        return Err(went_through(&format!("other rules refused too: {}", refusal.rules.join(", "))));
    }
    Ok(refusal)
}
