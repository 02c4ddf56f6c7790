use sealyard_formats::tar::leaves;
use sealyard_formats::zip::{Archive, Member};
use sealyard_scan::FactKind;
use serde_json::Value;

use super::Flavor;
use super::flavor::{has, is_called};
use crate::code::{Code, look};
use crate::context::Context;
use crate::rules;

/// What TorchServe serves: a model, and the Python code that handles its requests.
pub(super) static FLAVOR: Flavor = Flavor { archive, member, ..Flavor::named("mar", is) };

const MANIFEST: &str = "MAR-INF/MANIFEST.json";
/// Largest manifest.
const MAX_BYTES: u64 = 1 << 20;
/// Keys of the manifest whose values are names of files in the archive.
const FILES: &[&str] = &["serializedFile", "handler", "modelFile", "extraFiles", "requirementsFile", "configFile"];
/// Handlers that TorchServe brings.
const HANDLERS: &[&str] = &[
    "image_classifier",
    "image_segmenter",
    "object_detector",
    "text_classifier",
    "text_handler",
    "vision_handler",
    "base_handler",
    "densenet_handler",
];

/// What is wrong with an archive of TorchServe.
#[derive(Debug)]
pub(crate) enum MarConcern {
    /// Its code uses something that runs commands, opens files or reaches other machines.
    ActiveCode(String),
    /// Its code is not of the plain kind.
    UnknownCode(String),
    /// The manifest names a file outside of the archive.
    OutsidePath(String),
}

fn is(members: &[Member]) -> bool {
    has(members, MANIFEST)
}

/// The manifest, if there is one and no other.
fn only<'z>(archive: &'z Archive<'_>) -> Option<&'z Member> {
    let mut found = archive.members().iter().filter(|member| is_called(&member.name, MANIFEST));
    found.next().filter(|_| found.next().is_none())
}

fn archive(archive: &Archive<'_>, context: &mut Context) {
    context.inside(MANIFEST, |context| {
        let content = only(archive).and_then(|member| archive.read(member, MAX_BYTES).ok());
        let manifest = content.and_then(sealyard_formats::zip::Content::intact);
        let manifest = manifest.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let Some(model) = manifest.as_ref().and_then(|manifest| manifest.get("model")).and_then(Value::as_object)
        else {
            return context.miss("the manifest can't be read");
        };
        for (key, value) in model.iter().filter(|(key, _)| FILES.contains(&key.as_str())) {
            let names: Vec<&str> = match value {
                Value::String(names) => names.split(',').collect(),
                Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            for name in names.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
                if leaves(name) {
                    let concern = MarConcern::OutsidePath(format!("{key} is {name:?}"));
                    rules::mar::run(&concern, context.sink());
                } else if key == "handler" {
                    handler(archive, name, context);
                }
            }
        }
        for (key, kind) in [
            ("modelName", FactKind::Architecture),
            ("modelVersion", FactKind::Property),
            ("handler", FactKind::Property),
        ] {
            if let Some(text) = model.get(key).and_then(Value::as_str) {
                context.fact(kind, key, text);
            }
        }
    });
}

/// A handler is one of TorchServe's own or a file of the archive, with or without the name of a function.
fn handler(archive: &Archive<'_>, name: &str, context: &mut Context) {
    let file = name.split(':').next().unwrap_or(name);
    let file = file.strip_suffix(".py").unwrap_or(file);
    let is_inside = has(archive.members(), &format!("{file}.py"));
    if !is_inside && !HANDLERS.contains(&file) {
        let why = format!("the handler {name:?} is no file of the archive");
        rules::mar::run(&MarConcern::UnknownCode(why), context.sink());
    }
}

fn member(member: &Member, bytes: &[u8], context: &mut Context) -> bool {
    let is_code = member.name.ends_with(".py");
    if is_code {
        for code in look(bytes) {
            let concern = match code {
                Code::Active(name) => MarConcern::ActiveCode(name),
                Code::Unknown(why) => MarConcern::UnknownCode(why),
            };
            rules::mar::run(&concern, context.sink());
        }
    }
    false
}
