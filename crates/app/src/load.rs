//! The load gate, for whoever is about to take a model into memory: a model server on any machine, with a policy of its
//! own and evidence from anywhere.

use sealyard_core::{FileTree, Subject};
use sealyard_gate::{Context, Decision, Policy, Request, Stage, VerifiedModel, collect, decide};

/// Decides whether `tree` may be loaded over `bundles`, which nobody needs to have verified before.
///
/// # Errors
/// The decision, when it is no.
pub fn load_gate<'a>(
    name: &str,
    tree: FileTree,
    bundles: impl IntoIterator<Item = &'a str>,
    policy: &Policy,
    context: Context,
) -> Result<VerifiedModel, Box<Decision>> {
    let (evidence, rejected) = collect(bundles.into_iter().map(str::as_bytes), policy.trusted_keys());
    let subject = Subject { name: name.to_owned(), digest: tree.digest() };
    let request = Request { subject, tree: &tree, stage: Stage::Load, context };
    decide(&request, &evidence, &rejected, policy).into_verified_model(tree).map_err(Box::new)
}
