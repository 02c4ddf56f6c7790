use sealyard_core::ReadAt;
use sealyard_formats::decompress::{Codec, ExpandEnd, expand};

use super::content;
use crate::kind::Kind;
use crate::sink::Sink;

/// Largest compressed file that is read.
const MAX_INPUT: u64 = 1 << 30;
/// Most bytes that it is expanded to.
const MAX_OUTPUT: u64 = 1 << 30;
/// Compressed streams inside each other.
const MAX_DEPTH: usize = 4;

/// Expands a compressed stream and looks at what is in it. joblib's compressed files are such streams.
pub(super) fn inspect(path: &str, data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    if sink.depth() >= MAX_DEPTH {
        sink.miss("compressed streams are nested too deeply");
        return "compressed";
    }
    let bytes = match data.read_all(MAX_INPUT) {
        Ok(bytes) => bytes,
        Err(error) => {
            sink.miss(format!("could not be read: {error}"));
            return "compressed";
        }
    };
    let Some(codec) = Codec::of(&bytes) else {
        sink.miss("the compression is not supported");
        return "compressed";
    };
    let expanded = expand(codec, &bytes, MAX_OUTPUT.min(sink.budget()));
    sink.spend(expanded.bytes.len());
    drop(bytes);
    match &expanded.end {
        ExpandEnd::Complete => {}
        ExpandEnd::Trailing(count) => sink.miss(format!("{count} bytes follow the compressed stream")),
        ExpandEnd::Broken(reason) => sink.miss(format!("the compressed stream is broken: {reason}")),
        _ => sink.miss("the compressed stream expands to more than the bound"),
    }
    let name = format!("{codec:?}").to_lowercase();
    let kind = sink.inside(&name, |sink| match Kind::of(&expanded.bytes) {
        Ok(kind) => content(kind, path, &expanded.bytes, sink),
        Err(_) => "compressed",
    });
    if kind == "pickle" { "joblib" } else { kind }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn look(budget: u64) -> Sink {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&b"only text\n".repeat(1000)).unwrap();
        let bytes = encoder.finish().unwrap();
        let mut sink = Sink::new("a.gz");
        sink.spend(usize::try_from(sink.budget() - budget).unwrap());
        assert_eq!(inspect("a.gz", &bytes, &mut sink), "text");
        sink
    }

    #[test]
    fn expansion_is_bounded() {
        assert!(look(10_000).not_assessed.is_empty());
        assert_eq!(look(9_999).not_assessed.len(), 1);
        assert_eq!(look(9_999).budget(), 0);
    }
}
