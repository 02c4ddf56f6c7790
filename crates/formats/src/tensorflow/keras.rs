use std::ops::Range;

use super::reader::Reader;
use crate::message::{MessageError, Walk};

/// An object of Keras as `keras_metadata.pb`, or before TensorFlow 2.5 the graph of objects, describes it.
#[derive(Debug)]
#[non_exhaustive]
pub struct KerasObject {
    /// What it is, such as `_tf_keras_layer`.
    pub identifier: String,
    /// Its place in the model, such as `root.layer-0`.
    pub path: String,
    /// Where its description in JSON lies.
    pub metadata: Range<u64>,
}

/// The numbers of the fields in the two messages that describe an object.
struct Fields {
    path: u32,
    identifier: u32,
    metadata: u32,
}

const SAVED_OBJECT: Fields = Fields { path: 3, identifier: 4, metadata: 5 };
/// `SavedUserObject` has no path.
const USER_OBJECT: Fields = Fields { path: 0, identifier: 1, metadata: 3 };

impl Reader<'_> {
    /// `SavedMetadata`.
    pub(super) fn keras_metadata(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Result<(), MessageError> {
        walk.each(range, |walk, field| match field.number {
            1 => self.keras_object(walk, field.bytes()?, &SAVED_OBJECT),
            _ => Ok(()),
        })
    }

    /// `SavedUserObject`.
    pub(super) fn user_object(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Result<(), MessageError> {
        self.keras_object(walk, range, &USER_OBJECT)
    }

    fn keras_object(&mut self, walk: &mut Walk<'_>, range: Range<u64>, fields: &Fields) -> Result<(), MessageError> {
        let (mut identifier, mut path, mut metadata) = (String::new(), String::new(), None);
        walk.each(range, |walk, field| {
            match field.number {
                number if number == fields.identifier => identifier = walk.text(field.bytes()?)?,
                number if number == fields.path => path = walk.text(field.bytes()?)?,
                number if number == fields.metadata => metadata = Some(field.bytes()?),
                _ => {}
            }
            Ok(())
        })?;
        // The loader knows objects of Keras by this; others are of no concern to it.
        if !identifier.starts_with("_tf_keras") {
            return Ok(());
        }
        if let Some(metadata) = metadata.filter(|range| !range.is_empty()) {
            walk.keep(identifier.len() + path.len() + 96)?;
            self.graphs.keras.push(KerasObject { identifier, path, metadata });
        }
        Ok(())
    }
}
