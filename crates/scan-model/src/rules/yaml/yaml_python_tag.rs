use sealyard_core::Severity;
use sealyard_scan::rule;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports tags in YAML that make objects of Python, or import modules: `!!python/object`, `!!python/name` and
    /// `!!python/module`. Tuples and other plain values are not reported.
    ///
    /// # Why it matters
    /// PyYAML before 5.1, and later versions with an unsafe loader as Keras and others have used it, import what the tag
    /// names and call it.
    ///
    /// # What to do
    /// Load the file with `yaml.safe_load` only, and write it without such tags.
    id: "yaml-python-tag",
    name: "Python object in YAML",
    severity: High,
    summary: "A YAML file makes objects of Python when it is loaded.",
    help: "Load it with yaml.safe_load, and write it without such tags.",
    references: ["https://nvd.nist.gov/vuln/detail/CVE-2021-37678", "https://pyyaml.org/wiki/PyYAMLDocumentation"],
}

pub(super) fn check(tags: &Artifact, sink: &mut Sink) {
    for tag in tags {
        let severity = match tag.tag.split([':', '/']).next() {
            Some("object") => Severity::High,
            Some("name" | "module") => Severity::Medium,
            _ => continue,
        };
        let message = format!("a value has the tag python/{}", tag.tag);
        sink.find(&METADATA, severity, tag.offset, message, []);
    }
}
