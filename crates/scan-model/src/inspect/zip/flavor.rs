use sealyard_formats::zip::{Archive, Member};

use crate::context::Context;

/// What a library keeps in a zip.
pub(crate) struct Flavor {
    /// What the content is called.
    pub(crate) name: &'static str,
    /// Whether the library would read an archive with these members.
    pub(crate) is: fn(&[Member]) -> bool,
    /// Looks at the archive as a whole.
    pub(crate) archive: fn(&Archive<'_>, &mut Context),
    /// Whether a member is raw numbers that the library never interprets, so that it is not read at all.
    pub(crate) skips: fn(&Archive<'_>, &Member) -> bool,
    /// Looks at the bytes of one member as the library does, placed inside it. False if the library does no more with it
    /// than with any file: then it is looked at like any file.
    pub(crate) member: fn(&Member, &[u8], &mut Context) -> bool,
}

impl Flavor {
    /// One that only gives the archive a name.
    pub(super) const fn named(name: &'static str, is: fn(&[Member]) -> bool) -> Self {
        Self { name, is, archive: |_, _| {}, skips: |_, _| false, member: |_, _, _| false }
    }
}

/// Whether there is a member of that name, as it is called when it is unpacked.
pub(super) fn has(members: &[Member], name: &str) -> bool {
    members.iter().any(|member| is_called(&member.name, name))
}

/// Whether a member is unpacked under a name: empty parts and dots say nothing.
pub(in crate::inspect) fn is_called(member: &str, name: &str) -> bool {
    member.split('/').filter(|part| !matches!(*part, "" | ".")).eq(name.split('/'))
}

/// The part of a member's name behind the archive's own folder, as PyTorch looks at it.
pub(super) fn below(member: &Member) -> Option<&str> {
    member.name.split_once('/').map(|(_, rest)| rest)
}
