use sealyard_formats::zip::{Archive, Member};
use sealyard_scan::FactKind;
use serde_json::Value;

use super::Flavor;
use super::flavor::has;
use crate::context::Context;
use crate::inspect::keras_json::{self, Form};
use crate::inspect::python_json;

/// What Keras 3 writes.
pub(super) static FLAVOR: Flavor = Flavor { archive, skips, member, ..Flavor::named("keras", is) };

/// Keras itself reads `config.json`, whatever else there is.
fn is(members: &[Member]) -> bool {
    has(members, "config.json")
        && (has(members, "metadata.json") || members.iter().any(|member| member.name.ends_with(".weights.h5")))
}

fn archive(archive: &Archive<'_>, context: &mut Context) {
    for member in archive.members().iter().filter(|member| skips(archive, member)) {
        if let Some(section) = archive.stored(member) {
            context.nest(&member.name, &section);
        }
    }
}

/// Weights that are stored as they are need not be read into memory.
fn skips(archive: &Archive<'_>, member: &Member) -> bool {
    member.name.ends_with(".h5") && archive.stored(member).is_some()
}

fn member(member: &Member, bytes: &[u8], context: &mut Context) -> bool {
    match member.name.as_str() {
        "config.json" => keras_json::inspect_as(bytes, Form::Archive, context),
        "metadata.json" => metadata(bytes, context),
        _ => return false,
    }
    true
}

fn metadata(bytes: &[u8], context: &mut Context) {
    match python_json::parse(bytes) {
        Ok(document) => {
            let text = |name: &str| document.get(name).and_then(Value::as_str);
            if let Some(version) = text("keras_version") {
                context.fact(FactKind::Framework, "keras", version);
            }
            if let Some(date) = text("date_saved") {
                context.fact(FactKind::Property, "date saved", date);
            }
        }
        Err(reason) => context.miss(format!("the metadata is no JSON: {reason}")),
    }
}
