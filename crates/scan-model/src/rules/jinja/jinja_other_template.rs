use sealyard_formats::jinja::Statement;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports templates that read another one, by `include`, `import`, `from` or `extends`.
    ///
    /// # Why it matters
    /// What such a tag names is read from wherever the loader looks for templates, which may be any file of the host, and
    /// its code is run too. A chat template is one text and has no use for it.
    ///
    /// # What to do
    /// Put what the template needs into the template.
    id: "jinja-other-template",
    name: "Template that reads another one",
    severity: High,
    summary: "A template includes, imports or extends another file.",
    help: "Put what the template needs into the template.",
    references: ["https://jinja.palletsprojects.com/en/stable/templates/#include"],
}

pub(super) fn check(template: &Artifact<'_>, sink: &mut Sink) {
    for tag in &template.template.tags {
        if let Statement::Template(named) = &tag.statement {
            let names = template.bindings.texts(named);
            let message = match names.first() {
                Some(name) => format!("the template reads the file {name:?}"),
                None => "the template reads a file of a computed name".to_owned(),
            };
            sink.push(Finding::new(&METADATA, sink.at(tag.offset as u64), message));
        }
    }
}
