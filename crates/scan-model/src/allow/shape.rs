/// What may be done with a listed name, and with which arguments. The checks are in `judge::arguments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// May be named, as a type given to something else, and no more.
    Reference,
    /// A plain Python class: made without arguments (`NEWOBJ`, `copyreg._reconstructor`), then given its state.
    Instance,
    /// A class with a fixed C layout: called with constants, arrays and listed objects, then given its state.
    Values,
    /// As `Values`, with numbers, strings and bytes only and no state.
    Scalars,
    /// Called with one tuple or list that is written out, or nothing.
    Sequence,
    /// A container that takes items, its own arguments being as for `Values`.
    Mapping,
    /// Called without arguments.
    None,
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
    /// `numpy …_reconstruct(ndarray, (0,), b'b')`.
    NumpyReconstruct,
    /// `numpy.dtype('f8', False, True)`.
    NumpyDtype,
    /// `numpy …scalar(dtype, b'…')`.
    NumpyScalar,
    /// `numpy …_frombuffer(buffer, dtype, shape, order)`.
    NumpyFrombuffer,
    /// `numpy.ma.core._mareconstruct(MaskedArray, ndarray, (0,), 'b')`.
    NumpyMasked,
    /// `pandas …_new_Index(cls, {…})` with a listed class.
    PandasIndex,
    /// `numpy.random._pickle` constructors: the name of a bit generator, or a listed class.
    NumpyRandom,
    /// `__pyx_unpickle_X(cls, checksum, state)` with a listed class.
    PyxUnpickle,
    /// A function that makes an instance of the listed class it is given, such as `newObj(KDTree)`.
    Factory,
}

impl Shape {
    /// The shape that the data files call `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "reference" => Self::Reference,
            "instance" => Self::Instance,
            "values" => Self::Values,
            "scalars" => Self::Scalars,
            "sequence" => Self::Sequence,
            "mapping" => Self::Mapping,
            "none" => Self::None,
            "bytes" => Self::Bytes,
            "codecs-encode" => Self::CodecsEncode,
            "reconstructor" => Self::Reconstructor,
            "newobj" => Self::Newobj,
            "array" => Self::Array,
            "numpy-reconstruct" => Self::NumpyReconstruct,
            "numpy-dtype" => Self::NumpyDtype,
            "numpy-scalar" => Self::NumpyScalar,
            "numpy-frombuffer" => Self::NumpyFrombuffer,
            "numpy-masked" => Self::NumpyMasked,
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

    /// Whether this is a class that a listed function may make an instance of.
    pub(crate) fn is_class(self) -> bool {
        matches!(self, Self::Instance | Self::Values | Self::Mapping)
    }
}
