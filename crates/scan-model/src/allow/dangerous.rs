use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::lines;

/// Modules (with all below them) and single names that run code, reach files, the network or the interpreter.
pub(super) const LIST: &str = include_str!("../../data/dangerous.txt");

/// A family: everything in a module and below it, or single names.
#[derive(Debug, Default)]
struct Family {
    all: bool,
    names: HashSet<&'static str>,
}

static FAMILIES: LazyLock<HashMap<&'static str, Family>> = LazyLock::new(|| {
    let mut families: HashMap<_, Family> = HashMap::new();
    for (module, name) in lines(LIST).filter_map(|line| line.split_once(' ')) {
        let family = families.entry(module).or_default();
        if name == "*" {
            family.all = true;
        } else {
            family.names.insert(name);
        }
    }
    families
});

/// Whether `qualname` of `module` is known to run code or to reach out. Not being so says nothing: what is on no list
/// is refused as well.
pub(crate) fn is_dangerous(module: &str, qualname: &str) -> bool {
    let families: &HashMap<&str, Family> = &FAMILIES;
    let first = qualname.split('.').next().unwrap_or(qualname);
    if families.get(module).is_some_and(|family| family.names.contains(qualname) || family.names.contains(first)) {
        return true;
    }
    let above = module.match_indices('.').map(|(end, _)| module.get(..end).unwrap_or_default());
    above.chain([module]).any(|module| families.get(module).is_some_and(|family| family.all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_cover_what_is_below_them() {
        for (module, name) in [
            ("os", "system"),
            ("posix", "popen"),
            ("nt", "system"),
            ("subprocess", "Popen"),
            ("builtins", "eval"),
            ("__builtin__", "execfile"),
            ("os.path", "join"),
            ("builtins", "getattr"),
            ("numpy.testing._private.utils", "runstring"),
            ("importlib", "import_module"),
            ("pandas", "read_pickle"),
        ] {
            assert!(is_dangerous(module, name), "{module}.{name}");
        }
        for (module, name) in [("builtins", "set"), ("osmium", "system"), ("collections", "OrderedDict")] {
            assert!(!is_dangerous(module, name), "{module}.{name}");
        }
    }
}
