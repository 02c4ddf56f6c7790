//! What `torch.save` wrote before version 0.1.10: a tar of `sys_info`, `pickle`, `storages` and `tensors`. The last two
//! are pickles with raw numbers between them.

use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::pickle::{Limits, Node, Options, Pickle, interpret};
use sealyard_formats::tar::{Member, Tar};

use crate::context::Context;
use crate::inspect::pickle;
use crate::judge::Persistence;

/// Most bytes of one of the pickles.
const MAX_PICKLE: u64 = 64 << 20;
/// Bytes in which the pickles before a storage or tensor end.
const WINDOW: u64 = 1 << 16;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: u64 = 64;

fn plain(member: &Member) -> &str {
    member.name.trim_start_matches("./")
}

pub(super) fn is(tar: &Tar) -> bool {
    ["pickle", "storages", "tensors"].iter().all(|name| tar.members.iter().any(|member| plain(member) == *name))
}

/// Looks at one of PyTorch's own members; false if it is another.
pub(super) fn member(member: &Member, data: &Section<'_>, context: &mut Context) -> bool {
    let name = plain(member);
    if !matches!(name, "pickle" | "sys_info" | "storages" | "tensors") {
        return false;
    }
    context.inside(name, |context| match name {
        "storages" => walk(data, storage, context),
        "tensors" => walk(data, tensor, context),
        _ => {
            if let Some(bytes) = context.read(data, MAX_PICKLE) {
                pickle::inspect_bytes(&bytes, Persistence::TorchTar, context);
            }
        }
    });
    true
}

/// A number of items, each a pickle and what `raw` finds behind it; then, of storages, one more pickle.
fn walk(data: &Section<'_>, raw: fn(&Pickle<'_>, &Section<'_>, u64) -> Option<u64>, context: &mut Context) {
    let mut place = 0;
    let mut left = None;
    while place < data.size() {
        let Some((end, next)) = item(data, place, left, raw, context) else {
            return context.miss(format!("it can't be followed behind byte {place}"));
        };
        left = match left {
            None => Some(end),
            Some(left) => Some(left.saturating_sub(1)),
        };
        place = next;
    }
}

/// Looks at the pickle at `place`; gives its value, if that is the count of items, and the place behind it.
fn item(
    data: &Section<'_>,
    place: u64,
    left: Option<u64>,
    raw: fn(&Pickle<'_>, &Section<'_>, u64) -> Option<u64>,
    context: &mut Context,
) -> Option<(u64, u64)> {
    if !context.step(1) {
        return None;
    }
    let options = Options { limits: Limits { streams: 1, ..Limits::default() }, joblib: false };
    let mut window = WINDOW;
    loop {
        let head = Section::new(data, place..place.saturating_add(window)).read_all(window).ok()?;
        let pickle = interpret(&head, &options);
        let first = pickle.streams.first()?;
        context.budget().spend_opcodes(pickle.opcodes);
        let Some(value) = pickle.value() else {
            // The list of views into storages may be long.
            if window >= MAX_PICKLE || place + window >= data.size() {
                let rest = Section::new(data, place..data.size());
                context.nest("rest", &rest);
                return None;
            }
            window *= 16;
            continue;
        };
        let end = place + first.end;
        let bytes = head.get(..usize::try_from(first.end).ok()?)?;
        pickle::inspect_bytes(bytes, Persistence::TorchTar, context);
        return match left {
            None => match pickle.graph.get(value) {
                Node::Int(count @ 0..) => Some((count.unsigned_abs(), end)),
                _ => None,
            },
            Some(0) => Some((0, end)),
            Some(_) => Some((0, raw(&pickle, data, end)?)),
        };
    }
}

/// The bytes of an element of a storage class.
fn width(name: &str) -> Option<u64> {
    let name = name.strip_prefix("Cuda").unwrap_or(name);
    Some(match name {
        "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
        "ShortStorage" | "HalfStorage" | "BFloat16Storage" => 2,
        "IntStorage" | "FloatStorage" => 4,
        "LongStorage" | "DoubleStorage" => 8,
        _ => return None,
    })
}

/// Behind `(key, location, class)`: the number of elements, and the elements.
fn storage(pickle: &Pickle<'_>, data: &Section<'_>, place: u64) -> Option<u64> {
    let parts = pickle.graph.sequence(pickle.value()?)?;
    let (_, name) = pickle.graph.global(*parts.get(2)?)?.resolved()?;
    let count = number(data, place)?;
    let end = count.checked_mul(width(name)?)?.checked_add(place + 8)?;
    (end <= data.size()).then_some(end)
}

/// Behind `(key, storage, class)`: the number of dimensions, padding, sizes, strides, and an offset.
fn tensor(_: &Pickle<'_>, data: &Section<'_>, place: u64) -> Option<u64> {
    let dimensions = number(data, place)? & u64::from(u32::MAX);
    let end = place + 8 + 16 * dimensions + 8;
    (dimensions <= MAX_DIMENSIONS && end <= data.size()).then_some(end)
}

fn number(data: &Section<'_>, place: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    data.read_exact_at(place, &mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes))
}
