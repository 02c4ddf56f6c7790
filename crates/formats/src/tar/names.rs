//! Which names and links lead out of the folder that is extracted to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Member, MemberKind, TarAnomaly};

/// Whether a path leads out of the folder it is relative to, on any system.
#[must_use]
pub fn leaves(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    path.starts_with(['/', '\\']) || drive || depth(0, path).is_none()
}

/// How deep below the root a path ends that begins `from` folders below it; none if it passes the root.
fn depth(from: usize, path: &str) -> Option<usize> {
    path.split(['/', '\\']).try_fold(from, |depth, part| match part {
        "" | "." => Some(depth),
        ".." => depth.checked_sub(1),
        _ => Some(depth + 1),
    })
}

/// The same name however it is written.
fn plain(name: &str) -> String {
    let parts: Vec<_> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/")
}

/// Whether a symbolic link at `name` leads out; it counts from its own folder.
#[must_use]
pub fn links_outside(name: &str, target: &str) -> bool {
    let folder = plain(name).matches('/').count();
    target.starts_with(['/', '\\']) || target.get(1..2) == Some(":") || depth(folder, target).is_none()
}

pub(super) fn anomalies(members: &[Member]) -> Vec<TarAnomaly> {
    let mut found = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut links: BTreeSet<String> = BTreeSet::new();
    for member in members {
        let name = plain(&member.name);
        if leaves(&member.name) {
            found.push(TarAnomaly::UnsafeName(member.name.clone()));
        }
        let parents = name.match_indices('/').map(|(place, _)| name.get(..place).unwrap_or_default());
        if !links.is_empty() && parents.into_iter().any(|parent| links.contains(parent)) {
            found.push(TarAnomaly::ThroughLink(member.name.clone()));
        }
        match member.kind {
            MemberKind::HardLink | MemberKind::SymbolicLink => {
                // A hard link counts from the root.
                let is_out = match member.kind {
                    MemberKind::HardLink => leaves(&member.link),
                    _ => links_outside(&member.name, &member.link),
                };
                if is_out {
                    let target = member.link.clone();
                    found.push(TarAnomaly::LinkOutside { name: member.name.clone(), target });
                }
                if member.kind == MemberKind::SymbolicLink {
                    links.insert(name.clone());
                }
            }
            MemberKind::Device => found.push(TarAnomaly::Device(member.name.clone())),
            _ => {}
        }
        if member.kind != MemberKind::Directory {
            let count = seen.entry(name).or_default();
            *count += 1;
            if *count == 2 {
                found.push(TarAnomaly::DuplicateName(member.name.clone()));
            }
        }
    }
    found
}
