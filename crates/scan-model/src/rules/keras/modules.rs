//! Which modules belong to Keras, and which of their names a model needs.

/// The ways in which Keras's own modules are written, and those of its copies.
const KERAS: &[&str] =
    &["keras", "keras_core", "tensorflow.keras", "tensorflow.python.keras", "tensorflow_core.keras", "tf_keras"];

/// Libraries of layers whose classes only compute. A model that needs one is loaded by a program that has imported it.
const LIBRARIES: &[&str] = &[
    "autokeras",
    "efficientnet",
    "kapre",
    "keras_bert",
    "keras_contrib",
    "keras_cv",
    "keras_hub",
    "keras_nlp",
    "keras_rs",
    "keras_self_attention",
    "larq",
    "qkeras",
    "segmentation_models",
    "spektral",
    "tensorflow_addons",
    "tensorflow_decision_forests",
    "tensorflow_gnn",
    "tensorflow_hub",
    "tensorflow_model_optimization",
    "tensorflow_probability",
    "tensorflow_ranking",
    "tensorflow_recommenders",
    "tensorflow_similarity",
    "tensorflow_text",
    "transformers",
];

/// Whose a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Keras,
    Library,
    /// The program that loads the model, as far as it has defined the name itself.
    Program,
    Python,
    Other,
}

/// The part of a module of Keras behind Keras's own name, with its hidden folders left out.
pub(super) fn part(module: &str) -> Option<&str> {
    let rest = KERAS.iter().find_map(|name| below(module, name))?;
    let rest = ["_tf_keras.keras", "api._v1.keras", "api._v2.keras", "api", "src"]
        .iter()
        .find_map(|folder| below(rest, folder))
        .unwrap_or(rest);
    // `src` may lie in `api`, and the reverse.
    Some(["src", "api"].iter().find_map(|folder| below(rest, folder)).unwrap_or(rest))
}

/// What follows `name` in a dotted path; empty if nothing does.
fn below<'m>(module: &'m str, name: &str) -> Option<&'m str> {
    let rest = module.strip_prefix(name)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

pub(super) fn owner(module: &str) -> Owner {
    let is_below = |names: &[&str]| names.iter().any(|name| below(module, name).is_some());
    if part(module).is_some() {
        Owner::Keras
    } else if is_below(LIBRARIES) {
        Owner::Library
    } else if module == "__main__" {
        Owner::Program
    } else if module == "builtins" {
        Owner::Python
    } else {
        Owner::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_have_owners() {
        for (module, rest) in [
            ("keras", ""),
            ("keras.layers", "layers"),
            ("keras.src.models.functional", "models.functional"),
            ("tensorflow.python.keras.layers.core", "layers.core"),
            ("keras.api._v2.keras.layers", "layers"),
            ("tf_keras.src.engine.functional", "engine.functional"),
        ] {
            assert_eq!(part(module), Some(rest), "{module}");
        }
        for module in ["kerasx", "os", "keras_evil.layers", "tensorflow.io", ""] {
            assert_eq!((part(module), owner(module)), (None, Owner::Other), "{module}");
        }
        assert_eq!(owner("keras_hub.src.layers"), Owner::Library);
        assert_eq!(owner("__main__"), Owner::Program);
    }
}
