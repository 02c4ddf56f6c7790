use super::lines;

/// Modules (with all below them) and single names that run code, reach files, the network or the interpreter.
pub(super) const LIST: &str = include_str!("../../data/dangerous.txt");

/// Whether `qualname` of `module` is known to run code or to reach out. Not being so says nothing: what is on no list
/// is refused as well.
pub(crate) fn is_dangerous(module: &str, qualname: &str) -> bool {
    lines(LIST).any(|line| match line.split_once(' ') {
        Some((listed, "*")) => {
            module == listed || module.strip_prefix(listed).is_some_and(|below| below.starts_with('.'))
        }
        Some((listed, name)) => {
            let first = qualname.split('.').next().unwrap_or(qualname);
            module == listed && (qualname == name || first == name)
        }
        None => false,
    })
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
