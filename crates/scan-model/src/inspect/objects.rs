use sealyard_core::ReadAt;
use sealyard_formats::objects::{java, php, ruby, torch7};
use sealyard_formats::sniff::Format;
use sealyard_scan::FactKind;
use serde_json::Value;

use crate::context::Context;
use crate::rules::objects::{self, Artifact, Form};

/// Largest stream.
const MAX_BYTES: u64 = 256 << 20;
/// Most values that are walked over.
const MAX_VALUES: u64 = 20_000_000;

/// Serialized objects of Java, Ruby, PHP or Torch 7.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let (name, form) = match context.format() {
        Format::RubyObjects => ("ruby-objects", Form::Ruby),
        Format::PhpObjects => ("php-objects", Form::Php),
        Format::Torch7 => ("torch7", Form::Torch7),
        _ => ("java-objects", Form::Java),
    };
    context.fact(FactKind::Format, name, Value::Null);
    let Some(bytes) = context.read(data, MAX_BYTES) else { return name };
    let most = MAX_VALUES.min(context.budget().steps);
    let objects = match form {
        Form::Java => java(&bytes, most),
        Form::Ruby => ruby(&bytes, most),
        Form::Php => php(&bytes, most),
        Form::Torch7 | Form::Matlab => torch7(&bytes, most),
    };
    if !context.step(objects.values) {
        return name;
    }
    if let Some((offset, what)) = objects.fault {
        context.miss(format!("the serialized objects can't be read: at {offset:#x}: {what}"));
    }
    objects::run(&Artifact { form, classes: objects.classes, functions: objects.functions }, context.sink());
    name
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    fn verdict(bytes: &[u8]) -> Verdict {
        let mut context = Context::new("model.ser");
        let kind = crate::inspect::content(&bytes, &mut context);
        context.finish("model.ser", kind).verdict
    }

    #[test]
    fn objects_are_no_data() {
        for (bytes, expected) in [
            (
                &b"\xac\xed\0\x05sr\0\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\0\0xp"[..],
                Verdict::Suspicious,
            ),
            (
                b"\xac\xed\0\x05sr\0\x1dcom.sun.rowset.JdbcRowSetImpl\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\0\0xp",
                Verdict::Unsafe,
            ),
            (b"\xac\xed\0\x05t\0\x05hello", Verdict::Suspicious),
            (b"\x04\x08o:\x06A\0", Verdict::Suspicious),
            (b"\x04\x08o:\x15Gem::Requirement\0", Verdict::Unsafe),
            (b"\x04\x08[\x07i\x06T", Verdict::Safe),
            (b"O:1:\"A\":0:{}", Verdict::Suspicious),
            (b"O:32:\"Monolog\\Handler\\SyslogUdpHandler\":0:{}", Verdict::Unsafe),
            (b"a:1:{i:0;d:0.5;}", Verdict::Safe),
            (b"\x03\0\0\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0w\x01\0\0\0\0\0\0\0\0\0\0\0", Verdict::Safe),
            (
                b"\x03\0\0\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0w\x08\0\0\0\x02\0\0\0\x01\0\0\0x\0\0\0\0",
                Verdict::Suspicious,
            ),
        ] {
            assert_eq!(verdict(bytes), expected, "{bytes:?}");
        }
        assert_eq!(verdict(b"\x04\x08[\x07i\x06"), Verdict::NotAssessed);
    }
}
