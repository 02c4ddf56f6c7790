//! The state of a `numpy.dtype`. numpy believes its flags: where they deny that elements are objects, bytes of the file
//! become addresses of objects.

use std::collections::HashMap;

use sealyard_formats::pickle::{Act, Graph, Node, NodeId};

/// `REFCOUNT`, `LIST_PICKLE` and `IS_POINTER`: only dtypes that hold objects have them.
const OBJECT_FLAGS: i64 = 0x07;
/// The flags that a dtype takes over from a field that holds objects: `REFCOUNT`, `LIST_PICKLE`, `NEEDS_INIT` and
/// `NEEDS_PYAPI`.
const INHERITED_FLAGS: i64 = 0x1b;
/// Deepest nesting of fields.
const MAX_DEPTH: usize = 16;
/// Most fields that are looked at in one file; many dtypes may share a long table of them.
const MAX_FIELDS: usize = 500_000;
/// Largest element.
const MAX_SIZE: i64 = i32::MAX as i64;

/// The state is not one that numpy writes for such a dtype.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("describes its elements as something else than they are")]
pub(super) struct DtypeError;

/// Which dtypes could already be in use: picklers give a dtype its state before they write anything else but the
/// dtypes of its fields.
#[derive(Debug)]
pub(super) struct Order {
    /// How many acts had nothing to do with dtypes.
    others: u64,
    /// How many there had been when each dtype was made.
    made: HashMap<NodeId, u64>,
    /// How many fields may still be looked at.
    fields: usize,
}

impl Default for Order {
    fn default() -> Self {
        Self { others: 0, made: HashMap::new(), fields: MAX_FIELDS }
    }
}

impl Order {
    /// Whether `state`, if `target` is a dtype, says of its elements what follows from them.
    pub(super) fn check(&mut self, graph: &Graph<'_>, target: NodeId, state: NodeId) -> Result<(), DtypeError> {
        if graph.called(target) != Some(("numpy", "dtype")) {
            return Ok(());
        }
        element(graph, target, Some(state), 0, &mut self.fields).map(|_| ()).ok_or(DtypeError)
    }

    /// Takes note of `act`; gives whether it is a state for a dtype that could be in use.
    pub(super) fn follow(&mut self, graph: &Graph<'_>, act: &Act) -> bool {
        let is_dtype = |id: NodeId| graph.called(id) == Some(("numpy", "dtype"));
        match act {
            Act::Imported(_) => {}
            Act::Called(id) if is_dtype(*id) => {
                self.made.insert(*id, self.others);
            }
            // The unit of a time, as protocols below 3 write bytes.
            Act::Called(id) if graph.called(*id) == Some(("_codecs", "encode")) => {}
            Act::Built { target, .. } if is_dtype(*target) => return self.made.get(target) != Some(&self.others),
            _ => self.others += 1,
        }
        false
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Element {
    size: i64,
    objects: bool,
}

/// The element that a dtype describes; `None` where its text, its state and its fields contradict each other.
fn element(graph: &Graph<'_>, id: NodeId, state: Option<NodeId>, depth: usize, fields: &mut usize) -> Option<Element> {
    *fields = fields.checked_sub(1)?;
    if depth > MAX_DEPTH || graph.called(id)? != ("numpy", "dtype") {
        return None;
    }
    let first = *graph.arguments(id)?.first()?;
    // The dtype of a record array is named by its type.
    let (kind, width) = if is_record(graph, first) { ('V', 0) } else { parse(graph.str(first)?)? };
    let own = Element { size: width, objects: kind == 'O' };
    let state = match (state, graph.effects(id).map(|effects| effects.states.as_slice())) {
        (Some(state), _) => state,
        (None, None | Some([])) => return Some(own),
        (None, Some([state])) => *state,
        (None, Some(_)) => return None,
    };
    let Node::Tuple(parts) = graph.get(state) else { return None };
    // Version, byte order, base and shape, names of fields, fields, size, alignment, flags; times have their unit last.
    let (subarray, table, size, flags) = match parts.as_slice() {
        [_, _, subarray, _, table, size, _, flags] => (subarray, table, size, flags),
        [_, _, subarray, _, table, size, _, flags, _] if matches!(kind, 'm' | 'M') => (subarray, table, size, flags),
        _ => return None,
    };
    let flags = number(graph, *flags)?;
    let size = match number(graph, *size)? {
        -1 => own.size,
        size if matches!(kind, 'S' | 'a' | 'U' | 'V') => size,
        _ => return None,
    };
    let mut objects = own.objects;
    if !matches!(graph.get(*subarray), Node::None) {
        let [base, shape] = graph.sequence(*subarray)? else { return None };
        let base = element(graph, *base, None, depth + 1, fields)?;
        let extents = graph.shape(*shape)?;
        let count = extents.iter().try_fold(1_u64, |count, extent| count.checked_mul(*extent))?;
        if kind != 'V' || i64::try_from(count).ok()?.checked_mul(base.size)? != size {
            return None;
        }
        objects |= base.objects;
    }
    match graph.get(*table) {
        Node::None => {}
        Node::Dict(items) if kind == 'V' => {
            for (_, field) in items {
                let (dtype, offset) = match graph.sequence(*field)? {
                    [dtype, offset] | [dtype, offset, _] => (*dtype, number(graph, *offset)?),
                    _ => return None,
                };
                let field = element(graph, dtype, None, depth + 1, fields)?;
                if offset < 0 || offset.checked_add(field.size)? > size {
                    return None;
                }
                objects |= field.objects;
            }
        }
        _ => return None,
    }
    let agree = if objects { flags & INHERITED_FLAGS == INHERITED_FLAGS } else { flags & OBJECT_FLAGS == 0 };
    ((0..=MAX_SIZE).contains(&size) && agree).then_some(Element { size, objects })
}

fn is_record(graph: &Graph<'_>, id: NodeId) -> bool {
    const MODULES: &[&str] = &["numpy", "numpy.rec", "numpy.core.records", "numpy._core.records"];
    let global = graph.global(id).and_then(|global| global.resolved());
    global.is_some_and(|(module, name)| name == "record" && MODULES.contains(&module))
}

fn number(graph: &Graph<'_>, id: NodeId) -> Option<i64> {
    match graph.get(id) {
        Node::Int(value) => Some(*value),
        _ => None,
    }
}

/// Kind and size of the texts that numpy writes, such as `f8`, `<U3` or `O8`.
fn parse(text: &str) -> Option<(char, i64)> {
    let base = text.strip_prefix(['<', '>', '|', '=']).unwrap_or(text);
    let kind = base.chars().next().filter(|kind| "?biufcmMSaUVO".contains(*kind))?;
    let digits = base.get(1..)?.split('[').next()?;
    let width: i64 = match digits {
        "" if kind == '?' => 1,
        "" if kind == 'O' => 8,
        "" => 0,
        digits if digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some((kind, if kind == 'U' { width.checked_mul(4)? } else { width }))
}
