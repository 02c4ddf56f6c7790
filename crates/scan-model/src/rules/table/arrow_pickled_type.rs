use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports Parquet and Arrow files with a column whose type is a `PyExtensionType` of pyarrow.
    ///
    /// # Why it matters
    /// The definition of such a type is a pickle in the schema. pyarrow before 14.0.1 loads it as soon as it reads the
    /// schema, and later versions when they are told to, so that opening the table runs what its author wrote.
    ///
    /// # What to do
    /// Write the table again with plain types, or with an extension type that is registered by its own name.
    id: "arrow-pickled-type",
    name: "Pickled type in a table",
    severity: High,
    summary: "A Parquet or Arrow file has a column whose type is defined by a pickle.",
    help: "Do not read the table with pyarrow before 14.0.1, and write it again with plain types.",
    references: [
        "https://nvd.nist.gov/vuln/detail/CVE-2023-47248",
        "https://arrow.apache.org/docs/python/extending_types.html",
    ],
}

pub(super) fn check(table: &Artifact, sink: &mut Sink) {
    if table.has_pickled_type {
        sink.push(Finding::new(&METADATA, sink.location(), "a column has a type whose definition is a pickle"));
    }
}
