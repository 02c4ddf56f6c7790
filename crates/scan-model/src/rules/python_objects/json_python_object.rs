use sealyard_core::Severity;
use sealyard_scan::rule;

use super::Artifact;
use crate::allow::{is_dangerous, shape};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports JSON and MessagePack in which jsonpickle's keys name what is imported, called or made: `py/object`,
    /// `py/type`, `py/function`, `py/reduce`, `py/repr` and others. Classes that a pickle of a model may name are not
    /// reported; what runs commands or reaches out is unsafe.
    ///
    /// # Why it matters
    /// `jsonpickle.decode` imports each name and calls what `py/reduce` and `py/object` say: such a document does what a
    /// pickle does.
    ///
    /// # What to do
    /// Read the document with a JSON reader only, and write it without such keys.
    id: "json-python-object",
    name: "Python object in JSON",
    severity: Medium,
    summary: "A JSON or MessagePack file makes objects of Python when jsonpickle reads it.",
    help: "Read it with a JSON reader only, and write it without such keys.",
    references: ["https://jsonpickle.github.io/", "https://nvd.nist.gov/vuln/detail/CVE-2020-22083"],
}

pub(super) fn check(objects: &Artifact, sink: &mut Sink) {
    for object in objects {
        let tag = object.tag.as_str();
        let Some(name) = object.name.as_deref() else {
            // The names lie inside of it; what is called with what is no table of names.
            if tag == "py/reduce" {
                sink.find(&METADATA, Severity::Medium, object.offset, "py/reduce calls what it names", []);
            }
            continue;
        };
        let (module, qualname) = name.rsplit_once('.').unwrap_or(("builtins", name));
        let is_harmful = match tag {
            "py/repr" => true,
            "py/mod" => is_dangerous(name, ""),
            _ => is_dangerous(module, qualname),
        };
        let is_known = matches!(tag, "py/object" | "py/type") && shape(module, qualname).is_some();
        if is_harmful {
            sink.find(&METADATA, Severity::Critical, object.offset, format!("{tag} names {name}"), []);
        } else if !is_known {
            sink.find(
                &METADATA,
                Severity::Medium,
                object.offset,
                format!("{tag} names {name}, which is on no list"),
                [],
            );
        }
    }
}
