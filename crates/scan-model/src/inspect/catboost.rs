use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::sniff::{self, Format};
use sealyard_scan::FactKind;

use super::as_pickle;
use crate::context::Context;
use crate::rules::lengths::{self, Artifact};

/// Longest part of the core that is read.
const CORE: u64 = 16 << 20;
/// Longest text that is told.
const MAX_TEXT: usize = 200;

/// CatBoost's binary form: `CBM1`, the length of a flat buffer, the buffer, and parts that it names.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(head) = context.head(data, CORE) else { return "catboost" };
    match check(&head, data.size()) {
        Ok(core) => {
            context.fact(FactKind::Format, "catboost", text_of(core, "FlabuffersModel_v").unwrap_or_default());
            let version = text_of(core, "\"version\":\"");
            context.fact(FactKind::Framework, "catboost", version.unwrap_or_default());
        }
        Err((offset, what)) => {
            lengths::run(&Artifact { form: "CatBoost", flaws: vec![(offset, what.to_owned())] }, context.sink());
            context.miss(format!("the CatBoost model can't be read: {what}"));
        }
    }
    behind(&head, data, context);
    "catboost"
}

/// Behind the core lie parts that are numbers, unless they are a file of their own.
fn behind(head: &[u8], data: &dyn ReadAt, context: &mut Context) {
    let Some(length) = head.get(4..).and_then(|rest| rest.first_chunk::<4>()) else { return };
    let start = 8 + u64::from(u32::from_le_bytes(*length));
    if start >= data.size() {
        return;
    }
    let section = Section::new(data, start..data.size());
    let is_file = matches!(
        sniff::signature(&section),
        Ok(Format::Pickle | Format::Zip | Format::Elf | Format::Pe | Format::MachO | Format::Script | Format::Python)
    );
    if is_file {
        context.nest("behind the core", &section);
    } else {
        context.inside("behind the core", |context| as_pickle(&section, context));
    }
}

/// The core, or as much of it as was read, if its root and the root's table lie inside it.
fn check(head: &[u8], size: u64) -> Result<&[u8], (u64, &'static str)> {
    let number = |bytes: &[u8], place: usize| {
        bytes.get(place..).and_then(|rest| rest.first_chunk::<4>()).map(|bytes| u32::from_le_bytes(*bytes))
    };
    let length = number(head, 4).ok_or((4, "its core has no length"))?;
    if u64::from(length) + 8 > size {
        return Err((4, "its core goes past the end of the file"));
    }
    let core = head.get(8..).unwrap_or_default();
    let root = number(core, 0).ok_or((8, "its core has no root"))?;
    if u64::from(root) + 4 > u64::from(length) {
        return Err((8, "the root goes past the core's end"));
    }
    let place = usize::try_from(root).unwrap_or(usize::MAX);
    if let Some(back) = number(core, place) {
        let table = i64::from(root) - i64::from(back.cast_signed());
        if table < 0 || table + 4 > i64::from(length) {
            return Err((8 + u64::from(root), "the root's table goes past the core's end"));
        }
        // The table of fields begins with its own length, which counts itself and the length of the root's.
        let fields = core.get(usize::try_from(table).unwrap_or(usize::MAX)..).and_then(|rest| rest.first_chunk::<2>());
        if fields.is_some_and(|length| u16::from_le_bytes(*length) < 4) {
            return Err((8 + u64::from(root), "the root has no table of fields"));
        }
    }
    Ok(core)
}

/// The rest of the first text that begins with `start`.
fn text_of(core: &[u8], start: &str) -> Option<String> {
    let place = core.windows(start.len()).position(|window| window == start.as_bytes())?;
    let rest = core.get(place + start.len()..)?;
    let end = rest.iter().take(MAX_TEXT).position(|byte| !(byte.is_ascii_alphanumeric() || b".-_ ".contains(byte)))?;
    Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outside_of_the_core_are_found() {
        let file = |length: u32, root: u32, back: i32| {
            [
                &b"CBM1"[..],
                &length.to_le_bytes(),
                &root.to_le_bytes(),
                &[4, 0, 4, 0, 0, 0, 0, 0],
                &back.to_le_bytes(),
                &[0; 8],
            ]
            .concat()
        };
        let look = |bytes: Vec<u8>| {
            let mut context = Context::new("m.cbm");
            crate::inspect::content(&bytes, &mut context);
            context.sink().findings.len()
        };
        assert_eq!(look(file(24, 12, 8)), 0);
        assert_eq!(look(file(24, 12, 4)), 1);
        let pickle = b"cposix\nsystem\n(Vtrue\ntR.";
        assert_eq!(look([&file(24, 12, 8)[..], pickle].concat()), 1);
        assert_eq!(look([&file(24, 12, 8)[..], &[1; 100]].concat()), 0);
        assert_eq!(look(file(25, 12, 8)), 1);
        assert_eq!(look(file(24, 24, 6)), 1);
        assert_eq!(look(file(24, 12, 13)), 1);
        assert_eq!(look(file(24, 12, -20)), 1);
    }
}
