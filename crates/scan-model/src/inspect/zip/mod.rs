//! Zip archives. What a library keeps in one is in a file of its own, with a line in `flavors!`.

mod ends;
mod flavor;

use sealyard_core::ReadAt;
use sealyard_formats::decompress::ExpandEnd;
use sealyard_formats::zip::{Anomaly, Archive, Member, ZipLimits};

use crate::context::Context;
use crate::rules;

pub(crate) use ends::is_behind;
pub(crate) use flavor::Flavor;

/// Largest member that is expanded.
const MAX_MEMBER: u64 = 256 << 20;

/// Declares the modules of the libraries' archives, and lists their `FLAVOR`s; the first that an archive is names it.
macro_rules! flavors {
    ($($module:ident,)+) => {
        $(mod $module;)+

        static FLAVORS: &[&Flavor] = &[$(&$module::FLAVOR),+];
    };
}

flavors! {
    torchscript,
    torch,
    skops,
    keras,
    mar,
    npz,
}

/// What could make two readers of an archive see different members.
#[derive(Debug)]
pub(crate) enum Mismatch<'a> {
    /// Of the archive's layout.
    Layout(&'a Anomaly),
    /// The member's bytes have another CRC or size than the directory says, or break off.
    Content(&'a str),
}

/// Looks at an archive: at its layout, and at every member that any reader could find.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let archive = match Archive::open(data, &ZipLimits::default()) {
        Ok(archive) => archive,
        Err(error) => {
            context.miss(format!("the archive can't be read: {error}"));
            return "zip";
        }
    };
    for anomaly in archive.anomalies() {
        if *anomaly == Anomaly::SeveralEnds && ends::others_are_stored(data, archive.members()) {
            continue;
        }
        rules::zip::run(&Mismatch::Layout(anomaly), context.sink());
    }
    // Each reader looks for its own members only, so one archive may be a model for several of them.
    let flavors: Vec<&Flavor> = FLAVORS.iter().copied().filter(|flavor| (flavor.is)(archive.members())).collect();
    for flavor in &flavors {
        (flavor.archive)(&archive, context);
    }
    for member in archive.members().iter().filter(|member| !member.is_directory()) {
        if flavors.iter().any(|flavor| (flavor.skips)(&archive, member)) {
            continue;
        }
        look(&archive, member, &flavors, context);
    }
    if archive.members().is_empty() {
        context.miss("the archive is empty");
    }
    flavors.first().map_or("zip", |flavor| flavor.name)
}

fn look(archive: &Archive<'_>, member: &Member, flavors: &[&Flavor], context: &mut Context) {
    let bytes = context.inside(&member.name, |context| read(archive, member, context));
    let Some(bytes) = bytes else { return };
    for flavor in flavors {
        let is_seen = context.inside(&member.name, |context| (flavor.member)(member, &bytes, context));
        if is_seen {
            context.budget().spend_bytes(bytes.len() as u64);
            return;
        }
    }
    context.nest_expanded(&member.name, &bytes);
}

fn read(archive: &Archive<'_>, member: &Member, context: &mut Context) -> Option<Vec<u8>> {
    match archive.read(member, MAX_MEMBER.min(context.budget().bytes())) {
        Ok(content) => {
            if content.end == ExpandEnd::Bound {
                context.miss("it expands to more than the bound");
            } else if content.end != ExpandEnd::Complete || !content.matches {
                rules::zip::run(&Mismatch::Content(&member.name), context.sink());
            }
            Some(content.bytes)
        }
        Err(error) => {
            context.miss(format!("it can't be read: {error}"));
            None
        }
    }
}
