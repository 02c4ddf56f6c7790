//! What a pickle may name, and how. Everything else is refused.
//!
//! The lists are data, made by `dev/allowlist/generate.py` from real packages; each line gives a module, a qualified
//! name and a [`Shape`]: what may be done with it, and with which arguments.

mod dangerous;
mod shape;
mod torchscript;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use dangerous::is_dangerous;
pub(crate) use shape::Shape;
pub(crate) use torchscript::{is_active_operator, is_operator};

/// The data files by name. They are part of the rule set's digest.
pub(crate) const DATA: &[(&str, &str)] = &[
    ("mlflow-loaders.txt", LOADERS),
    ("dangerous.txt", dangerous::LIST),
    ("torchscript-operators.txt", torchscript::LIST),
    ("standard-library.txt", include_str!("../../data/standard-library.txt")),
    ("numpy.txt", include_str!("../../data/numpy.txt")),
    ("scipy.txt", include_str!("../../data/scipy.txt")),
    ("scikit-learn.txt", include_str!("../../data/scikit-learn.txt")),
    ("pandas.txt", include_str!("../../data/pandas.txt")),
    ("joblib.txt", include_str!("../../data/joblib.txt")),
    ("torch.txt", include_str!("../../data/torch.txt")),
];

const LOADERS: &str = include_str!("../../data/mlflow-loaders.txt");

/// The names of [`DATA`] that hold no globals.
const NOT_GLOBALS: usize = 3;

static ENTRIES: LazyLock<HashMap<(&'static str, &'static str), Shape>> = LazyLock::new(|| {
    let lists = DATA.iter().skip(NOT_GLOBALS).flat_map(|(_, content)| lines(content));
    // A line that does not parse allows nothing; a test refuses such lines.
    lists.filter_map(entry).collect()
});

/// The lines of a data file without comments and blanks.
pub(crate) fn lines(content: &'static str) -> impl Iterator<Item = &'static str> {
    content.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn entry(line: &'static str) -> Option<((&'static str, &'static str), Shape)> {
    let mut columns = line.split(' ');
    let (module, name, shape) = (columns.next()?, columns.next()?, columns.next()?);
    if columns.next().is_some() {
        return None;
    }
    Some(((module, name), Shape::named(shape)?))
}

/// What may be done with `qualname` of `module`, if anything.
pub(crate) fn shape(module: &str, qualname: &str) -> Option<Shape> {
    // The key's lifetime is the argument's, so the map is asked through a shorter-lived view of itself.
    let entries: &HashMap<(&str, &str), Shape> = &ENTRIES;
    entries.get(&(module, qualname)).copied()
}

/// Whether `module` is a loader that MLflow ships.
pub(crate) fn is_loader(module: &str) -> bool {
    lines(LOADERS).any(|loader| loader == module)
}

/// Whether `module` is the top-level package of something on a list or of a loader: code that has this name would be
/// imported in its place.
pub(crate) fn is_top_level(module: &str) -> bool {
    let top = |name: &str| name.split('.').next() == Some(module);
    module == "cloudpickle" || module == "mlflow" || ENTRIES.keys().any(|(name, _)| top(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_parses_and_none_is_dangerous() {
        for (name, content) in DATA.iter().skip(NOT_GLOBALS) {
            for line in lines(content) {
                let ((module, qualname), _) = entry(line).unwrap_or_else(|| panic!("{name}: {line}"));
                assert!(!is_dangerous(module, qualname), "{name}: {line}");
            }
        }
        assert!(ENTRIES.len() > 500, "the generated lists are missing");
    }

    #[test]
    fn names_match_exactly() {
        assert!(shape("collections", "OrderedDict").is_some());
        for (module, name) in [
            ("collections", "OrderedDict.clear"),
            ("Collections", "OrderedDict"),
            ("collections", "namedtuple"),
            ("os", "system"),
            ("", ""),
        ] {
            assert_eq!(shape(module, name), None, "{module}.{name}");
        }
    }

    #[test]
    fn loaders_match_exactly() {
        assert!(is_loader("mlflow.sklearn"));
        for module in ["mlflow.sklearn.evil", "mlflow", "sklearn", "", "# origin: MLflow"] {
            assert!(!is_loader(module), "{module}");
        }
        assert!(is_top_level("sklearn") && is_top_level("numpy") && !is_top_level("my_model"));
    }
}
