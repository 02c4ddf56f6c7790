use crate::pickle::{Act, Limits, Opcode, Options, Stop, interpret};

/// Whether the first bytes run as a pickle: to its end, or so far that chance is out of the question.
pub(super) fn is_pickle(head: &[u8], is_text: bool, is_cut: bool) -> bool {
    let limits = Limits { opcodes: 256, streams: 1, ..Limits::default() };
    let options = Options { limits, joblib: false };
    let pickle = interpret(head, &options);
    let Some(first) = pickle.streams.first() else { return false };
    if pickle.events.iter().any(|event| matches!(event.act, Act::Called(_))) {
        return true;
    }
    // Letters are opcodes: `cloudpickle==3\nnumpy\n` imports, and `N. America` ends at once. What reads as text and
    // calls nothing is a pickle only if it is one from end to end.
    if is_text {
        return match &first.stop {
            Stop::Complete(_) => first.opcodes > 1 && first.end == head.len() as u64,
            Stop::Bound { .. } => true,
            Stop::Fault { .. } => false,
        };
    }
    match &first.stop {
        Stop::Complete(_) => first.opcodes > 1,
        Stop::Bound { .. } => true,
        Stop::Fault { opcode, .. } => {
            let cut = is_cut && opcode.is_some_and(takes_bytes) && first.opcodes > 3;
            cut || !pickle.events.is_empty()
        }
    }
}

/// Opcodes whose argument may reach past the part that was looked at.
const fn takes_bytes(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Unicode
            | Opcode::String
            | Opcode::Binunicode
            | Opcode::Binstring
            | Opcode::Binbytes
            | Opcode::Long
            | Opcode::Int
            | Opcode::Frame
    )
}
