use sealyard_formats::zip::{Archive, Member};

use super::Flavor;
use super::flavor::has;
use crate::context::Context;

/// What TorchServe serves: a model, and the Python code that handles its requests.
pub(super) static FLAVOR: Flavor = Flavor { archive, ..Flavor::named("mar", is) };

fn is(members: &[Member]) -> bool {
    has(members, "MAR-INF/MANIFEST.json")
}

fn archive(_: &Archive<'_>, context: &mut Context) {
    context.miss("the format mar is not supported");
}
