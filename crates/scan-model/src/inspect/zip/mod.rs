//! Zip archives. What a library keeps in one is in a file of its own, with a line in `flavors!`.

mod ends;
mod flavor;

use sealyard_core::ReadAt;
use sealyard_formats::decompress::ExpandEnd;
use sealyard_formats::npy::Npy;
use sealyard_formats::tar::links_outside;
use sealyard_formats::zip::{Anomaly, Archive, Member, ZipError, ZipLimits};

use super::archive::ArchiveConcern;
use crate::context::Context;
use crate::rules;

pub(crate) use ends::{is_behind, places as ends};
pub(crate) use flavor::Flavor;
pub(super) use flavor::is_called;
pub(crate) use mar::MarConcern;
pub(crate) use torchscript::ProgramName;

/// Members above this are first looked at by their beginning.
const LARGE: u64 = 64 << 20;
/// Longest target of a link.
const MAX_LINK: u64 = 4096;
/// More than the longest header of an array.
const ARRAY_HEAD: u16 = 16 << 10;

/// Declares the modules of the libraries' archives, and lists their `FLAVOR`s; the first that an archive is names it.
macro_rules! flavors {
    ($($module:ident,)+) => {
        $(mod $module;)+

        static FLAVORS: &[&Flavor] = &[$(&$module::FLAVOR),+];
    };
}

flavors! {
    pt2,
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
    look_at(data, false, context)
}

/// Looks at an archive behind a file that may have one by its own form, as the labels of a TensorFlow Lite model are.
pub(super) fn inspect_behind(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    look_at(data, true, context)
}

fn look_at(data: &dyn ReadAt, is_behind: bool, context: &mut Context) -> &'static str {
    let archive = match Archive::open(data, &ZipLimits::default()) {
        Ok(archive) => archive,
        Err(error) => {
            context.miss(format!("the archive can't be read: {error}"));
            return "zip";
        }
    };
    for anomaly in archive.anomalies() {
        let is_before =
            matches!(anomaly, Anomaly::Prefix(_) | Anomaly::Gap { offset: 0, .. } | Anomaly::GapsNotSearched(_));
        if is_behind && is_before {
            continue;
        }
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

/// Looks at where a link leads.
fn link(archive: &Archive<'_>, member: &Member, context: &mut Context) {
    let target = archive.read(member, MAX_LINK).map(|content| content.bytes).unwrap_or_default();
    let target = String::from_utf8_lossy(&target).into_owned();
    if links_outside(&member.name, &target) {
        let message = format!("the member {:?} is a link to {target:?}", member.name);
        rules::archive::run(&ArchiveConcern::UnsafePath(message), context.sink());
    }
}

fn look(archive: &Archive<'_>, member: &Member, flavors: &[&Flavor], context: &mut Context) {
    if member.is_link() {
        link(archive, member, context);
    }
    if member.size > LARGE {
        if let Some(head) = numbers(archive, member) {
            // Numpy reads such numbers and nothing else: what they are is in the first bytes.
            context.nest(&member.name, &Padded { head, size: member.size });
            return;
        }
        if let Some(bytes) = archive.stored(member).filter(|_| flavors.is_empty()) {
            context.nest(&member.name, &bytes);
            return;
        }
    }
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

/// The beginning of a member that is an array of numbers.
fn numbers(archive: &Archive<'_>, member: &Member) -> Option<Vec<u8>> {
    let head = archive.head(member, ARRAY_HEAD).ok()?;
    let array = Npy::parse(&head).ok()?;
    (Npy::matches(&head) && !array.has_objects()).then_some(head)
}

/// The beginning of something large, and zeros in place of the rest.
struct Padded {
    head: Vec<u8>,
    size: u64,
}

impl ReadAt for Padded {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        buffer.fill(0);
        self.head.read_at(offset, buffer)?;
        Ok(count)
    }
}

fn read(archive: &Archive<'_>, member: &Member, context: &mut Context) -> Option<Vec<u8>> {
    let limit = context.budget().bytes();
    let content = match archive.read(member, limit) {
        // Readers differ in whether they believe the flag.
        Err(ZipError::Encrypted(_)) => match archive.read_unmasked(member, limit) {
            Ok(content) if content.matches => Ok(content),
            _ => {
                rules::archive::run(&ArchiveConcern::Encrypted, context.sink());
                Err(ZipError::Encrypted(member.name.clone()))
            }
        },
        content => content,
    };
    match content {
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
