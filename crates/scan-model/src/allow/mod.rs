//! What a pickle may name, and how. Everything else is refused.
//!
//! The lists are data, made by `dev/allowlist/generate.py` from real packages; each line gives a module, a qualified
//! name and a [`Shape`]: what may be done with it, and with which arguments. The generated ones also say in which versions
//! the name was seen.

mod dangerous;
mod shape;
mod tensorflow;
mod torchscript;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use dangerous::is_dangerous;
pub(crate) use shape::Shape;
pub(crate) use tensorflow::is_tensorflow_operator;
pub(crate) use torchscript::{is_active_operator, is_operator};

/// The data files by name. They are part of the rule set's digest.
pub(crate) const DATA: &[(&str, &str)] = &[
    ("mlflow-loaders.txt", LOADERS),
    ("dangerous.txt", dangerous::LIST),
    ("torchscript-operators.txt", torchscript::LIST),
    ("tensorflow-operators.txt", tensorflow::LIST),
    ("standard-library.txt", include_str!("../../data/standard-library.txt")),
    ("numpy.txt", include_str!("../../data/numpy.txt")),
    ("scipy.txt", include_str!("../../data/scipy.txt")),
    ("scikit-learn.txt", include_str!("../../data/scikit-learn.txt")),
    ("pandas.txt", include_str!("../../data/pandas.txt")),
    ("pyarrow.txt", include_str!("../../data/pyarrow.txt")),
    ("joblib.txt", include_str!("../../data/joblib.txt")),
    ("torch.txt", include_str!("../../data/torch.txt")),
    ("torchvision.txt", include_str!("../../data/torchvision.txt")),
    ("lightgbm.txt", include_str!("../../data/lightgbm.txt")),
    ("xgboost.txt", include_str!("../../data/xgboost.txt")),
    ("catboost.txt", include_str!("../../data/catboost.txt")),
];

const LOADERS: &str = include_str!("../../data/mlflow-loaders.txt");

/// The names of [`DATA`] that hold no globals.
const NOT_GLOBALS: usize = 4;

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
    // Then come the versions, of interest to people only.
    if columns.nth(1).is_some() {
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

    /// Names of families that reach out which do not do so themselves, in the shapes that they have.
    const EXCEPTIONS: &[&str] = &[
        "_operator",
        "builtins getattr",
        "functools partial",
        "http HTTPStatus",
        "logging getLogger",
        "numpy vectorize",
        "numpy.lib.",
        "operator itemgetter",
        "pathlib P",
        "pathlib W",
        "pathlib._local P",
        "pathlib._local W",
        "torch.serialization _get_layout",
        "torch.storage ",
        "types SimpleNamespace",
    ];

    #[test]
    fn every_line_of_the_data_parses_and_none_is_dangerous() {
        for (name, content) in DATA.iter().skip(NOT_GLOBALS) {
            for line in lines(content) {
                let ((module, qualname), _) = entry(line).unwrap_or_else(|| panic!("{name}: {line}"));
                let is_exception = EXCEPTIONS.iter().any(|exception| line.starts_with(exception));
                assert_eq!(is_dangerous(module, qualname), is_exception, "{name}: {line}");
            }
        }
        assert!(ENTRIES.len() > 3000, "the generated lists are missing");
    }

    /// As the shell's, with `*` only.
    fn matches(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == text,
            Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
                (0..=rest.len()).filter(|end| rest.is_char_boundary(*end)).any(|end| matches(tail, &rest[end..]))
            }),
        }
    }

    #[test]
    fn nothing_is_listed_that_was_excluded() {
        let mut count = 0;
        let mut names: Vec<_> = ENTRIES.keys().collect();
        names.sort_unstable();
        for line in lines(include_str!("../../data/excluded.txt")) {
            let (pattern, why) = line.split_once('\t').unwrap();
            assert!(!why.is_empty() && pattern.contains(' '), "{line}");
            count += 1;
            for (module, name) in &names {
                let is_wrapper = *name == "NumpyArrayWrapper" && pattern.starts_with("sklearn.externals");
                assert!(is_wrapper || !matches(pattern, &format!("{module} {name}")), "{module} {name}: {why}");
            }
        }
        assert!(count > 50, "the exclusions are missing");
    }

    #[test]
    fn what_calls_or_reads_anything_has_a_shape_of_its_own() {
        for (module, name, expected) in [
            ("builtins", "getattr", Shape::Getattr),
            ("functools", "partial", Shape::Partial),
            ("numpy.core", "_ufunc_reconstruct", Shape::NumpyUfunc),
            ("torch.storage", "_load_from_bytes", Shape::TorchLoadFromBytes),
            ("torch._tensor", "_rebuild_from_type_v2", Shape::TorchFromType),
            ("zoneinfo", "ZoneInfo._unpickle", Shape::TimeZone),
            ("scipy.stats._continuous_distns", "norm_gen", Shape::Distribution),
        ] {
            assert_eq!(shape(module, name), Some(expected), "{module}.{name}");
        }
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
