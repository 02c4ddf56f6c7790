use sealyard_core::ReadAt;
use sealyard_formats::decompress::{Codec, ExpandEnd, expand};

use crate::context::Context;

/// Largest compressed file that is read.
const MAX_INPUT: u64 = 1 << 30;
/// Most bytes that it is expanded to.
const MAX_OUTPUT: u64 = 1 << 30;

/// Expands a compressed stream and looks at what is in it. joblib's compressed files are such streams.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(bytes) = context.read(data, MAX_INPUT) else { return "compressed" };
    let Some(codec) = Codec::of(&bytes) else {
        context.miss("the compression is not supported");
        return "compressed";
    };
    let expanded = expand(codec, &bytes, MAX_OUTPUT.min(context.budget().bytes()));
    drop(bytes);
    match &expanded.end {
        ExpandEnd::Complete => {}
        ExpandEnd::Trailing(count) => context.miss(format!("{count} bytes follow the compressed stream")),
        ExpandEnd::Broken(reason) => context.miss(format!("the compressed stream is broken: {reason}")),
        _ => context.miss("the compressed stream expands to more than the bound"),
    }
    let kind = context.unwrap(&format!("{codec:?}").to_lowercase(), &expanded.bytes);
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
        assert_eq!(inspect(&bytes, &mut context), "text");
        context
    }

    #[test]
    fn expansion_is_bounded() {
        assert!(look(10_000).sink().not_assessed.is_empty());
        assert_eq!(look(9_999).sink().not_assessed.len(), 1);
        assert_eq!(look(9_999).budget().bytes(), 0);
    }
}
