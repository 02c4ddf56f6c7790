use sealyard_formats::zip::{Archive, Member};

use super::Flavor;
use super::flavor::has;
use crate::context::Context;

/// What Keras 3 writes.
pub(super) static FLAVOR: Flavor = Flavor { archive, ..Flavor::named("keras", is) };

fn is(members: &[Member]) -> bool {
    has(members, "config.json") && has(members, "metadata.json")
}

fn archive(_: &Archive<'_>, context: &mut Context) {
    context.miss("the format keras is not supported");
}
