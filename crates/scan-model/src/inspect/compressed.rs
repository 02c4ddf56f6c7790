use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::decompress::{Codec, ExpandEnd, expand_from};
use sealyard_formats::sniff::Format;

use super::archive::ArchiveConcern;
use crate::context::Context;
use crate::rules;

/// Expands a compressed stream and looks at what is in it. joblib's compressed files are such streams.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    match context.format() {
        Format::Compressed(codec) => expand(codec, data, context),
        _ => "compressed",
    }
}

/// Expands a stream of one kind, and looks at what is in it and at what follows it.
pub(super) fn expand(codec: Codec, data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let expanded = expand_from(codec, data, context.budget().bytes());
    let mut rest = None;
    match &expanded.end {
        ExpandEnd::Complete => {}
        ExpandEnd::Trailing(count) => rest = Some(*count),
        ExpandEnd::Broken(reason) => context.miss(format!("the compressed stream is broken: {reason}")),
        _ => context.miss("the compressed stream expands to more than the bound"),
    }
    let kind = context.unwrap(&format!("{codec:?}").to_lowercase(), &expanded.bytes);
    drop(expanded);
    if let Some(count) = rest {
        rules::archive::run(&ArchiveConcern::Trailing(count), context.sink());
        let start = data.size().saturating_sub(count);
        context.nest("what follows the stream", &Section::new(data, start..data.size()));
    }
    if kind == "pickle" { "joblib" } else { kind }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::budget::Budget;

    fn look(expanded: u64) -> Context {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&b"only text\n".repeat(1000)).unwrap();
        let bytes = encoder.finish().unwrap();
        let mut context = Context::with_budget("a.gz", Budget { expanded, ..Budget::default() });
        assert_eq!(expand(Codec::Gzip, &bytes, &mut context), "text");
        context
    }

    #[test]
    fn expansion_is_bounded() {
        assert!(look(10_000).sink().not_assessed.is_empty());
        assert_eq!(look(9_999).sink().not_assessed.len(), 1);
        assert_eq!(look(9_999).budget().bytes(), 0);
    }
}
