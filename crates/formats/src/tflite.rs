//! TensorFlow Lite: a FlatBuffer. Operators, tensors' types and metadata are read; buffers are stepped over.
//!
//! The schema is <https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs>.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use sealyard_core::ReadAt;

use crate::flat::{Flat, FlatError, List, Table};

/// The code of an operator that is known by its name only.
const CUSTOM: u32 = 32;
/// Dimensions of a tensor that are looked at.
const MAX_DIMENSIONS: u64 = 64;
/// Inputs and outputs that are kept.
const MAX_VALUES: usize = 256;
/// Elements that are looked at.
const MAX_ELEMENTS: u64 = 500_000;
/// Uses of operators by name that are kept.
const MAX_CUSTOM: usize = 100_000;

/// What a file holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Tflite {
    /// Version of the schema.
    pub version: u32,
    /// What wrote the file, as it says.
    pub description: String,
    /// Operators and how many there are of each: the schema's by code, others by name.
    pub operators: BTreeMap<Operator, u64>,
    /// Uses of operators that are known by their name only.
    pub custom: Vec<Custom>,
    /// Inputs and outputs of the main graph: name, and type with shape.
    pub values: Vec<(&'static str, String, String)>,
    /// By element type: how many tensors, and how many numbers in them.
    pub tensors: BTreeMap<u8, (u64, u64)>,
    /// Names of the metadata.
    pub metadata: Vec<String>,
    /// Files that buffers lie in.
    pub files: Vec<(String, u64)>,
    /// Elements that were looked at.
    pub elements: u64,
    /// Why the file was not read to its end.
    pub broken: Option<FlatError>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// One of the schema, by its code.
    Known(u32),
    /// Another, by its name.
    Custom(Arc<str>),
}

/// A use of an operator that is known by its name only.
#[derive(Debug)]
#[non_exhaustive]
pub struct Custom {
    /// Its name.
    pub name: Arc<str>,
    /// Where its options lie.
    pub options: Range<u64>,
    /// Where it lies.
    pub offset: u64,
}

impl Tflite {
    /// Reads a file.
    #[must_use]
    pub fn parse(source: &dyn ReadAt) -> Self {
        let mut flat = Flat::new(source, MAX_ELEMENTS);
        let mut model = Self::default();
        model.broken = model.read(&mut flat, source.size()).err();
        model.elements = MAX_ELEMENTS - flat.left();
        model
    }

    fn read(&mut self, flat: &mut Flat<'_>, size: u64) -> Result<(), FlatError> {
        let root = flat.root()?;
        self.version = number(flat, root, 0)?;
        self.description = flat.text(root, 3)?;
        let mut codes = Vec::new();
        for code in flat.tables(root, 1)? {
            let old = flat.field(code, 0)?.map_or(Ok(0), |place| flat.u8(place))?;
            // Readers take the larger of the two codes.
            let known = u32::from(old).max(number(flat, code, 3)?);
            codes.push(if known == CUSTOM {
                Operator::Custom(flat.text(code, 1)?.into())
            } else {
                Operator::Known(known)
            });
        }
        for (index, graph) in flat.tables(root, 2)?.into_iter().enumerate() {
            self.graph(flat, graph, &codes, index == 0, size)?;
        }
        for entry in flat.tables(root, 6)? {
            let name = flat.text(entry, 0)?;
            self.metadata.push(name);
        }
        // Groups of buffers in files beside the model.
        for group in flat.tables(root, 8)? {
            let name = flat.text(group, 0)?;
            self.files.push((name, group.place));
        }
        Ok(())
    }

    fn graph(
        &mut self,
        flat: &mut Flat<'_>,
        graph: Table,
        codes: &[Operator],
        is_main: bool,
        size: u64,
    ) -> Result<(), FlatError> {
        let tensors = flat.tables(graph, 0)?;
        for tensor in &tensors {
            let kind = flat.field(*tensor, 1)?.map_or(Ok(0), |place| flat.u8(place))?;
            let numbers = shape(flat, *tensor)?
                .into_iter()
                .fold(1_u64, |all, size| all.saturating_mul(u64::try_from(size).unwrap_or(1)));
            // Only a tensor with a buffer of its own has its numbers in the file.
            if number(flat, *tensor, 2)? != 0 {
                let (count, total) = self.tensors.entry(kind).or_default();
                (*count, *total) = (*count + 1, total.saturating_add(numbers));
            }
        }
        if is_main {
            for (direction, index) in [("input", 1), ("output", 2)] {
                let list = flat.list(graph, index, 4)?;
                self.values(flat, direction, list, &tensors)?;
            }
        }
        for operator in flat.tables(graph, 3)? {
            let code = usize::try_from(number(flat, operator, 0)?).unwrap_or(usize::MAX);
            let Some(code) = codes.get(code) else { return Err(FlatError::Outside(operator.place)) };
            *self.operators.entry(code.clone()).or_default() += 1;
            if self.custom.len() >= MAX_CUSTOM {
                return Err(FlatError::Elements);
            }
            if let Operator::Custom(name) = code {
                let options = options(flat, operator, size)?;
                self.custom.push(Custom { name: name.clone(), options, offset: operator.place });
            }
        }
        Ok(())
    }

    fn values(
        &mut self,
        flat: &mut Flat<'_>,
        direction: &'static str,
        list: List,
        tensors: &[Table],
    ) -> Result<(), FlatError> {
        for element in 0..list.count.min(MAX_VALUES as u64) {
            let index = usize::try_from(flat.i32(list.start + 4 * element)?).unwrap_or(usize::MAX);
            let Some(tensor) = tensors.get(index) else { continue };
            let sizes: Vec<_> = shape(flat, *tensor)?.into_iter().map(|size| size.to_string()).collect();
            let kind = flat.field(*tensor, 1)?.map_or(Ok(0), |place| flat.u8(place))?;
            let text = format!("{}[{}]", data_type(kind), sizes.join(", "));
            self.values.push((direction, flat.text(*tensor, 3)?, text));
        }
        Ok(())
    }

    /// The texts of an operator's options: for one of TensorFlow its name, and its node as a message.
    ///
    /// # Errors
    /// When the options are no list of texts.
    pub fn texts(source: &dyn ReadAt, custom: &Custom) -> Result<Vec<Range<u64>>, FlatError> {
        Flat::new(source, MAX_ELEMENTS).flex_texts(custom.options.clone())
    }
}

/// Where an operator's options lie: in the buffer, or behind it where the model is too large.
fn options(flat: &Flat<'_>, operator: Table, size: u64) -> Result<Range<u64>, FlatError> {
    let large = |index| flat.field(operator, index)?.map_or(Ok(0), |place| flat.u64(place));
    let (start, length) = (large(9)?, large(10)?);
    if start > 1 {
        let end = start.checked_add(length).filter(|end| *end <= size);
        return end.map(|end| start..end).ok_or(FlatError::Outside(operator.place));
    }
    let list = flat.list(operator, 5, 1)?;
    Ok(list.start..list.start + list.count)
}

fn number(flat: &Flat<'_>, table: Table, index: u64) -> Result<u32, FlatError> {
    flat.field(table, index)?.map_or(Ok(0), |place| flat.u32(place))
}

fn shape(flat: &mut Flat<'_>, tensor: Table) -> Result<Vec<i32>, FlatError> {
    let list = flat.list(tensor, 0, 4)?;
    let count = list.count.min(MAX_DIMENSIONS);
    flat.spend(count)?;
    (0..count).map(|index| flat.i32(list.start + 4 * index)).collect()
}

/// The schema's operators in the order of their codes.
const NAMES: &str = "\
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR \
    FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC \
    LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH \
    SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN \
    GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM \
    STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM \
    CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN \
    TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN \
    FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV \
    REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE \
    MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG \
    QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND \
    SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO \
    RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL \
    CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE \
    RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX \
    UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC \
    STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP \
    STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL \
    STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR \
    STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER \
    STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE \
    STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA \
    STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER \
    STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT \
    STABLEHLO_CBRT STABLEHLO_CASE";

/// The name of one of the schema's operators.
#[must_use]
pub fn operator_name(code: u32) -> Option<&'static str> {
    NAMES.split(' ').nth(usize::try_from(code).ok()?)
}

/// The name of an element type.
#[must_use]
pub const fn data_type(number: u8) -> &'static str {
    match number {
        0 => "float32",
        1 => "float16",
        2 => "int32",
        3 => "uint8",
        4 => "int64",
        5 => "string",
        6 => "bool",
        7 => "int16",
        8 => "complex64",
        9 => "int8",
        10 => "float64",
        11 => "complex128",
        12 => "uint64",
        13 => "resource",
        14 => "variant",
        15 => "uint32",
        16 => "uint16",
        17 => "int4",
        18 => "bfloat16",
        19 => "int2",
        20 => "uint4",
        _ => "unknown type",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MODEL: &[u8] = include_bytes!("../../../corpus/tflite-tensorflow-operator/bad/read.tflite");

    #[test]
    fn what_a_model_says_is_told() {
        let model = Tflite::parse(&MODEL);
        assert!(model.broken.is_none(), "{:?}", model.broken);
        assert_eq!((model.version, model.description.as_str()), (3, "example"));
        let operators: Vec<_> = model.operators.keys().cloned().collect();
        assert_eq!(operators, [Operator::Known(19), Operator::Custom("FlexReadFile".into())]);
        assert_eq!(operator_name(19), Some("RELU"));
        assert_eq!(operator_name(209), Some("STABLEHLO_CASE"));
        assert_eq!(operator_name(210), None);
        let values = [("input", "x", "float32[1, 4]"), ("output", "y", "float32[1, 4]")];
        let found: Vec<_> = model.values.iter().map(|(way, name, kind)| (*way, name.as_str(), kind.as_str())).collect();
        assert_eq!(found, values);
    }

    #[test]
    fn the_options_are_read() {
        let model = Tflite::parse(&MODEL);
        let texts = Tflite::texts(&MODEL, &model.custom[0]).unwrap();
        let text =
            |range: &Range<u64>| &MODEL[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        assert_eq!(text(&texts[0]), b"ReadFile");
        assert!(text(&texts[1]).starts_with(b"\x0a\x01n\x12\x08ReadFile"));
        let broken = Custom { name: "Flex".into(), options: 0..4, offset: 0 };
        assert!(Tflite::texts(&MODEL, &broken).is_err());
    }

    #[test]
    fn a_place_outside_is_an_error() {
        for length in 0..400 {
            let model = Tflite::parse(&MODEL[..length].to_vec());
            assert!(model.broken.is_some(), "{length}");
        }
    }

    #[test]
    fn what_is_named_many_times_is_counted_each_time() {
        // A list of tables whose 300,000 places all name one table with a long name.
        let mut bytes = b"\x14\0\0\0TFL3".to_vec();
        bytes.extend(b"\x0a\0\x08\0\0\0\x04\0\0\0\0\0");
        bytes.extend(12_i32.to_le_bytes());
        let list = bytes.len();
        bytes.extend(4_u32.to_le_bytes());
        assert_eq!(list, 24);
        let count = 10_000_u32;
        bytes.extend(count.to_le_bytes());
        let target = 28 + 4 + 4 * count + 8;
        for index in 0..count {
            bytes.extend((target - (32 + 4 * index)).to_le_bytes());
        }
        bytes.extend(b"\x08\0\x08\0\x04\0\x04\0");
        bytes.extend(8_i32.to_le_bytes());
        bytes.extend(4_u32.to_le_bytes());
        let name = vec![b'x'; 60_000];
        bytes.extend(60_000_u32.to_le_bytes());
        bytes.extend(name);
        let table = usize::try_from(target).unwrap();
        bytes[table - 8..table].copy_from_slice(b"\x08\0\x08\0\x04\0\x04\0");
        // Its code says that it is known by name.
        bytes[table + 4] = 32;
        let model = Tflite::parse(&bytes);
        assert!(model.broken.is_some());
        assert!(model.elements <= MAX_ELEMENTS);
    }

    proptest! {
        #[test]
        fn no_change_panics(place in 0..700_usize, byte: u8, second in 0..700_usize, other: u8) {
            let mut bytes = MODEL.to_vec();
            for (place, byte) in [(place, byte), (second, other)] {
                if let Some(old) = bytes.get_mut(place) {
                    *old = byte;
                }
            }
            let model = Tflite::parse(&bytes);
            for custom in &model.custom {
                let _ = Tflite::texts(&bytes, custom);
            }
        }
    }
}
