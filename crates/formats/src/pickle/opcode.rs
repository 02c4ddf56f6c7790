/// An opcode of pickle, protocols 0 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[rustfmt::skip]
#[allow(missing_docs, reason = "the names are those of pickletools")]
pub enum Opcode {
    Mark,
    Stop,
    Pop,
    Dup,
    Float,
    Int,
    Long,
    None,
    Persid,
    Reduce,
    String,
    Unicode,
    Append,
    Build,
    Global,
    Dict,
    Get,
    Inst,
    List,
    Put,
    Setitem,
    Tuple,
    EmptyTuple,
    PopMark,
    Binfloat,
    Binint,
    Binint1,
    Binint2,
    Binpersid,
    Binstring,
    ShortBinstring,
    Binunicode,
    EmptyList,
    Appends,
    Binget,
    LongBinget,
    Obj,
    Binput,
    LongBinput,
    Setitems,
    EmptyDict,
    Proto,
    Newobj,
    Ext1,
    Ext2,
    Ext4,
    Tuple1,
    Tuple2,
    Tuple3,
    Newtrue,
    Newfalse,
    Long1,
    Long4,
    Binbytes,
    ShortBinbytes,
    ShortBinunicode,
    Binunicode8,
    Binbytes8,
    EmptySet,
    Additems,
    Frozenset,
    NewobjEx,
    StackGlobal,
    Memoize,
    Frame,
    Bytearray8,
    NextBuffer,
    ReadonlyBuffer,
}

#[rustfmt::skip]
const OPCODES: &[(u8, Opcode, &str, u8)] = &[
    (0x28, Opcode::Mark, "MARK", 0),
    (0x2e, Opcode::Stop, "STOP", 0),
    (0x30, Opcode::Pop, "POP", 0),
    (0x32, Opcode::Dup, "DUP", 0),
    (0x46, Opcode::Float, "FLOAT", 0),
    (0x49, Opcode::Int, "INT", 0),
    (0x4c, Opcode::Long, "LONG", 0),
    (0x4e, Opcode::None, "NONE", 0),
    (0x50, Opcode::Persid, "PERSID", 0),
    (0x52, Opcode::Reduce, "REDUCE", 0),
    (0x53, Opcode::String, "STRING", 0),
    (0x56, Opcode::Unicode, "UNICODE", 0),
    (0x61, Opcode::Append, "APPEND", 0),
    (0x62, Opcode::Build, "BUILD", 0),
    (0x63, Opcode::Global, "GLOBAL", 0),
    (0x64, Opcode::Dict, "DICT", 0),
    (0x67, Opcode::Get, "GET", 0),
    (0x69, Opcode::Inst, "INST", 0),
    (0x6c, Opcode::List, "LIST", 0),
    (0x70, Opcode::Put, "PUT", 0),
    (0x73, Opcode::Setitem, "SETITEM", 0),
    (0x74, Opcode::Tuple, "TUPLE", 0),
    (0x29, Opcode::EmptyTuple, "EMPTY_TUPLE", 1),
    (0x31, Opcode::PopMark, "POP_MARK", 1),
    (0x47, Opcode::Binfloat, "BINFLOAT", 1),
    (0x4a, Opcode::Binint, "BININT", 1),
    (0x4b, Opcode::Binint1, "BININT1", 1),
    (0x4d, Opcode::Binint2, "BININT2", 1),
    (0x51, Opcode::Binpersid, "BINPERSID", 1),
    (0x54, Opcode::Binstring, "BINSTRING", 1),
    (0x55, Opcode::ShortBinstring, "SHORT_BINSTRING", 1),
    (0x58, Opcode::Binunicode, "BINUNICODE", 1),
    (0x5d, Opcode::EmptyList, "EMPTY_LIST", 1),
    (0x65, Opcode::Appends, "APPENDS", 1),
    (0x68, Opcode::Binget, "BINGET", 1),
    (0x6a, Opcode::LongBinget, "LONG_BINGET", 1),
    (0x6f, Opcode::Obj, "OBJ", 1),
    (0x71, Opcode::Binput, "BINPUT", 1),
    (0x72, Opcode::LongBinput, "LONG_BINPUT", 1),
    (0x75, Opcode::Setitems, "SETITEMS", 1),
    (0x7d, Opcode::EmptyDict, "EMPTY_DICT", 1),
    (0x80, Opcode::Proto, "PROTO", 2),
    (0x81, Opcode::Newobj, "NEWOBJ", 2),
    (0x82, Opcode::Ext1, "EXT1", 2),
    (0x83, Opcode::Ext2, "EXT2", 2),
    (0x84, Opcode::Ext4, "EXT4", 2),
    (0x85, Opcode::Tuple1, "TUPLE1", 2),
    (0x86, Opcode::Tuple2, "TUPLE2", 2),
    (0x87, Opcode::Tuple3, "TUPLE3", 2),
    (0x88, Opcode::Newtrue, "NEWTRUE", 2),
    (0x89, Opcode::Newfalse, "NEWFALSE", 2),
    (0x8a, Opcode::Long1, "LONG1", 2),
    (0x8b, Opcode::Long4, "LONG4", 2),
    (0x42, Opcode::Binbytes, "BINBYTES", 3),
    (0x43, Opcode::ShortBinbytes, "SHORT_BINBYTES", 3),
    (0x8c, Opcode::ShortBinunicode, "SHORT_BINUNICODE", 4),
    (0x8d, Opcode::Binunicode8, "BINUNICODE8", 4),
    (0x8e, Opcode::Binbytes8, "BINBYTES8", 4),
    (0x8f, Opcode::EmptySet, "EMPTY_SET", 4),
    (0x90, Opcode::Additems, "ADDITEMS", 4),
    (0x91, Opcode::Frozenset, "FROZENSET", 4),
    (0x92, Opcode::NewobjEx, "NEWOBJ_EX", 4),
    (0x93, Opcode::StackGlobal, "STACK_GLOBAL", 4),
    (0x94, Opcode::Memoize, "MEMOIZE", 4),
    (0x95, Opcode::Frame, "FRAME", 4),
    (0x96, Opcode::Bytearray8, "BYTEARRAY8", 5),
    (0x97, Opcode::NextBuffer, "NEXT_BUFFER", 5),
    (0x98, Opcode::ReadonlyBuffer, "READONLY_BUFFER", 5),
];

/// By byte, so that a lookup is one load.
const BY_BYTE: [Option<Opcode>; 256] = {
    let mut table = [None; 256];
    let mut place = 0;
    while place < OPCODES.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated while compiling")]
        {
            table[OPCODES[place].0 as usize] = Some(OPCODES[place].1);
        }
        place += 1;
    }
    table
};

impl Opcode {
    /// The opcode of a byte.
    #[must_use]
    pub fn of(byte: u8) -> Option<Self> {
        BY_BYTE.get(usize::from(byte)).copied().flatten()
    }

    fn row(self) -> Option<&'static (u8, Self, &'static str, u8)> {
        OPCODES.get(self as usize)
    }

    /// Its byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.row().map_or(0, |row| row.0)
    }

    /// Its name in `pickletools`, such as `STACK_GLOBAL`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.2)
    }

    /// The protocol that brought it.
    #[must_use]
    pub fn protocol(self) -> u8 {
        self.row().map_or(0, |row| row.3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_enum() {
        assert_eq!(OPCODES.len(), 68);
        for (place, row) in OPCODES.iter().enumerate() {
            assert_eq!(row.1 as usize, place);
            assert_eq!(Opcode::of(row.0), Some(row.1));
        }
        assert_eq!(Opcode::StackGlobal.name(), "STACK_GLOBAL");
        assert_eq!(Opcode::of(b'!'), None);
    }
}
