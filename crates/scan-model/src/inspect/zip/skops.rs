use sealyard_formats::skops::{SCHEMA, Skops};
use sealyard_formats::zip::{Archive, Member};

use super::Flavor;
use super::flavor::has;
use crate::context::Context;
use crate::rules;

/// What `skops.io.dump` writes.
pub(super) static FLAVOR: Flavor = Flavor { archive, ..Flavor::named("skops", is) };

fn is(members: &[Member]) -> bool {
    has(members, SCHEMA)
}

fn archive(archive: &Archive<'_>, context: &mut Context) {
    match Skops::open(archive) {
        Ok(schema) => context.inside(SCHEMA, |context| rules::skops::run(&schema, context.sink())),
        Err(error) => context.miss(format!("the skops schema can't be read: {error}")),
    }
}
