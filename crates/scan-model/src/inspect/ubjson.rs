use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::ubjson::{Document, DocumentError};

use super::{as_pickle, xgboost};
use crate::context::Context;
use crate::rules::lengths::{self, Artifact};

/// Most values that are walked over.
const MAX_VALUES: u64 = 20_000_000;

/// Universal Binary JSON, as XGBoost writes it.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let document = match Document::read(data, MAX_VALUES.min(context.budget().steps)) {
        Ok(document) => document,
        Err(error) => {
            if let DocumentError::Lie(offset, what) = &error {
                lie(*offset, what, context);
            }
            context.miss(format!("the UBJSON file can't be read: {error}"));
            return "ubjson";
        }
    };
    if context.step(document.values) {
        if document.end < data.size() {
            lie(document.end, "bytes follow its end", context);
        }
        for range in &document.texts {
            let section = Section::new(data, range.clone());
            context.inside(&format!("text@{:#x}", range.start), |context| as_pickle(&section, context));
        }
        xgboost::tell(|path| document.get(path).map(str::to_owned), context);
        let version: Vec<&str> =
            document.scalars.iter().filter(|(path, _)| path == "version[]").map(|(_, part)| part.as_str()).collect();
        xgboost::version(&version, context);
    }
    "ubjson"
}

fn lie(offset: u64, what: &str, context: &mut Context) {
    lengths::run(&Artifact { form: "UBJSON", flaws: vec![(offset, what.to_owned())] }, context.sink());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_a_pickle_is_followed() {
        let look = |text: &[u8]| {
            let length = (text.len() as u64).to_be_bytes();
            let bytes = [&b"{L\0\0\0\0\0\0\0\x05modelSL"[..], &length, text, b"}"].concat();
            let mut context = Context::new("model.ubj");
            crate::inspect::content(&bytes, &mut context);
            context.sink().findings.len()
        };
        assert_eq!(look(b"cposix\nsystem\n(Vtrue\ntR."), 1);
        assert_eq!(look(b"cases of posix and system, true"), 0);
    }
}
