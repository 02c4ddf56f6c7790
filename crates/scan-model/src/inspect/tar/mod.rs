//! Tar archives. What a library keeps in one is in a file of its own.

mod nemo;
mod torch;
mod yaml;

use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::tar::{Member, MemberKind, Tar, TarAnomaly, TarLimits};
use sealyard_scan::FactKind;

use super::archive::ArchiveConcern;
use crate::context::Context;
use crate::rules;

pub(crate) use nemo::Target;

/// A tar archive. Its members are looked at where they lie, so that large ones cost no memory.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let tar = match Tar::open(data, &TarLimits::default()) {
        Ok(tar) => tar,
        Err(error) => {
            context.miss(format!("the archive can't be read: {error}"));
            return "tar";
        }
    };
    if let Some(error) = &tar.broken {
        context.miss(format!("the archive breaks off: {error}"));
    }
    for anomaly in &tar.anomalies {
        report(anomaly, context);
    }
    let kind = if nemo::is(&tar) {
        "nemo"
    } else if torch::is(&tar) {
        "torch-tar"
    } else {
        "tar"
    };
    context.fact(FactKind::Format, kind, tar.members.len());
    for member in &tar.members {
        look(data, member, kind, context);
    }
    kind
}

fn look(data: &dyn ReadAt, member: &Member, kind: &str, context: &mut Context) {
    let bytes = Section::new(data, member.data.clone());
    match member.kind {
        MemberKind::Sparse => {
            context.inside(&member.name, |context| context.miss("sparse members are not supported"));
        }
        MemberKind::File | MemberKind::Other(_) => {
            if kind == "torch-tar" && torch::member(member, &bytes, context) {
                return;
            }
            context.nest(&member.name, &bytes);
            if kind == "nemo" && nemo::is_configuration(&member.name) {
                context.inside(&member.name, |context| nemo::inspect(&bytes, context));
            }
        }
        _ => {}
    }
}

fn report(anomaly: &TarAnomaly, context: &mut Context) {
    let path = ArchiveConcern::UnsafePath;
    let concern = match anomaly {
        TarAnomaly::UnsafeName(name) => path(format!("the member {name:?} leads out of the folder")),
        TarAnomaly::LinkOutside { name, target } => path(format!("the member {name:?} is a link to {target:?}")),
        TarAnomaly::ThroughLink(name) => path(format!("the member {name:?} lies below a link")),
        TarAnomaly::Device(name) => path(format!("the member {name:?} is a device or a pipe")),
        TarAnomaly::DuplicateName(name) => {
            ArchiveConcern::Ambiguous(format!("the name {name:?} occurs more than once"))
        }
        TarAnomaly::Sized(name) => {
            ArchiveConcern::Ambiguous(format!("the member {name:?} has a size and, for many readers, no bytes"))
        }
        TarAnomaly::Behind(name) => {
            ArchiveConcern::Ambiguous(format!("the member {name:?} lies behind the archive's end"))
        }
        TarAnomaly::Tail(count) => ArchiveConcern::Trailing(*count),
        TarAnomaly::NotSearched(count) => {
            return context.miss(format!("{count} bytes behind the archive's end were not searched"));
        }
        _ => ArchiveConcern::Ambiguous("the archive is laid out oddly".to_owned()),
    };
    rules::archive::run(&concern, context.sink());
}
