use std::cell::{Cell, RefCell};
use std::fmt;

use sealyard_core::ReadAt;
use sealyard_formats::json_bounds::is_shallow;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::nested::may_be_encoded;
use super::{hf_config, keras_json, mxnet, python_json, python_objects, text, xgboost};
use crate::context::Context;

/// JSON: values, unless it describes a model.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("json", data, context)
}

/// Looks at a document that describes a model, as far as its keys tell; gives the kind of it.
pub(super) fn inspect_model(document: &[u8], keys: &Keys, context: &mut Context) -> Option<&'static str> {
    if keys.deep {
        context.miss("the document is nested too deeply to be searched");
    }
    if keys.broken && context.name().to_ascii_lowercase().ends_with(".json") {
        context.miss("it is no JSON up to its end, and other readers than this may go on");
    }
    let keras = keys.is_keras().then(|| keras_json::inspect(document, context));
    let objects = keys.python.get().then(|| python_objects::inspect(document, context));
    let configuration = keys.is_configuration().then(|| hf_config::inspect(document, context));
    let graph = keys.is_mxnet().then(|| mxnet::inspect(document, context));
    keras
        .or(configuration)
        .or(graph)
        .or(objects)
        .or_else(|| keys.is_xgboost().then(|| xgboost::inspect(document, context)))
}

/// How deep a document is searched: as deep as it is parsed.
const DEEPEST: usize = 127;

/// Keys of a JSON document that tell a model or its code, at any depth and however they are escaped.
#[derive(Debug, Default)]
pub(super) struct Keys {
    class_name: Cell<bool>,
    config: Cell<bool>,
    loader: Cell<bool>,
    learner: Cell<bool>,
    booster: Cell<bool>,
    /// Whether it goes deeper than is looked at: Python's reader goes on.
    deep: bool,
    /// Whether the walk ended in an error: Python's reader takes numbers without end and halves of letters.
    broken: bool,
    encoded: RefCell<Vec<String>>,
    python: Cell<bool>,
    arguments: Cell<bool>,
    heads: Cell<bool>,
}

/// Most texts that are looked at as pickles.
const MAX_ENCODED: usize = 10_000;
/// Keys of the configurations that Hugging Face's libraries read.
pub(super) const LOADER_KEYS: &[&str] = &[
    "_attn_implementation",
    "_attn_implementation_internal",
    "_class_name",
    "_name_or_path",
    "_target_",
    "architectures",
    "attn_implementation",
    "auto_map",
    "auto_mapping",
    "base_model_name_or_path",
    "chat_template",
    "custom_generate",
    "custom_pipelines",
    "feature_extractor_type",
    "idx",
    "image_processor_type",
    "model_file",
    "model_type",
    "peft_type",
    "processor_class",
    "tokenizer_class",
    "trust_remote_code",
    "vocab_file",
    "weight_map",
];

impl Keys {
    /// The keys of `text`; none of them is set where it is no JSON.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut keys = Self { deep: !is_shallow(text, DEEPEST), ..Self::default() };
        // What is no JSON up to its end may still have shown such keys to a reader before.
        let walk = |text: &[u8]| Walk(&keys).deserialize(&mut serde_json::Deserializer::from_slice(text));
        let mut broken = walk(text).is_err();
        if broken && let Ok(text) = std::str::from_utf8(text) {
            // Python takes words for numbers, and goes on behind them.
            broken = walk(python_json::without_numbers(text).as_bytes()).is_err();
        }
        keys.broken = broken;
        keys
    }

    /// Whether it is the configuration of a Keras model: classes by name, with their arguments.
    pub(super) fn is_keras(&self) -> bool {
        self.class_name.get() && self.config.get()
    }

    /// Whether it is a configuration of Hugging Face's libraries, which may name code that is loaded with the model.
    pub(super) fn is_configuration(&self) -> bool {
        self.loader.get()
    }

    /// Whether it is a model of XGBoost.
    pub(super) fn is_xgboost(&self) -> bool {
        self.learner.get() && self.booster.get()
    }

    /// Texts that may be pickles in another form than that of the whole document.
    pub(super) fn encoded(&self) -> Vec<String> {
        self.encoded.take()
    }

    /// Whether it is a graph of MXNet.
    fn is_mxnet(&self) -> bool {
        self.arguments.get() && self.heads.get()
    }

    fn see(&self, key: &str) {
        match key {
            "class_name" => self.class_name.set(true),
            "config" => self.config.set(true),
            "learner" => self.learner.set(true),
            "gradient_booster" => self.booster.set(true),
            // Modules of sentence-transformers need no other; a model of XGBoost has such a key as well.
            "type" if !(self.learner.get() && self.booster.get()) => self.loader.set(true),
            key if key.contains("chat_template") || LOADER_KEYS.contains(&key) => self.loader.set(true),
            "arg_nodes" => self.arguments.set(true),
            "heads" => self.heads.set(true),
            key if python_objects::is_tag(key) => self.python.set(true),
            _ => {}
        }
    }
}

/// Walks a document without keeping anything of it.
#[derive(Clone, Copy)]
struct Walk<'k>(&'k Keys);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.0.see(&key);
            map.next_value_seed(self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if may_be_encoded(text) {
            let mut encoded = self.0.encoded.borrow_mut();
            if encoded.len() < MAX_ENCODED {
                encoded.push(text.to_owned());
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_at_any_depth_and_spelling() {
        let keras = Keys::of(br#"{"a": [1, null, {"class\u005fname": "Lambda", "config": {}}]}"#);
        assert!(keras.is_keras() && !keras.is_configuration());
        assert!(Keys::of(br#"{"auto_map": {}} and more"#).is_configuration());
        assert!(!Keys::of(br#"{"a": "class_name", "b": "config auto_map"}"#).is_keras());
        for hidden in ["1e999", r#""\ud800""#, r#"{"\ud800": 1}"#] {
            let text = format!("{{\"x\": {hidden}, \"auto_map\": {{}}}}");
            let keys = Keys::of(text.as_bytes());
            assert!(keys.broken || keys.is_configuration(), "{hidden}");
        }
        assert!(!Keys::of(b"{\"a\": NaN}").broken);
        for (depth, is_deep) in [(100, false), (200, true), (100_000, true)] {
            let text = format!("{{\"pad\": {}{}, \"auto_map\": {{}}}}", "[".repeat(depth), "]".repeat(depth));
            let keys = Keys::of(text.as_bytes());
            assert_eq!((keys.deep, keys.is_configuration()), (is_deep, !is_deep), "{depth}");
        }
    }
}
