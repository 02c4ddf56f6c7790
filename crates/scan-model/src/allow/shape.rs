/// What may be done with a listed name, and with which arguments. The checks are in `judge::arguments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// May be named, as a type given to something else, and no more.
    Reference,
    /// A function without effects: may be named, and wrapped in `functools.partial`.
    Function,
    /// A plain Python class: made without arguments (`NEWOBJ`, `copyreg._reconstructor`), then given its state.
    Instance,
    /// A class with a fixed C layout: called with constants, arrays and listed objects, then given its state.
    Values,
    /// As `Values`, with numbers, strings and bytes only and no state.
    Scalars,
    /// `fractions.Fraction('1/3')`: digits without a power of ten, which would be computed.
    Fraction,
    /// As `Scalars`, with nothing computed in it.
    Constants,
    /// A named tuple: called with its fields, which it keeps, and given no state.
    Fields,
    /// Called without arguments, then given its state.
    Default,
    /// An enumeration: called with a value of its own, or asked for a member by name.
    Enum,
    /// Called with one tuple or list that is written out, or nothing.
    Sequence,
    /// A container that takes items, its own arguments being as for `Values`.
    Mapping,
    /// Called without arguments.
    None,
    /// `builtins.getattr(cls, 'name')` of a listed pair; nothing else may be done with it.
    Getattr,
    /// `functools.partial` of a [`Shape::Function`]; nothing else may be done with it.
    Partial,
    /// Called with the name of a time zone, which becomes part of a path, and constants.
    TimeZone,
    /// `bytes` and `bytearray`: bytes, or a string and its encoding; never a size.
    Bytes,
    /// `_codecs.encode(str, 'latin1')`.
    CodecsEncode,
    /// `copyreg._reconstructor(cls, object, None)` with a listed class.
    Reconstructor,
    /// `copyreg.__newobj__(cls)` with a listed class.
    Newobj,
    /// `array._array_reconstructor(array.array, 'd', 15, b'…')`.
    Array,
    /// `array.array('d', […])`.
    ArrayList,
    /// A kind of array that `numpy …_reconstruct` may be asked for.
    NumpySubclass,
    /// `numpy …_reconstruct(ndarray, (0,), b'b')`.
    NumpyReconstruct,
    /// `numpy.core._ufunc_reconstruct('numpy', 'log1p')` with a [`Shape::Function`]; nothing else may be done with it.
    NumpyUfunc,
    /// `numpy.dtype('f8', False, True)`.
    NumpyDtype,
    /// `numpy …scalar(dtype, b'…')`.
    NumpyScalar,
    /// `numpy …_frombuffer(buffer, dtype, shape, order)`.
    NumpyFrombuffer,
    /// `numpy.ma.core._mareconstruct(MaskedArray, ndarray, (0,), 'b')`.
    NumpyMasked,
    /// `pyarrow.lib._restore_array((type, 2, 0, 0, [None, buffer, buffer], [], None))` whose buffers are long enough.
    ArrowArray,
    /// `pyarrow.lib.py_buffer(b'…')`.
    ArrowBuffer,
    /// `pandas …_new_Index(cls, {…})` with a listed class.
    PandasIndex,
    /// `new_block(array, place)` or, as pandas 1.3 has it, a call of `partial(new_block, ndim=2)`.
    PandasBlock,
    /// `numpy.random._pickle` constructors: the name of a bit generator, or a listed class.
    NumpyRandom,
    /// `__pyx_unpickle_X(cls, checksum, state)` with a listed class.
    PyxUnpickle,
    /// A distribution of `scipy.stats`: as `Instance`, but it runs a template that its state holds.
    Distribution,
    /// `torch._utils._rebuild_…(storage, 0, (2, 3), (3, 1), False, OrderedDict())`.
    TorchRebuild,
    /// `torch._tensor._rebuild_from_type_v2(function, cls, arguments, state)` with a [`Shape::TorchRebuild`].
    TorchFromType,
    /// `torch.storage._load_from_bytes(b'…')` with bytes that are harmless as a file.
    TorchLoadFromBytes,
    /// A function that makes an instance of the listed class it is given, such as `newObj(KDTree)`.
    Factory,
}

impl Shape {
    /// The shape that the data files call `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "reference" => Self::Reference,
            "arrow-array" => Self::ArrowArray,
            "arrow-buffer" => Self::ArrowBuffer,
            "function" => Self::Function,
            "constants" => Self::Constants,
            "fields" => Self::Fields,
            "default" => Self::Default,
            "enum" => Self::Enum,
            "getattr" => Self::Getattr,
            "partial" => Self::Partial,
            "time-zone" => Self::TimeZone,
            "array-list" => Self::ArrayList,
            "numpy-subclass" => Self::NumpySubclass,
            "distribution" => Self::Distribution,
            "torch-rebuild" => Self::TorchRebuild,
            "torch-from-type" => Self::TorchFromType,
            "torch-load-from-bytes" => Self::TorchLoadFromBytes,
            "instance" => Self::Instance,
            "values" => Self::Values,
            "scalars" => Self::Scalars,
            "fraction" => Self::Fraction,
            "sequence" => Self::Sequence,
            "mapping" => Self::Mapping,
            "none" => Self::None,
            "bytes" => Self::Bytes,
            "codecs-encode" => Self::CodecsEncode,
            "reconstructor" => Self::Reconstructor,
            "newobj" => Self::Newobj,
            "array" => Self::Array,
            "numpy-reconstruct" => Self::NumpyReconstruct,
            "numpy-ufunc" => Self::NumpyUfunc,
            "numpy-dtype" => Self::NumpyDtype,
            "numpy-scalar" => Self::NumpyScalar,
            "numpy-frombuffer" => Self::NumpyFrombuffer,
            "numpy-masked" => Self::NumpyMasked,
            "pandas-block" => Self::PandasBlock,
            "pandas-index" => Self::PandasIndex,
            "numpy-random" => Self::NumpyRandom,
            "pyx-unpickle" => Self::PyxUnpickle,
            "factory" => Self::Factory,
            _ => return None,
        })
    }

    /// Whether what a call with this shape gives may get a state by `BUILD`.
    pub(crate) fn takes_state(self) -> bool {
        matches!(
            self,
            Self::Instance
                | Self::Values
                | Self::Mapping
                | Self::Default
                | Self::Distribution
                | Self::Partial
                | Self::Reconstructor
                | Self::Newobj
                | Self::NumpyReconstruct
                | Self::NumpyDtype
                | Self::NumpyMasked
                | Self::PandasIndex
                | Self::NumpyRandom
                | Self::PyxUnpickle
                | Self::Factory
        )
    }

    /// Whether what a call with this shape gives may get items by `SETITEM(S)` and `APPEND(S)`.
    pub(crate) fn takes_items(self) -> bool {
        matches!(self, Self::Mapping)
    }

    /// Whether nothing may be done with this name but to call it: it reaches whatever it is given.
    pub(crate) fn is_only_called(self) -> bool {
        matches!(
            self,
            Self::Getattr | Self::Partial | Self::NumpyUfunc | Self::TorchFromType | Self::TorchLoadFromBytes
        )
    }

    /// Whether this is a class that a listed function may make an instance of.
    pub(crate) fn is_class(self) -> bool {
        matches!(self, Self::Instance | Self::Values | Self::Mapping)
    }
}
