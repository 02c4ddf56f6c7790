use sealyard_formats::zip::Member;

use super::Flavor;

/// What `numpy.savez` writes.
pub(super) static FLAVOR: Flavor = Flavor::named("npz", is);

fn is(members: &[Member]) -> bool {
    !members.is_empty() && members.iter().all(|member| member.name.ends_with(".npy"))
}
