use sealyard_formats::npy::Npy;
use sealyard_formats::zip::{Archive, Member};

use super::Flavor;
use super::flavor::below;

/// What `torch.export.save` writes: a program as JSON, and weights as raw numbers.
pub(super) static FLAVOR: Flavor = Flavor { skips, member, ..Flavor::named("pt2", is) };

/// Bytes that show whether a weight is a file of its own.
const HEAD: u16 = 8;

fn is(members: &[Member]) -> bool {
    let has = |name: &str| members.iter().any(|member| below(member) == Some(name));
    has("archive_format") && members.iter().any(|member| below(member).is_some_and(|rest| rest.starts_with("models/")))
}

/// Raw numbers. Those that were no plain tensors are pickled or saved, and looked at.
fn skips(archive: &Archive<'_>, member: &Member) -> bool {
    let is_weight = below(member).is_some_and(|rest| {
        let name = rest.strip_prefix("data/weights/weight_").or_else(|| rest.strip_prefix("data/constants/tensor_"));
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
    });
    is_weight
        && archive.head(member, HEAD).is_ok_and(|head| {
            !Npy::matches(&head) && !head.starts_with(b"PK") && !matches!(head.as_slice(), [0x80, 0..=8, ..])
        })
}

/// The marks that PyTorch itself writes.
fn member(member: &Member, bytes: &[u8], _: &mut crate::context::Context) -> bool {
    matches!(
        below(member),
        Some(
            "archive_format"
                | "archive_version"
                | "byteorder"
                | ".format_version"
                | ".storage_alignment"
                | ".data/serialization_id"
        )
    ) && bytes.len() < 100
        && !Npy::matches(bytes)
}
