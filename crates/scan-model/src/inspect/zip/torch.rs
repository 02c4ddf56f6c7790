use sealyard_formats::npy::Npy;
use sealyard_formats::pickle::{Act, Limits, Options, interpret};
use sealyard_formats::zip::{Archive, Member};

use super::Flavor;
use super::flavor::below;
use crate::context::Context;
use crate::inspect::pickle;
use crate::judge::Persistence;

/// Bytes that show whether numpy would read a member as an array.
const ARRAY_HEAD: u16 = 8;
/// Bytes that show whether it does something as a pickle.
const PICKLE_HEAD: u16 = 4096;

/// What `torch.save` writes.
pub(super) static FLAVOR: Flavor = Flavor { skips, member, ..Flavor::named("torch", is) };

fn is(members: &[Member]) -> bool {
    members.iter().any(|member| below(member) == Some("data.pkl"))
}

/// Raw numbers that only `data.pkl` gives a meaning. PyTorch never interprets them, however they begin; numpy would take
/// those with its own magic for an array.
fn skips(archive: &Archive<'_>, member: &Member) -> bool {
    is_storage(member)
        && archive.head(member, ARRAY_HEAD).is_ok_and(|head| {
            !(Npy::matches(&head) || matches!(head.as_slice(), [0x80, 0..=8, ..]) && acts(archive, member))
        })
}

/// Whether what should be numbers names or calls something as a pickle: it is there for somebody who unpickles it.
fn acts(archive: &Archive<'_>, member: &Member) -> bool {
    let Ok(head) = archive.head(member, PICKLE_HEAD) else { return false };
    // Of the numbers that begin like that by chance, none goes on to import something.
    let options = Options { limits: Limits { opcodes: 256, streams: 1, ..Limits::default() }, joblib: false };
    let pickle = interpret(&head, &options);
    pickle.events.iter().any(|event| matches!(event.act, Act::Imported(_) | Act::Called(_)))
}

fn is_storage(member: &Member) -> bool {
    let key = below(member).and_then(|rest| rest.strip_prefix("data/"));
    key.is_some_and(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
}

fn member(member: &Member, bytes: &[u8], context: &mut Context) -> bool {
    match below(member) {
        Some("data.pkl") => {
            pickle::inspect_bytes(bytes, Persistence::Torch, context);
            true
        }
        // The version, byte order and alignment that PyTorch itself writes.
        Some("byteorder" | "version" | ".format_version" | ".storage_alignment" | ".data/serialization_id") => {
            !Npy::matches(bytes)
        }
        _ => false,
    }
}
