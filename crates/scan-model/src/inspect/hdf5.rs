use std::collections::BTreeMap;

use sealyard_core::ReadAt;
use sealyard_formats::hdf5::{Attribute, Class, Dataset, Hdf5, Hdf5Limits, Object};
use sealyard_scan::FactKind;
use serde_json::json;

use super::keras_json::{self, Form};
use super::pickle;
use crate::context::Context;
use crate::rules;

/// What PyTables calls a data set whose elements are pickles.
const PICKLES: &str = "PSEUDOATOM";
/// Largest data set that may be a pickle.
const MAX_ELEMENTS: u64 = 4 << 20;
/// Attributes of one file that are looked at as files of their own.
const MAX_NESTED: usize = 10_000;

/// HDF5: weights, models of older versions of Keras, tables of pandas, and arrays of many other libraries.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let limits =
        Hdf5Limits { objects: usize::try_from(context.budget().nested).unwrap_or(usize::MAX), ..Hdf5Limits::default() };
    let file = match Hdf5::open(data, &limits) {
        Ok(file) => file,
        Err(error) => {
            context.miss(format!("the HDF5 file can't be read: {error}"));
            return "hdf5";
        }
    };
    if !context.step(file.objects.len() as u64 + file.links.len() as u64) {
        return "hdf5";
    }
    for fault in &file.faults {
        context.miss(fault.as_str());
    }
    rules::hdf5::run(&file, context.sink());
    tell(&file, context);
    let is_keras = keras(&file, context);
    let mut count = 0;
    for object in &file.objects {
        for attribute in &object.attributes {
            for item in &attribute.items {
                if is_pickle_for_pytables(attribute, item) {
                    count += 1;
                    if count > MAX_NESTED {
                        context.miss("it has more attributes than are looked at");
                        return "hdf5";
                    }
                    nested(&format!("{}@{}", object.path, attribute.name), item, context);
                }
            }
        }
    }
    elements(&file, context);
    let has_objects = file.objects.iter().any(is_of_objects);
    if has_objects || file.objects.iter().any(has_sequences) {
        heaps(&file, has_objects, context);
    }
    if is_keras { "keras" } else { "hdf5" }
}

/// PyTables unpickles each text of a fixed length that ends as a pickle does; other readers may do so with bytes.
fn is_pickle_for_pytables(attribute: &Attribute, item: &[u8]) -> bool {
    let is_bytes = match &attribute.datatype.class {
        Class::Text | Class::Opaque => true,
        Class::Sequence(inner) => inner.size == 1,
        _ => false,
    };
    is_bytes && item.len() > 2 && item.ends_with(b".")
}

/// Whether elements of a data set are bytes of any length, which may be pickles.
fn has_sequences(object: &Object) -> bool {
    object.dataset.as_ref().is_some_and(|dataset| dataset.datatype.has_sequences())
}

/// Whether PyTables unpickles the elements of a data set.
fn is_of_objects(object: &Object) -> bool {
    object.attribute(PICKLES).is_some_and(|attribute| attribute.items.iter().any(|item| item == b"object"))
}

/// Looks at everything in the global heap that is a pickle: of any protocol where PyTables would unpickle it, and of the
/// protocols that have a signature where only a program's own code would.
fn heaps(file: &Hdf5<'_>, has_objects: bool, context: &mut Context) {
    let mut found = Vec::new();
    let result = file.search_heaps(&mut |object| {
        // The length of an object may be more than that of its elements, but what follows a pickle's end is nothing.
        let end = object.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let object = object.get(..end).unwrap_or_default();
        let may_be = has_objects || matches!(object, [0x80, 2..=5, ..]);
        if may_be && object.len() > 2 && object.ends_with(b".") && found.len() <= MAX_NESTED {
            found.push(object.to_vec());
        }
    });
    if let Err(error) = result {
        context.miss(format!("the heaps of the HDF5 file can't be read: {error}"));
    }
    if found.len() > MAX_NESTED {
        context.miss("it has more pickles than are looked at");
    }
    for object in &found {
        nested("heap", object, context);
    }
}

/// Looks at small data sets of texts and bytes that are pickles: some programs keep objects so.
fn elements(file: &Hdf5<'_>, context: &mut Context) {
    let is_bytes = |dataset: &&Dataset| {
        let is_plain = matches!(dataset.datatype.class, Class::Text | Class::Opaque);
        is_plain || matches!(dataset.datatype.class, Class::Integer { .. }) && dataset.datatype.size == 1
    };
    let datasets = file.objects.iter().filter_map(|object| Some((&object.path, object.dataset.as_ref()?)));
    for (path, dataset) in datasets.filter(|(_, dataset)| is_bytes(dataset)).take(MAX_NESTED) {
        let bytes = match file.elements(dataset, MAX_ELEMENTS) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(error) => {
                context.miss(format!("{path} can't be read: {error}"));
                continue;
            }
        };
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let bytes = bytes.get(..end).unwrap_or_default().to_vec();
        // The first protocols have no signature, so that numbers could be one by chance.
        let may_be = dataset.datatype.class == Class::Text || matches!(bytes.as_slice(), [0x80, 2..=5, ..]);
        if may_be && bytes.len() > 2 && bytes.ends_with(b".") {
            nested(path, &bytes, context);
        }
    }
}

/// Looks at bytes that a reader unpickles if they are a pickle.
fn nested(name: &str, bytes: &[u8], context: &mut Context) {
    context.inside(name, |context| {
        if let Err(error) = pickle::inspect_if_pickle(&bytes, context) {
            context.miss(format!("could not be read: {error}"));
        }
    });
}

/// Looks at the attributes in which Keras describes a model; gives whether there are any.
fn keras(file: &Hdf5<'_>, context: &mut Context) -> bool {
    let mut is_keras = false;
    for object in &file.objects {
        let text = |name: &str| object.attribute(name).and_then(Attribute::text);
        if let Some(version) = text("keras_version") {
            is_keras = true;
            context.fact(FactKind::Framework, "keras", version);
        }
        if let Some(backend) = text("backend") {
            context.fact(FactKind::Property, "backend", backend);
        }
        for name in ["model_config", "training_config"] {
            let Some(attribute) = object.attribute(name) else { continue };
            is_keras = true;
            context.inside(&format!("{}@{name}", object.path), |context| match attribute.items.as_slice() {
                [config] => keras_json::inspect_as(config, Form::Legacy, context),
                _ => context.miss("the description of the model is no single text"),
            });
        }
    }
    is_keras
}

fn tell(file: &Hdf5<'_>, context: &mut Context) {
    context.fact(FactKind::Format, "hdf5", file.version);
    let mut types: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for dataset in file.objects.iter().filter_map(|object| object.dataset.as_ref()) {
        let entry = types.entry(dataset.datatype.name()).or_default();
        entry.0 += 1;
        entry.1 = entry.1.saturating_add(dataset.count());
    }
    for (name, (tensors, numbers)) in types {
        context.fact(FactKind::Tensors, &name, json!({"tensors": tensors, "numbers": numbers}));
    }
    let Some(root) = file.objects.first() else { return };
    for (name, what) in [
        ("PYTABLES_FORMAT_VERSION", "pytables format"),
        ("encoding-type", "encoding"),
        ("encoding-version", "encoding version"),
        ("CLASS", "class"),
    ] {
        if let Some(text) = root.attribute(name).and_then(Attribute::text) {
            context.fact(FactKind::Property, what, text);
        }
    }
}
