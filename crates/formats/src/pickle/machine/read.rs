//! Arguments of opcodes, `PROTO` and `FRAME`.

use super::{Fault, Halt, Machine, NoteKind, Step};

const HIGHEST_PROTOCOL: u8 = 5;

impl<'a> Machine<'a> {
    pub(super) fn bytes(&mut self, count: u64) -> Result<&'a [u8], Halt> {
        let count = usize::try_from(count).map_err(|_| Fault::BadLength)?;
        let end = self.position.checked_add(count).ok_or(Fault::BadLength)?;
        let bytes = self.input.get(self.position..end).ok_or(Fault::Truncated)?;
        self.position = end;
        Ok(bytes)
    }

    /// A little-endian unsigned number of `width` bytes. One of 8 bytes that C can't hold is a [`Fault::BadLength`].
    pub(super) fn unsigned(&mut self, width: usize) -> Result<u64, Halt> {
        let bytes = self.bytes(width as u64)?;
        let value = bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        if value > i64::MAX as u64 { Err(Fault::BadLength.into()) } else { Ok(value) }
    }

    /// A little-endian `int` of four bytes.
    pub(super) fn signed(&mut self) -> Result<i64, Halt> {
        let value = self.unsigned(4)?;
        Ok(if value > i64::from(i32::MAX) as u64 { value as i64 - (1 << 32) } else { value as i64 })
    }

    /// A line without its newline; it has to hold at least `least` bytes.
    pub(super) fn line(&mut self, least: usize) -> Result<&'a [u8], Halt> {
        let rest = self.input.get(self.position..).unwrap_or_default();
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or(Fault::Truncated)?;
        let line = rest.get(..len).unwrap_or_default();
        self.position += len + 1;
        if len < least { Err(Fault::Truncated.into()) } else { Ok(line) }
    }

    pub(super) fn load_proto(&mut self) -> Step {
        let protocol = self.unsigned(1)? as u8;
        if protocol > HIGHEST_PROTOCOL {
            return Err(Fault::UnsupportedProtocol(protocol).into());
        }
        if self.run.at != self.run.start {
            self.note(NoteKind::ProtocolChanged);
        }
        self.run.protocol = protocol;
        self.run.highest_protocol = self.run.highest_protocol.max(protocol);
        Ok(())
    }

    /// C only asks that a frame's bytes be there; Python reads nothing across its end.
    pub(super) fn load_frame(&mut self) -> Step {
        let len = self.unsigned(8)?;
        let start = self.position;
        self.bytes(len)?;
        let end = std::mem::replace(&mut self.position, start);
        if self.run.frame_end.is_some_and(|end| start < end) {
            self.note(NoteKind::FrameIgnored);
        }
        self.run.frame_end = Some(end);
        Ok(())
    }

    pub(super) fn check_frame(&mut self) {
        if let Some(end) = self.run.frame_end
            && self.position >= end
        {
            self.run.frame_end = None;
            if self.position > end && self.run.at < end {
                self.note(NoteKind::FrameIgnored);
            }
        }
    }
}
