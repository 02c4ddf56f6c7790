//! Core ML: a protobuf `Model`. Layers, operations and nested models are walked; weights are stepped over.
//!
//! Field numbers are those of <https://github.com/apple/coremltools/tree/main/mlmodel/format>.

use std::collections::BTreeMap;
use std::ops::Range;

use sealyard_core::ReadAt;

use crate::message::{Limits, MessageError, Walk};
use crate::protobuf::Value;
use crate::window::Window;

/// Inputs, outputs and properties that are kept.
const MAX_VALUES: usize = 256;
/// Longest property that is kept.
const MAX_PROPERTY: u64 = 1024;

/// What a Core ML file holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CoreMl {
    /// Version of the format.
    pub specification: u64,
    /// Kinds of models, and how many there are of each.
    pub models: BTreeMap<String, u64>,
    /// Layers and operations, and how many there are of each.
    pub layers: BTreeMap<String, u64>,
    /// Classes of the application that is to load the model.
    pub classes: Vec<Named>,
    /// Files that the model names.
    pub files: BTreeMap<String, Named>,
    /// Names of the model's inputs and outputs.
    pub values: Vec<(&'static str, String)>,
    /// The author's properties.
    pub properties: Vec<(String, String)>,
    /// Fields that were looked at.
    pub fields: u64,
    /// Why the file was not walked to its end.
    pub broken: Option<MessageError>,
}

/// Something that the model names.
#[derive(Debug)]
#[non_exhaustive]
pub struct Named {
    /// The name.
    pub name: String,
    /// What names it.
    pub by: &'static str,
    /// Where it is named.
    pub offset: u64,
}

impl CoreMl {
    /// Walks a file.
    #[must_use]
    pub fn parse(source: &dyn ReadAt, limits: Limits) -> Self {
        let window = Window::new(source);
        let mut walk = Walk::new(&window, limits);
        let mut model = Self::default();
        let whole = walk.whole();
        model.broken = model.model(&mut walk, whole, true).err();
        model.fields = walk.fields();
        model
    }

    fn model(&mut self, walk: &mut Walk<'_>, range: Range<u64>, is_main: bool) -> Done {
        walk.each(range, |walk, field| {
            let number = field.number;
            match number {
                1 if is_main => self.specification = field.varint()?,
                2 if is_main => self.description(walk, field.bytes()?)?,
                200..=3000 => {
                    let Value::Bytes(inner) = field.value.clone() else { return Ok(()) };
                    count(&mut self.models, name_of(MODELS, number), walk)?;
                    match number {
                        // A pipeline within another message.
                        200 | 201 => {
                            for pipeline in walk.all(inner, 1)? {
                                self.pipeline(walk, pipeline)?;
                            }
                        }
                        202 => self.pipeline(walk, inner)?,
                        303 | 403 | 500 => self.network(walk, inner)?,
                        502 => self.program(walk, inner)?,
                        555 => self.class("model", walk, inner, field.offset)?,
                        556 => self.link(walk, inner, field.offset)?,
                        _ => {}
                    }
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn description(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| {
            match field.number {
                1 | 10 => {
                    for name in walk.all(field.bytes()?, 1)? {
                        let name = walk.text(name)?;
                        if self.values.len() < MAX_VALUES {
                            walk.keep(name.len() + 64)?;
                            self.values.push((if field.number == 1 { "input" } else { "output" }, name));
                        }
                    }
                }
                100 => walk.each(field.bytes()?, |walk, field| {
                    let (key, value) = match field.number {
                        1 => ("description".to_owned(), field.bytes()?),
                        2 => ("version".to_owned(), field.bytes()?),
                        3 => ("author".to_owned(), field.bytes()?),
                        4 => ("license".to_owned(), field.bytes()?),
                        100 => {
                            let entry = field.bytes()?;
                            let key = walk.all(entry.clone(), 1)?.pop();
                            let Some(value) = walk.all(entry, 2)?.pop() else { return Ok(()) };
                            (key.map_or(Ok(String::new()), |key| walk.text(key))?, value)
                        }
                        _ => return Ok(()),
                    };
                    let value = walk.start(value, MAX_PROPERTY)?;
                    if self.properties.len() < MAX_VALUES {
                        walk.keep(key.len() + value.len() + 64)?;
                        self.properties.push((key, value));
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })
    }

    fn pipeline(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            1 => self.model(walk, field.bytes()?, false),
            _ => Ok(()),
        })
    }

    fn network(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            1 => walk.each(field.bytes()?, |walk, field| {
                let Value::Bytes(layer) = field.value.clone() else { return Ok(()) };
                if field.number < 100 {
                    return Ok(());
                }
                count(&mut self.layers, name_of(LAYERS, field.number), walk)?;
                match field.number {
                    500 => self.class("layer", walk, layer, field.offset),
                    // Branches and loops have networks of their own.
                    605 => self.networks(walk, layer, &[1, 2]),
                    615 => self.networks(walk, layer, &[3, 4]),
                    _ => Ok(()),
                }
            }),
            _ => Ok(()),
        })
    }

    fn networks(&mut self, walk: &mut Walk<'_>, range: Range<u64>, numbers: &[u32]) -> Done {
        walk.each(range, |walk, field| match field.number {
            number if numbers.contains(&number) => self.network(walk, field.bytes()?),
            _ => Ok(()),
        })
    }

    /// A layer or model that a class of the application is.
    fn class(&mut self, by: &'static str, walk: &mut Walk<'_>, range: Range<u64>, offset: u64) -> Done {
        let name = walk.all(range, 10)?.pop().map_or(Ok(String::new()), |name| walk.text(name))?;
        walk.keep(name.len() + 64)?;
        self.classes.push(Named { name, by, offset });
        Ok(())
    }

    /// `LinkedModel`: the name of a file and where it is looked for, each with a default value.
    fn link(&mut self, walk: &mut Walk<'_>, range: Range<u64>, offset: u64) -> Done {
        for file in walk.all(range, 1)? {
            walk.each(file, |walk, field| {
                if !matches!(field.number, 1 | 2) {
                    return Ok(());
                }
                for text in walk.all(field.bytes()?, 1)? {
                    let text = walk.text(text)?;
                    let by = if field.number == 1 { "linked model" } else { "search path" };
                    self.file(text, by, offset, walk)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn file(&mut self, name: String, by: &'static str, offset: u64, walk: &mut Walk<'_>) -> Done {
        if !self.files.contains_key(&name) {
            walk.keep(2 * name.len() + 96)?;
            self.files.insert(name.clone(), Named { name, by, offset });
        }
        Ok(())
    }

    fn program(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            2 => {
                for function in walk.all(field.bytes()?, 2)? {
                    walk.each(function, |walk, field| match field.number {
                        3 => {
                            for block in walk.all(field.bytes()?, 2)? {
                                self.block(walk, block)?;
                            }
                            Ok(())
                        }
                        4 => self.named_value(walk, field.bytes()?),
                        _ => Ok(()),
                    })?;
                }
                Ok(())
            }
            4 => self.named_value(walk, field.bytes()?),
            _ => Ok(()),
        })
    }

    fn block(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            3 => walk.each(field.bytes()?, |walk, field| match field.number {
                1 => {
                    let name = walk.text(field.bytes()?)?;
                    count(&mut self.layers, name, walk)
                }
                2 => {
                    for argument in walk.all(field.bytes()?, 2)? {
                        for binding in walk.all(argument, 1)? {
                            for value in walk.all(binding, 2)? {
                                self.value(walk, value)?;
                            }
                        }
                    }
                    Ok(())
                }
                4 => self.block(walk, field.bytes()?),
                5 => self.named_value(walk, field.bytes()?),
                _ => Ok(()),
            }),
            4 => self.named_value(walk, field.bytes()?),
            _ => Ok(()),
        })
    }

    /// An entry of a table of values.
    fn named_value(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        for value in walk.all(range, 2)? {
            self.value(walk, value)?;
        }
        Ok(())
    }

    /// A value, which lies here or in a file of weights.
    fn value(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            // Tuples and lists of values, and tables of pairs of them.
            3 => walk.each(field.bytes()?, |walk, field| match field.number {
                2 | 3 => walk.each(field.bytes()?, |walk, field| match field.number {
                    1 => self.value(walk, field.bytes()?),
                    _ => Ok(()),
                }),
                4 => {
                    for pair in walk.all(field.bytes()?, 1)? {
                        walk.each(pair, |walk, field| self.value(walk, field.bytes()?))?;
                    }
                    Ok(())
                }
                _ => Ok(()),
            }),
            5 => {
                for name in walk.all(field.bytes()?, 1)? {
                    let name = walk.text(name)?;
                    self.file(name, "weights", field.offset, walk)?;
                }
                Ok(())
            }
            _ => Ok(()),
        })
    }
}

type Done = Result<(), MessageError>;

fn count(counts: &mut BTreeMap<String, u64>, name: String, walk: &mut Walk<'_>) -> Done {
    if let Some(count) = counts.get_mut(&name) {
        *count += 1;
    } else {
        walk.keep(name.len() + 64)?;
        counts.insert(name, 1);
    }
    Ok(())
}

/// The name of a number in a list of numbers and names.
fn name_of(names: &str, number: u32) -> String {
    let text = number.to_string();
    let mut words = names.split(' ');
    let found = words.find(|word| *word == text).and_then(|_| words.next());
    found.map_or_else(|| format!("number {number}"), str::to_owned)
}

const MODELS: &str = "\
    200 pipelineClassifier 201 pipelineRegressor 202 pipeline 300 glmRegressor 301 supportVectorRegressor \
    302 treeEnsembleRegressor 303 neuralNetworkRegressor 304 bayesianProbitRegressor 400 glmClassifier \
    401 supportVectorClassifier 402 treeEnsembleClassifier 403 neuralNetworkClassifier 404 kNearestNeighborsClassifier \
    500 neuralNetwork 501 itemSimilarityRecommender 502 mlProgram 555 customModel 556 linkedModel 560 \
    classConfidenceThresholding 600 oneHotEncoder 601 imputer 602 featureVectorizer 603 dictVectorizer 604 scaler \
    606 categoricalMapping 607 normalizer 609 arrayFeatureExtractor 610 nonMaximumSuppression 900 identity \
    2000 textClassifier 2001 wordTagger 2002 visionFeaturePrint 2003 soundAnalysisPreprocessing 2004 gazetteer \
    2005 wordEmbedding 2006 audioFeaturePrint 3000 serializedModel";

const LAYERS: &str = "\
    100 convolution 120 pooling 130 activation 140 innerProduct 150 embedding 160 batchnorm 165 mvn 170 l2normalize \
    175 softmax 180 lrn 190 crop 200 padding 210 upsample 211 resizeBilinear 212 cropResize 220 unary 230 add \
    231 multiply 240 average 245 scale 250 bias 260 max 261 min 270 dot 280 reduce 290 loadConstant 300 reshape \
    301 flatten 310 permute 320 concat 330 split 340 sequenceRepeat 345 reorganizeData 350 slice 400 simpleRecurrent \
    410 gru 420 uniDirectionalLSTM 430 biDirectionalLSTM 500 custom 600 copy 605 branch 615 loop 620 loopBreak \
    625 loopContinue 635 rangeStatic 640 rangeDynamic 660 clip 665 ceil 670 floor 680 sign 685 round 700 exp2 \
    710 sin 715 cos 720 tan 730 asin 735 acos 740 atan 750 sinh 755 cosh 760 tanh 770 asinh 775 acosh 780 atanh \
    790 erf 795 gelu 815 equal 820 notEqual 825 lessThan 827 lessEqual 830 greaterThan 832 greaterEqual \
    840 logicalOr 845 logicalXor 850 logicalNot 855 logicalAnd 865 modBroadcastable 870 minBroadcastable \
    875 maxBroadcastable 880 addBroadcastable 885 powBroadcastable 890 divideBroadcastable 895 floorDivBroadcastable \
    900 multiplyBroadcastable 905 subtractBroadcastable 920 tile 925 stack 930 gather 935 scatter 940 gatherND \
    945 scatterND 950 softmaxND 952 gatherAlongAxis 954 scatterAlongAxis 960 reverse 965 reverseSeq 975 splitND \
    980 concatND 985 transpose 995 sliceStatic 1000 sliceDynamic 1005 slidingWindows 1015 topK 1020 argMin \
    1025 argMax 1040 embeddingND 1045 batchedMatmul 1065 getShape 1070 loadConstantND 1080 fillLike 1085 fillStatic \
    1090 fillDynamic 1100 broadcastToLike 1105 broadcastToStatic 1110 broadcastToDynamic 1120 squeeze \
    1125 expandDims 1130 flattenTo2D 1135 reshapeLike 1140 reshapeStatic 1145 reshapeDynamic \
    1150 rankPreservingReshape 1155 constantPad 1170 randomNormalLike 1175 randomNormalStatic \
    1180 randomNormalDynamic 1190 randomUniformLike 1195 randomUniformStatic 1200 randomUniformDynamic \
    1210 randomBernoulliLike 1215 randomBernoulliStatic 1220 randomBernoulliDynamic 1230 categoricalDistribution \
    1250 reduceL1 1255 reduceL2 1260 reduceMax 1265 reduceMin 1270 reduceSum 1275 reduceProd 1280 reduceMean \
    1285 reduceLogSum 1290 reduceSumSquare 1295 reduceLogSumExp 1313 whereNonZero 1315 matrixBandPart \
    1320 lowerTriangular 1325 upperTriangular 1330 whereBroadcastable 1350 layerNormalization \
    1400 NonMaximumSuppression 1450 oneHot 1455 cumSum 1460 clampedReLU 1461 argSort 1465 pooling3d \
    1466 globalPooling3d 1470 sliceBySize 1471 convolution3d";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{bytes, number};

    fn parse(kind: &[u8]) -> CoreMl {
        let about = [bytes(1, bytes(1, "x")), bytes(10, bytes(1, "y")), bytes(100, bytes(3, "ada"))].concat();
        CoreMl::parse(&[number(1, 7), bytes(2, about), kind.to_vec()].concat(), Limits::default())
    }

    #[test]
    fn what_a_model_says_is_told() {
        let layer = |kind: u32| bytes(1, [bytes(1, "l"), bytes(kind, [])].concat());
        let model = parse(&bytes(500, [layer(140), layer(140), layer(9999)].concat()));
        assert!(model.broken.is_none());
        assert_eq!(model.specification, 7);
        assert_eq!(model.models, BTreeMap::from([("neuralNetwork".to_owned(), 1)]));
        let layers = BTreeMap::from([("innerProduct".to_owned(), 2), ("number 9999".to_owned(), 1)]);
        assert_eq!(model.layers, layers);
        assert_eq!(model.values, [("input", "x".to_owned()), ("output", "y".to_owned())]);
        assert_eq!(model.properties, [("author".to_owned(), "ada".to_owned())]);
    }

    #[test]
    fn classes_and_files_are_found_wherever_they_are() {
        let layer = bytes(1, bytes(500, bytes(10, "Own")));
        let blob = bytes(5, bytes(1, "/etc/passwd"));
        let list = bytes(3, bytes(3, bytes(1, &blob)));
        let table = bytes(3, bytes(4, bytes(1, bytes(2, &blob))));
        let program = |operation: &[u8]| {
            let block = bytes(3, bytes(2, bytes(3, operation)));
            bytes(502, bytes(2, bytes(2, block)))
        };
        let inner = bytes(4, bytes(3, bytes(5, bytes(2, &blob))));
        for kind in [
            bytes(403, &layer),
            bytes(500, bytes(1, bytes(605, bytes(2, &layer)))),
            bytes(303, bytes(1, bytes(615, bytes(4, &layer)))),
            bytes(555, bytes(10, "Own")),
            bytes(202, bytes(1, bytes(555, bytes(10, "Own")))),
            bytes(201, bytes(1, bytes(1, bytes(500, &layer)))),
        ] {
            let model = parse(&kind);
            assert_eq!(model.classes.len(), 1, "{kind:?} {:?}", model.broken);
            assert_eq!(model.classes[0].name, "Own");
        }
        for kind in [
            program(&bytes(5, bytes(2, &blob))),
            program(&bytes(2, bytes(2, bytes(1, bytes(2, &blob))))),
            program(&bytes(5, bytes(2, list))),
            program(&bytes(5, bytes(2, table))),
            program(&inner),
            bytes(556, bytes(1, bytes(2, bytes(1, "/etc/passwd")))),
        ] {
            let model = parse(&kind);
            assert_eq!(model.files.keys().collect::<Vec<_>>(), ["/etc/passwd"], "{kind:?} {:?}", model.broken);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = CoreMl::parse(&bytes, Limits::default());
            let _ = parse(&bytes);
        }
    }
}
